"""An image of a larger chip is told apart before it runs."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from boardless_sim.boards.reference import REFERENCE
from boardless_sim.boards.room import require_room
from boardless_sim.elf.image import FirmwareImage, load_image
from boardless_sim.errors import ImageError
from tests.unit.elf.elf_bytes import FLASH, build_elf

SRAM_END, CCM_END, FLASH_END = 0x2002_0000, 0x1001_0000, 0x0810_0000


def image(folder: Path, stack: int, at: int = FLASH) -> FirmwareImage:
    path = folder / "app.elf"
    code = struct.pack("<II", stack, FLASH + 9) + bytes(8)
    path.write_bytes(bytes(build_elf(code=code, load_address=at)))
    return load_image(path)


@pytest.mark.parametrize("stack", [SRAM_END, CCM_END, 0x2000_0004])
def test_a_stack_in_a_memory_of_the_chip_is_taken(stack: int, tmp_path: Path) -> None:
    require_room(REFERENCE.chip, image(tmp_path, stack))


@pytest.mark.parametrize("stack", [SRAM_END + 4, CCM_END + 4, 0x2000_0000])
def test_a_stack_outside_of_them_is_named(stack: int, tmp_path: Path) -> None:
    found = f"initial stack pointer {stack:#010x}, stm32f407vg has .*SRAM 0x20000000-0x2001ffff"
    with pytest.raises(ImageError, match=found):
        require_room(REFERENCE.chip, image(tmp_path, stack))


def test_an_image_ends_where_the_flash_does(tmp_path: Path) -> None:
    require_room(REFERENCE.chip, image(tmp_path, SRAM_END, FLASH_END - 16))
    found = "16 bytes at 0x080ffff4, stm32f407vg has Flash 0x08000000-0x080fffff"
    with pytest.raises(ImageError, match=found):
        require_room(REFERENCE.chip, image(tmp_path, SRAM_END, FLASH_END - 12))
