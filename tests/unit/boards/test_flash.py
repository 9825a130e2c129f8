"""Erasing, programming and the wait states of the Flash (RM0090 chapter 3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.peripherals import flash_interface as fi
from boardless_sim.peripherals import rcc
from tests.unit.boards.probed_board import ProbedBoard
from tests.unit.elf.elf_bytes import FLASH

pytestmark = pytest.mark.fidelity(device="FLASH", source="RM0090 chapter 3")

SECTOR_5 = FLASH + (128 << 10)  # the first of 128 KiB
ERASE_US = 900_000.0


@pytest.fixture(name="cells")
def cells_fixture(board: ProbedBoard) -> ProbedBoard:
    """A core that does not stall, as if it ran from RAM."""
    board.machine.devices.flash.cells.stall = lambda cycles: None  # type: ignore[union-attr,method-assign]
    board.engine.write_memory(SECTOR_5, bytes(8))
    return board


def unlock(board: ProbedBoard) -> None:
    for key in fi.KEYS:
        board.write("FLASH", fi.KEYR, key)


def word(board: ProbedBoard) -> int:
    return int.from_bytes(board.engine.read_memory(SECTOR_5, 4), "little")


def store(board: ProbedBoard, value: int, size: int = 4) -> None:
    board.machine.device_write(SECTOR_5, size, value)


def erase(board: ProbedBoard, sector: int, psize: int = 2) -> None:
    board.write("FLASH", fi.CR, fi.CR_SER | sector << 3 | psize << 8)
    board.set_bits("FLASH", fi.CR, fi.CR_STRT)


def test_a_sector_is_erased_after_its_time(cells: ProbedBoard) -> None:
    unlock(cells)
    erase(cells, 5)
    cells.run_us(ERASE_US - 1)
    assert (word(cells), cells.read("FLASH", fi.SR)) == (0, fi.SR_BSY)
    cells.run_us(2)
    assert (word(cells), cells.read("FLASH", fi.SR)) == (0xFFFF_FFFF, 0)
    assert cells.engine.read_memory(FLASH, 4) != b"\xff\xff\xff\xff"  # another sector


def test_by_bytes_it_takes_twice_as_long(cells: ProbedBoard) -> None:
    """Table 6: PSIZE is the parallelism."""
    unlock(cells)
    erase(cells, 5, psize=0)
    cells.run_us(2 * ERASE_US - 1)
    assert word(cells) == 0
    cells.run_us(2)
    assert word(cells) == 0xFFFF_FFFF


def test_a_core_in_the_flash_stands_still_until_it_is_done(board: ProbedBoard) -> None:
    """ "Any attempt to read the Flash memory while it is being written or erased causes the bus to
    stall" (section 3.6)."""
    unlock(board)
    before = board.engine.time_us()
    erase(board, 5)
    assert board.engine.time_us() - before == pytest.approx(ERASE_US, abs=1)


def test_locked_it_does_nothing(cells: ProbedBoard) -> None:
    erase(cells, 5)
    cells.run_us(2 * ERASE_US)
    assert (word(cells), cells.read("FLASH", fi.CR)) == (0, fi.CR_LOCK)


def test_a_wrong_key_locks_until_reset(cells: ProbedBoard) -> None:
    cells.write("FLASH", fi.KEYR, fi.KEYS[1])
    unlock(cells)
    assert cells.read("FLASH", fi.CR) & fi.CR_LOCK
    cells.machine.devices.flash.reset()
    unlock(cells)
    assert not cells.read("FLASH", fi.CR) & fi.CR_LOCK


def program(board: ProbedBoard, value: int, psize: int = 2, size: int = 4) -> int:
    """SR after a store, and the time that it takes."""
    board.write("FLASH", fi.CR, fi.CR_PG | psize << 8)
    store(board, value, size)
    board.run_us(17)
    return board.read("FLASH", fi.SR)


def test_programming_only_clears_bits(cells: ProbedBoard) -> None:
    cells.engine.write_memory(SECTOR_5, b"\xff" * 4)
    unlock(cells)
    assert program(cells, 0x1234_5678) == 0
    assert program(cells, 0x0FF0_FFFF) == 0
    assert word(cells) == 0x1234_5678 & 0x0FF0_FFFF


@pytest.mark.parametrize(
    ("control", "size", "flag"),
    [
        (0, 4, fi.SR_PGSERR),  # PG is not set
        (fi.CR_PG | 0 << 8, 4, fi.SR_PGPERR),  # a word by bytes
        (fi.CR_PG | 2 << 8, 1, fi.SR_PGPERR),
    ],
)
def test_a_store_that_does_not_fit_sets_its_error(
    cells: ProbedBoard, control: int, size: int, flag: int
) -> None:
    """Section 3.9.4; "cleared by writing 1"."""
    unlock(cells)
    cells.write("FLASH", fi.CR, control)
    store(cells, 0, size)
    assert cells.read("FLASH", fi.SR) == flag
    cells.write("FLASH", fi.SR, flag)
    assert cells.read("FLASH", fi.SR) == 0


def test_a_protected_sector_stays(cells: ProbedBoard) -> None:
    """OPTCR.nWRP (section 3.9.6)."""
    for key in fi.OPTION_KEYS:
        cells.write("FLASH", fi.OPTKEYR, key)
    cells.field("FLASH", fi.OPTCR, 21, 1, 0)
    unlock(cells)
    erase(cells, 5)
    cells.run_us(2 * ERASE_US)
    assert (word(cells), cells.read("FLASH", fi.SR)) == (0, fi.SR_WRPERR)


def test_the_end_is_told_by_flag_and_interrupt_where_enabled(cells: ProbedBoard) -> None:
    unlock(cells)
    cells.write("FLASH", fi.CR, fi.CR_PG | 2 << 8 | fi.CR_EOPIE)
    store(cells, 0)
    cells.run_us(17)
    assert cells.read("FLASH", fi.SR) == fi.SR_EOP


def test_contents_outlast_a_reset(cells: ProbedBoard) -> None:
    unlock(cells)
    cells.engine.write_memory(SECTOR_5, b"\xff" * 4)
    program(cells, 0xCAFE_F00D)
    cells.machine.request_reset("PIN")
    cells.run_us(10)
    assert word(cells) == 0xCAFE_F00D


@pytest.mark.parametrize(("latency", "found"), [(4, ["flash-latency"]), (5, [])])
def test_latency_is_held_against_hclk(tmp_path: Path, latency: int, found: list[str]) -> None:
    """Table 10: 168 MHz at 3.3 V takes five wait states."""
    board = ProbedBoard(tmp_path)
    board.write("RCC", rcc.PLLCFGR, 8 | 168 << 6 | 7 << 24)  # HSI: 16 / 8 * 168 / 2
    board.set_bits("RCC", rcc.CR, rcc.CR_PLLON)
    board.run_us(300)
    board.write("FLASH", fi.ACR, latency)
    board.write("RCC", rcc.CFGR, 5 << 10 | 4 << 13 | rcc.SW_PLL)
    assert [kind for kind, _ in board.found()] == found
    board.engine.close()
