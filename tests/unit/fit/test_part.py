from __future__ import annotations

from dataclasses import replace

import pytest

from boardless.fit.part import Stm32Part, WorkingMemory, find, table
from boardless_sim.errors import BoardlessError

PARTS = table().parts


def part(*memories: WorkingMemory) -> Stm32Part:
    return Stm32Part("stm32x", "cortex-m4", 168_000_000, 1 << 20, memories)


def test_the_table_has_every_part_of_its_source_once() -> None:
    found = table()
    assert found.source == "modm-devices 0.13.1"
    names = [each.name for each in found.parts]
    assert len(set(names)) == len(names) == found.rows - 57  # dual-core parts have two rows


@pytest.mark.parametrize(
    ("name", "flash_kib", "block_kib", "ram_kib", "mhz"),
    [
        ("stm32f407vg", 1024, 128, 192, 168),  # DS8626: 112 + 16 adjoin, 64 of CCM apart
        ("stm32h743zi", 2048, 512, 1056, 480),  # DS12110: AXI SRAM 512, DTCM 128, ITCM 64
        ("stm32h745bi", 2048, 512, 1056, 480),  # both cores' banks; the M4 sees SRAM1 elsewhere
        ("stm32f750n8", 64, 320, 336, 216),  # DS12535; the package has 1 MiB of Flash
        ("stm32l476zgt6p", 1024, 96, 128, 80),  # DS10198; the package has 256 KiB
        ("stm32g431cbt6z", 128, 22, 32, 170),  # CCM apart; the package has 112 KiB
        ("stm32u575aii6", 2048, 768, 784, 160),  # secure aliases are no second memory
        ("stm32wb15cc", 320, 36, 48, 64),  # DS13258: a letter C that is no 256
    ],
)
def test_a_part_is_what_its_data_sheet_says(
    name: str, flash_kib: int, block_kib: int, ram_kib: int, mhz: int
) -> None:
    found = find(name, PARTS)
    assert found.flash_bytes == flash_kib * 1024
    assert found.clock_hz == mhz * 1_000_000
    assert found.block_bytes == block_kib * 1024
    assert found.ram_bytes == ram_kib * 1024


def test_memories_that_adjoin_are_one_block() -> None:
    apart = part(WorkingMemory("a", 0x1000_0000, 64), WorkingMemory("b", 0x2000_0000, 100))
    assert apart.block_bytes == 100
    assert replace(
        apart, memories=(*apart.memories, WorkingMemory("c", 0x2000_0064, 20))
    ).block_bytes == (120)


@pytest.mark.parametrize("name", ["stm32f407", "stm32f9", "", "8051"])
def test_a_name_that_leaves_the_part_open_is_refused(name: str) -> None:
    with pytest.raises(BoardlessError, match="expected"):
        find(name, PARTS)
