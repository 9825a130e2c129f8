"""W25Q128JV data sheet, chapter 8; 24LC256 data sheet, chapters 6 to 8."""

from __future__ import annotations

import pytest

from boardless_sim.parts.eeprom import Eeprom
from boardless_sim.parts.w25q import (
    DEVICE_ID,
    ERASE_CHIP,
    ERASE_SECTOR,
    FAST_READ,
    JEDEC_ID,
    PAGE_PROGRAM,
    POWER_DOWN,
    READ,
    READ_STATUS_1,
    RELEASE,
    STATUS_BUSY,
    STATUS_WEL,
    WRITE_ENABLE,
    W25q,
)
from tests.unit.parts.conftest import Fitted, SpiMaster

pytestmark = pytest.mark.fidelity(device="W25Q", source="W25Q128JV data sheet")
AT = (0x01, 0x23, 0x00)


class Flash:
    """The Flash alone, and a clock."""

    def __init__(self) -> None:
        self.chip = W25q()
        self.now_ns = 0
        self.chip._now_ns = lambda: self.now_ns

    def transfer(self, *data: int) -> list[int]:
        self.chip.select()
        answers = [self.chip.exchange(byte) for byte in data]
        self.chip.deselect()
        return answers

    def status(self) -> int:
        return self.transfer(READ_STATUS_1, 0)[1]


def test_who_it_is() -> None:
    """8.1.1: EF 40 18."""
    flash = Flash()
    assert flash.transfer(JEDEC_ID, 0, 0, 0)[1:] == [0xEF, 0x40, 0x18]
    assert flash.transfer(DEVICE_ID, 0, 0, 0, 0, 0)[4:] == [0xEF, 0x17]


def test_programming_clears_bits_and_takes_time() -> None:
    flash = Flash()
    flash.transfer(PAGE_PROGRAM, *AT, 0x0F)
    assert flash.transfer(READ, *AT, 0)[4] == 0xFF  # it was not enabled
    for byte in (0x3F, 0xF5):
        flash.transfer(WRITE_ENABLE)
        assert flash.status() == STATUS_WEL
        flash.transfer(PAGE_PROGRAM, *AT, byte)
        assert flash.status() == STATUS_BUSY
        assert flash.transfer(READ, *AT, 0)[4] == 0xFF  # busy, it answers nothing
        flash.now_ns += 400_000
        assert flash.status() == 0
    assert flash.transfer(FAST_READ, *AT, 0, 0)[5] == 0x35


def test_a_page_is_not_left() -> None:
    """8.2.13: the addressing wraps to the beginning of the page."""
    flash = Flash()
    flash.transfer(WRITE_ENABLE)
    flash.transfer(PAGE_PROGRAM, 0, 0, 0xFF, 1, 2)
    flash.now_ns += 400_000
    assert flash.chip.read(0xFF, 2) == b"\x01\xff"
    assert flash.chip.read(0, 1) == b"\x02"


@pytest.mark.parametrize(("command", "time_ns", "rest"), [
    ((ERASE_SECTOR, *AT), 45_000_000, b"b"), ((ERASE_CHIP,), 40_000_000_000, b"\xff"),
])  # fmt: skip
def test_erasing(command: tuple[int, ...], time_ns: int, rest: bytes) -> None:
    flash = Flash()
    flash.chip.program(0x01_2345, b"a")
    flash.chip.program(0x01_3000, b"b")
    flash.transfer(WRITE_ENABLE)
    flash.transfer(*command)
    flash.now_ns += time_ns - 1
    assert flash.status() == STATUS_BUSY
    flash.now_ns += 1
    assert flash.status() == 0
    assert flash.chip.read(0x01_2345, 1) == b"\xff"
    assert flash.chip.read(0x01_3000, 1) == rest


def test_asleep_it_only_wakes() -> None:
    """8.2.29: in power-down all but Release is ignored."""
    flash = Flash()
    flash.transfer(POWER_DOWN)
    assert flash.transfer(JEDEC_ID, 0)[1] == 0xFF
    flash.transfer(RELEASE)
    assert flash.transfer(JEDEC_ID, 0)[1] == 0xEF


def test_on_a_board(fitted: Fitted) -> None:
    board, chip = fitted("w25q64", "spi1:PA4")
    assert chip.size == 8 << 20
    master = SpiMaster(board)
    assert master.transfer(JEDEC_ID, 0, 0, 0)[1:] == [0xEF, 0x40, 0x17]
    assert master.send(JEDEC_ID, 0) == [0, 0]  # not selected: MISO is low without a pull


@pytest.mark.fidelity(device="24C", source="24LC256 data sheet 6.2")
def test_an_eeprom_writes_a_page_and_is_deaf_meanwhile() -> None:
    """6.2: "the word address ... rolls over" in the page; 7.0: no acknowledge while it writes."""
    now_ns, chip = [0], Eeprom(256)
    chip._now_ns = lambda: now_ns[0]
    assert chip.start(read=False)
    for byte in (0x01, 0x3F, 7, 8):
        assert chip.write(byte)
    chip.stop()
    assert not chip.start(read=False)
    now_ns[0] = 5_000_000
    assert chip.start(read=False)
    assert (chip.contents[0x13F], chip.contents[0x100], chip.contents[0x140]) == (7, 8, 0xFF)


@pytest.mark.fidelity(device="24C", source="24LC256 data sheet 8.2")
def test_an_eeprom_reads_on() -> None:
    chip = Eeprom(2)
    chip.contents[:3] = b"abc"
    chip.start(read=False)
    chip.write(1)  # one byte of address
    chip.start(read=True)
    assert [chip.read(), chip.read()] == [ord("b"), ord("c")]
    chip.stop()
    assert chip.start(read=False)  # nothing was written
