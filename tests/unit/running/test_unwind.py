"""Call stacks where the ELF says nothing about frames; with .debug_frame: tests/firmware."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from boardless.running.unwind import CallFrames, Unwinder
from boardless_sim.elf.image import FirmwareImage, Symbol, load_image
from boardless_sim.errors import EngineError
from tests.unit.conftest import link
from tests.unit.elf.elf_bytes import FLASH, build_elf

MUTANTS = 300
MAIN, LEAF, HANDLER = FLASH + 0x100, FLASH + 0x200, FLASH + 0x300


class Core:
    """Stands at `pc` with `lr`; it has no memory."""

    def __init__(self, pc: int, lr: int) -> None:
        self.registers = {"pc": pc, "r14": lr, "r13": 0x2000_1000}

    def read_register(self, name: str) -> int:
        return self.registers[name]

    def read_memory(self, address: int, size: int) -> bytes:
        raise EngineError(f"no memory at {address:#010x}, {size} bytes")


@pytest.fixture(name="image")
def image_fixture(tmp_path: Path) -> FirmwareImage:
    path = tmp_path / "app.elf"
    path.write_bytes(build_elf())
    functions = tuple(
        Symbol(name, address, 0x40, "function", True)
        for name, address in (("main", MAIN), ("leaf", LEAF), ("handler", HANDLER))
    )
    return replace(load_image(path), functions=functions)


@pytest.mark.parametrize(
    ("pc", "lr", "stack"),
    [
        (LEAF, MAIN + 8 | 1, ("main", "leaf")),
        (LEAF + 8, LEAF + 4 | 1, ("leaf",)),  # LR is what one of its own calls left there
        (LEAF + 8, LEAF + 0x40 | 1, ("leaf",)),
        (MAIN + 8, 0xFFFF_FFFF, ("main",)),  # reset
        (HANDLER, 0xFFFF_FFF9, ("handler",)),
        (LEAF, 0x2000_0001, ("leaf",)),
        (LEAF, MAIN + 0x40 | 1, ("main", "leaf")),  # a call that never returns ends a function
        (FLASH + 0x400, MAIN + 8 | 1, ("main", "?")),
    ],
)
def test_the_caller_is_in_lr(
    image: FirmwareImage, pc: int, lr: int, stack: tuple[str, ...]
) -> None:
    unwinder = Unwinder(image, Core(pc, lr))
    assert not unwinder.frames
    assert unwinder.stack() == stack


@pytest.fixture(name="described", scope="module")
def described_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link(tmp_path_factory.mktemp("frames"), "-g")


def test_every_instruction_of_a_described_function_has_a_row(described: Path) -> None:
    frames = CallFrames(described.read_bytes())
    assert frames
    image = load_image(described)
    reset = next(f for f in image.functions if f.address == image.reset_address)
    rows = [frames.row(at) for at in range(reset.address, reset.address + reset.size, 2)]
    assert None not in rows
    assert rows[0] == ((13, 0), {})
    assert frames.row(0x0900_0000) is None


def test_damaged_descriptions_are_as_if_they_were_not_there(
    described: Path, tmp_path: Path
) -> None:
    raw = described.read_bytes()
    with described.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".debug_frame")
        assert section is not None
        start, size = section["sh_offset"], section["sh_size"]
    image = load_image(described)
    dice, path, unread = random.Random(1), tmp_path / "app.elf", 0
    for _ in range(MUTANTS):
        mutant = bytearray(raw)
        for _ in range(dice.choice((1, 8))):
            mutant[start + dice.randrange(size)] = dice.choice((0, 1, 2, 0x7F, 0x80, 0xFF))
        path.write_bytes(mutant)
        frames = CallFrames(path.read_bytes())
        unread += not frames
        for function in image.functions:
            frames.row(function.address + 2)
    assert 0 < unread < MUTANTS
