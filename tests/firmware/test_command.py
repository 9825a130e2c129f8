"""The command device on the virtual board: what it does, when, and what it refuses."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
import pytest

from boardless.gateway.command import PING, STATUS, STOP, Command, ResponseCode, anim, led, servo
from boardless.gateway.device_board import BOARD, DeviceBoard
from boardless.gateway.packets import LONG_MAC, Encoding, Packet, encode
from boardless.gateway.sender import WAKE, WAKE_S
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.faults.power_cut import PowerCut
from boardless_sim.parts.serial_line import NO_FAULTS, LinkFaults
from tests.firmware.conftest import BUILD
from tests.unit.gateway.test_device import KEY, expected_line, hostile

ELF = BUILD / "command.elf"
MOST_LATENCY_MS = 10.0
SECTORS, SECTOR_BYTES = (0x0800_4000, 0x0800_8000), 0x4000
LINK, COMMANDS, BROWN_OUT, POWER, NONE = 4, 5, 3, 1, 0  # device_why


@contextmanager
def powered(faults: LinkFaults = NO_FAULTS, key: bytes | None = KEY) -> Iterator[DeviceBoard]:
    with closing(DeviceBoard(ELF, key, faults)) as board:
        board.run_us(100_000)
        yield board


def tell(
    board: DeviceBoard,
    counter: int,
    command: Command,
    key: bytes = KEY,
    form: Encoding = Encoding.CBOR,
    mac_bytes: int = 16,
) -> str:
    """Wake it, send a command, and give back its answer."""
    board.lines()
    board.write(WAKE)
    board.run_us(WAKE_S * 1e6)
    board.write(encode(Packet(counter, command), key, form, mac_bytes))
    board.run_us(40_000, lambda line: line.text.startswith("r-"))
    return next((line for line in board.lines() if line.startswith("r-")), "")


def field(line: str, name: str) -> int:
    return int(dict(part.split("=") for part in line.split() if "=" in part)[name])


def latency_ms(board: DeviceBoard) -> float:
    """From the last byte on the line to the first pin that shows something."""
    last_byte_us = board.line.last_byte_ns / 1000
    return (min(at for at in board.changes_us() if at > last_byte_us) - last_byte_us) / 1000


def test_it_starts_safe_and_says_so() -> None:
    with powered() as board:
        said = board.lines()
        assert said[0].startswith("m- boardless device")
        assert said[1] == f"m- safe why={POWER}"
        assert board.servo.angle is None
        assert board.led.rgb == (0, 0, 0)
        assert 20 < sum(board.display.pixels()) < 32 * 32  # the picture that says so


@pytest.mark.parametrize("form", Encoding)
@pytest.mark.parametrize("mac_bytes", [16, LONG_MAC])
def test_each_command_does_its_thing(form: Encoding, mac_bytes: int) -> None:
    with powered() as board:
        assert (
            field(tell(board, 1, servo(90, 300), KEY, form, mac_bytes), "code") == ResponseCode.OK
        )
        assert board.servo.angle == pytest.approx(90)
        assert (
            field(tell(board, 2, led(0xFF8000, 300), KEY, form, mac_bytes), "code")
            == ResponseCode.OK
        )
        assert board.led.rgb == (255, 128, 0)
        shown = board.display.pixels()
        assert field(tell(board, 3, anim(1, 500), KEY, form, mac_bytes), "code") == ResponseCode.OK
        board.run_us(10_000)
        assert board.display.pixels() != shown
        assert field(tell(board, 4, STOP, KEY, form, mac_bytes), "code") == ResponseCode.OK
        board.run_us(10_000)
        assert board.servo.angle is None
        assert board.led.rgb == (0, 0, 0)
        assert not any(board.display.pixels())


def test_an_animation_moves_and_ends_with_its_time() -> None:
    with powered() as board:
        tell(board, 1, anim(1, 650))
        board.run_us(700_000)
        frames = [drawing for drawing in board.display.drawings if drawing.begin_us > 120_000]
        gaps = np.diff([drawing.begin_us for drawing in frames[1:-1]]) / 1000
        assert len(frames) >= 7
        assert gaps == pytest.approx(np.full(len(gaps), 100.0), abs=2)
        assert not any(board.display.pixels())


def test_the_first_pin_changes_within_10_ms_of_the_last_byte() -> None:
    chance, found = random.Random(1), []
    with powered() as board:
        for counter in range(1, 101):
            wanted = (anim(1 + counter % 5, 90), servo(counter, 30), led(counter * 999, 30))
            assert field(tell(board, counter, wanted[counter % 3]), "code") == ResponseCode.OK
            found.append(latency_ms(board))
            board.run_us(chance.uniform(50_000, 400_000))
    assert max(found) < MOST_LATENCY_MS
    assert np.mean(found) < 2.0


def test_from_stop_mode_the_wake_byte_and_the_clock_are_within_10_ms() -> None:
    with powered() as board:
        tell(board, 1, PING)
        board.run_us(500_000)
        woken_us = board.time_us()
        tell(board, 2, led(0x00FF00, 100))
        changed_us = next(c.time_us for c in board.led.colours if c.time_us > woken_us)
        assert (changed_us - woken_us) / 1000 < MOST_LATENCY_MS


def test_what_is_not_good_is_answered_and_never_acted_on() -> None:
    with powered() as board:
        assert field(tell(board, 5, PING), "code") == ResponseCode.OK
        before = board.changes_us()
        assert field(tell(board, 5, led(0xFFFFFF, 100)), "code") == ResponseCode.REPEATED
        assert field(tell(board, 4, led(0xFFFFFF, 100)), "code") == ResponseCode.OLD
        assert field(tell(board, 6, led(0xFFFFFF, 100), bytes(32)), "code") == ResponseCode.UNSIGNED
        assert field(tell(board, 6, anim(99, 100)), "code") == ResponseCode.RANGE
        board.write(b"\x07" * 150 + b"\x00")
        board.run_us(40_000)
        assert field(board.lines()[-1], "code") == ResponseCode.TOO_LONG
        assert board.led.rgb == (0, 0, 0)
        assert [at for at in board.changes_us() if at not in before] == []


def test_bad_commands_in_a_row_make_it_safe_and_a_good_one_ends_that() -> None:
    with powered() as board:
        tell(board, 1, servo(90, 60_000))
        for _ in range(4):
            tell(board, 9, PING, bytes(32))
        assert board.servo.angle == pytest.approx(90)
        answer = tell(board, 9, PING, bytes(32))
        assert field(answer, "why") == COMMANDS
        assert [move.angle for move in board.servo.moves][-1] is None
        answer = tell(board, 2, PING)
        assert (field(answer, "code"), field(answer, "why")) == (ResponseCode.OK, NONE)


def test_without_a_link_the_scene_goes_on_for_its_time_and_then_it_is_safe() -> None:
    with powered() as board:
        tell(board, 1, servo(45, 8_000))
        board.run_us(7_000_000)
        assert board.servo.angle == pytest.approx(45)
        assert f"m- safe why={LINK}" not in board.lines()
        board.run_us(2_500_000)
        assert board.servo.angle is None
        assert f"m- safe why={LINK}" in board.lines()


def test_a_replayed_packet_keeps_no_link_alive() -> None:
    with powered() as board:
        tell(board, 1, PING)
        for _ in range(7):
            board.run_us(1_000_000)
            assert field(tell(board, 1, PING), "code") == ResponseCode.REPEATED
        assert field(tell(board, 1, PING), "why") == LINK


def test_without_a_key_nothing_is_acted_on() -> None:
    with powered(key=None) as board:
        assert field(tell(board, 1, led(0xFF, 100)), "code") == ResponseCode.NO_KEY
        assert board.led.rgb == (0, 0, 0)


def test_most_of_the_time_it_is_in_stop_mode() -> None:
    with powered() as board:
        for counter in range(1, 4):
            tell(board, counter, PING)
            board.run_us(1_900_000)
        tell(board, 4, STATUS)
        board.run_us(20_000)
        status = next(line for line in board.lines() if line.startswith("m- status"))
        times = {name: field(status, name) for name in ("run_ms", "sleep_ms", "stop_ms")}
        assert times["stop_ms"] > 0.93 * sum(times.values())
        assert sum(times.values()) == pytest.approx(board.time_us() / 1000, rel=0.02)


def test_a_stuck_program_is_reset_by_the_watchdog_and_starts_safe() -> None:
    with powered() as board:
        tell(board, 1, servo(90, 60_000))
        # Behind its next wait it goes on where nothing ever returns.
        board.engine.machine.cpu.set_register("pc", load_image(ELF).symbol("cpu_stop").address)
        board.run_us(6_000_000, lambda line: "boardless device" in line.text)
        board.run_us(200_000)
        assert "m- safe why=2" in board.lines()
        assert board.servo.angle is None


# The counter in the Flash


def flash_of(board: DeviceBoard) -> dict[int, bytes]:
    return {base: board.engine.read_memory(base, SECTOR_BYTES) for base in SECTORS}


@contextmanager
def with_flash(contents: dict[int, bytes]) -> Iterator[DeviceBoard]:
    with closing(DeviceBoard(ELF, KEY)) as board:
        for base, data in contents.items():
            board.engine.write_memory(base, data)
        board.run_us(100_000)
        yield board


def cut_at(whole: int, contents: dict[int, bytes]) -> dict[int, bytes]:
    """Power a device, cut it behind so many operations; what then stands in the Flash."""
    with with_flash(contents) as board:
        flash = board.engine.machine.devices.flash
        assert flash.cells is not None
        flash.cells = PowerCut(flash.cells, whole, seed=whole)
        last = field(tell(board, 0, PING), "last")
        for step in range(1, 4):
            tell(board, last + 200 * step, PING)
            board.run_us(100_000)
        return flash_of(board)


def last_of(contents: dict[int, bytes]) -> int:
    with with_flash(contents) as board:
        return field(board.lines()[0], "last")


def records(marks: list[int]) -> bytes:
    data = b"".join(struct.pack("<II", mark, ~mark & 0xFFFF_FFFF) for mark in marks)
    return data.ljust(SECTOR_BYTES, b"\xff")


EMPTY = {SECTORS[0]: b"\xff" * SECTOR_BYTES, SECTORS[1]: b"\xff" * SECTOR_BYTES}
FULL = {SECTORS[0]: records([256 * n for n in range(1, 2049)]), SECTORS[1]: b"\xff" * SECTOR_BYTES}


def test_the_counter_outlives_a_reset_and_old_packets_stay_old() -> None:
    with powered() as board:
        assert field(tell(board, 1000, PING), "code") == ResponseCode.OK
        kept = flash_of(board)
    with with_flash(kept) as board:
        answer = tell(board, 1000, led(0xFF, 100))
        assert field(answer, "code") == ResponseCode.OLD
        assert field(answer, "last") >= 1000
        assert field(tell(board, field(answer, "last") + 1, PING), "code") == ResponseCode.OK


@pytest.mark.parametrize("contents", [EMPTY, FULL], ids=["empty", "full"])
def test_a_power_cut_at_any_word_never_lets_a_counter_back(contents: dict[int, bytes]) -> None:
    before = last_of(contents)
    for operation in range(8):
        kept = cut_at(operation, contents)
        # All that was acted on before the cut: none of the later writes were whole.
        with with_flash(kept) as board:
            last = field(board.lines()[0], "last")
            assert last >= before
            assert field(tell(board, last + 1, PING), "code") == ResponseCode.OK
            assert field(tell(board, last, led(0xFF, 100)), "code") == ResponseCode.OLD


def test_a_full_sector_goes_over_to_the_other_and_is_erased_when_idle() -> None:
    with with_flash(FULL) as board:
        last = field(board.lines()[0], "last")
        assert last == 256 * 2048
        assert field(tell(board, last + 1, PING), "code") == ResponseCode.OK
        board.run_us(1_500_000)
        kept = flash_of(board)
        assert kept[SECTORS[0]] == b"\xff" * SECTOR_BYTES
        assert last_of(kept) > last


# Links that fail, and packets that are hostile


def test_on_a_bad_line_nothing_is_acted_on_twice_or_wrongly() -> None:
    faults = LinkFaults(loss=0.1, noise=0.004, duplication=0.2, seed=3)
    with powered(faults) as board:
        colours = []
        for counter in range(1, 80):
            answer = tell(board, counter, led(counter << 8 | 1, 20))
            if answer and field(answer, "code") == ResponseCode.OK:
                colours.append((0, counter, 1))
            board.run_us(30_000)
        shown = [colour.rgb for colour in board.led.colours if colour.rgb != (0, 0, 0)]
        assert 30 < len(colours) < 79
        assert set(colours) <= set(shown)
        assert len(shown) == len(set(shown))  # never twice


@pytest.mark.long
def test_a_hundred_thousand_hostile_packets_in_emulation() -> None:
    frames = list(hostile(random.Random(16), 100_000))
    image = load_image(BUILD / "command_fuzz.elf")
    place = {name: image.symbol(name).address for name in ("inbox", "outbox", "count", "key")}
    guards = image.symbol("damaged_guards").address
    done, batch, entry, answer = image.symbol("fuzz_done").address & ~1, 256, 128, 32
    with closing(NativeEngine(board=BOARD)) as engine:
        engine.load(image)
        assert engine.run_to(done, 1e6)
        engine.write_memory(place["key"], KEY)
        for start in range(0, len(frames), batch):
            part = frames[start : start + batch]
            data = b"".join(
                struct.pack("<II", last, len(raw)) + raw[:120].ljust(entry - 8, b"\0")
                for last, raw in part
            )
            engine.write_memory(place["inbox"], data)
            engine.write_memory(place["count"], struct.pack("<I", len(part)))
            engine.run(50)  # off the mark
            assert engine.run_to(done, 60e6)
            out = engine.read_memory(place["outbox"], answer * len(part))
            for number, (last, raw) in enumerate(part):
                code = struct.unpack_from("<i", out, answer * number)[0]
                expected = expected_line(last, raw)
                assert code == (0 if isinstance(expected, str) else expected), raw.hex()
        assert engine.read_memory(guards, 4) == bytes(4)
        assert engine.fault() is None


def test_a_run_that_ends_has_found_nothing_wrong() -> None:
    with powered() as board:
        tell(board, 1, anim(1, 300))
        assert board.run_us(1_000_000) == StopReason.LIMIT
        assert board.engine.fault() is None
        assert board.engine.log() == []
