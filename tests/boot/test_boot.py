"""The boot loader on the virtual board, with both applications behind it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from boardless.gateway.device_board import BOARD
from boardless_sim.boards.board import Board
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.faults.power_cut import PowerCut
from tests.boot.signing import HEADER, make_key, public_key, sign
from tests.unit.gateway.host_program import REPOSITORY

BUILD = REPOSITORY / "build" / "firmware"
SLOTS = {"a": 0x0802_0000, "b": 0x0808_0000}
SLOT_BYTES = 0x6_0000
STATE, STATE_BYTES = 0x0800_C000, 0x4000
TRIED = SLOT_BYTES - 32
LIMIT_US = 1_500_000


@dataclass(frozen=True)
class Workshop:
    """What is built once: the boot loader for a key, the applications, and that key."""

    key: Path

    def image(self, name: str, slot: str, **options: object) -> bytes:
        """A signed slot of an application."""
        body = self.key.with_name("application.bin")
        elf = BUILD / f"{name}_{slot}.elf"
        command = ["arm-none-eabi-objcopy", "-O", "binary", str(elf), str(body)]
        subprocess.run(command, check=True)
        return sign(self.key, body.read_bytes(), SLOT_BYTES, **options)  # type: ignore[arg-type]


@pytest.fixture(name="workshop", scope="module")
def workshop_fixture(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    key = make_key(tmp_path_factory.mktemp("key"))
    source = key.with_name("boot_key.c")
    numbers = ", ".join(f"{byte:#04x}" for byte in public_key(key))
    source.write_text(
        '#include "boot/boot_key.h"\n\n'
        f"const uint8_t boot_key[BOOT_PUBLIC_KEY_BYTES] = {{{numbers}}};\n"
    )
    command = ["make", "-s", "-C", "firmware", f"BUILD={BUILD}", f"BOOT_KEY={source}", "boot"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Workshop(key)


@contextmanager
def board(slots: dict[int, bytes], wiring: Board = BOARD) -> Iterator[NativeEngine]:
    with closing(NativeEngine(board=wiring)) as engine:
        engine.load(load_image(BUILD / "boot.elf"))
        for address, data in slots.items():
            engine.write_memory(address, data)
        yield engine


def first_line(engine: NativeEngine) -> str:
    engine.run(LIMIT_US, lambda line: True)
    return engine.uart_lines()[0].text if engine.uart_lines() else ""


def slot_of(engine: NativeEngine) -> str:
    """In which slot the program runs."""
    pc = engine.read_register("pc")
    return next((s for s, base in SLOTS.items() if base <= pc < base + SLOT_BYTES), "")


def test_the_boot_loader_fits_its_sector(workshop: Workshop) -> None:
    segments = load_image(BUILD / "boot.elf").segments
    assert max(each.load_address + len(each.data) for each in segments) <= 0x0800_4000


@pytest.mark.parametrize("slot", SLOTS)
def test_the_command_device_boots_by_it(workshop: Workshop, slot: str) -> None:
    with board({SLOTS[slot]: workshop.image("command", slot)}) as engine:
        assert first_line(engine).startswith("m- boardless device")
        assert slot_of(engine) == slot


def test_the_classifier_boots_by_it_and_classifies(workshop: Workshop) -> None:
    with board({SLOTS["a"]: workshop.image("boardless", "a")}, REFERENCE) as engine:
        for frame in open_frames("pattern:bars", limit=1):
            engine.show(frame)
        engine.run(2 * LIMIT_US, lambda line: line.text.startswith("r-"))
        assert engine.uart_lines()[-1].text.startswith("r- frame=")


def test_the_higher_version_runs(workshop: Workshop) -> None:
    both = {
        SLOTS["a"]: workshop.image("command", "a", version="1.2.0"),
        SLOTS["b"]: workshop.image("command", "b", version="1.10.0"),
    }
    with board(both) as engine:
        assert first_line(engine)
        assert slot_of(engine) == "b"


def test_a_damaged_image_never_runs_and_a_good_second_slot_may(workshop: Workshop) -> None:
    bad = bytearray(workshop.image("command", "a", version="2.0.0"))
    bad[HEADER + 1000] ^= 1
    with board({SLOTS["a"]: bytes(bad)}) as engine:
        assert first_line(engine) == ""
        assert slot_of(engine) == ""
    good = workshop.image("command", "b", version="1.0.0")
    with board({SLOTS["a"]: bytes(bad), SLOTS["b"]: good}) as engine:
        assert first_line(engine)
        assert slot_of(engine) == "b"


def test_an_image_that_does_not_confirm_itself_runs_once(workshop: Workshop) -> None:
    slots = {
        SLOTS["a"]: workshop.image("command", "a", version="1.0.0"),
        SLOTS["b"]: workshop.image("command", "b", version="2.0.0", confirmed=False),
    }
    with board(slots) as engine:
        assert first_line(engine)
        assert slot_of(engine) == "b"
        kept = {base: engine.read_memory(base, SLOT_BYTES) for base in slots}
    with board(kept) as engine:
        assert first_line(engine)
        assert slot_of(engine) == "a"


def test_an_older_security_counter_is_refused(workshop: Workshop) -> None:
    with board({SLOTS["a"]: workshop.image("command", "a", counter=7)}) as engine:
        assert first_line(engine)
        state = engine.read_memory(STATE, STATE_BYTES)
    old = workshop.image("command", "b", version="9.0.0", counter=6)
    with board({STATE: state, SLOTS["b"]: old}) as engine:
        assert first_line(engine) == ""
    same = workshop.image("command", "b", version="9.0.0", counter=7)
    with board({STATE: state, SLOTS["b"]: same}) as engine:
        assert first_line(engine)


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_power_cut_at_any_word_leaves_something_that_boots(
    workshop: Workshop, confirmed: bool
) -> None:
    slots = {
        SLOTS["a"]: workshop.image("command", "a", version="1.0.0", counter=3),
        SLOTS["b"]: workshop.image("command", "b", version="2.0.0", counter=3, confirmed=confirmed),
    }
    for number in range(3):
        with board(slots) as engine:
            flash = engine.machine.devices.flash
            assert flash.cells is not None
            flash.cells = PowerCut(flash.cells, number, seed=number)
            first_line(engine)
            kept = {base: engine.read_memory(base, SLOT_BYTES) for base in slots}
            kept[STATE] = engine.read_memory(STATE, STATE_BYTES)
        with board(kept) as engine:
            assert first_line(engine).startswith("m- boardless device")
