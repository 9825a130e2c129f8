"""RM0090 chapter 3, as quoted; the memory lies at the bottom of the fake bus's RAM."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals.flash_interface import (
    CR,
    CR_LOCK,
    CR_PG,
    CR_SER,
    CR_STRT,
    KEYR,
    KEYS,
    OPTCR,
    SR,
    SR_PGAERR,
    SR_PGPERR,
    SR_PGSERR,
    FlashInterface,
    Operation,
)
from tests.unit.fake_bus import RAM_BASE, RAM_SIZE, FakeBus

BY_WORD = 2 << 8  # PSIZE x32


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    bus = FakeBus()
    bus.ram[:] = b"\xff" * RAM_SIZE
    return bus


@pytest.fixture(name="flash")
def flash_fixture(bus: FakeBus) -> FlashInterface:
    flash = FlashInterface()
    bus.place(0x4002_3C00, flash)
    flash.lies_at(RAM_BASE, RAM_SIZE)
    flash.write_memory = bus.memory_write
    return flash


def unlock(flash: FlashInterface) -> None:
    for key in KEYS:
        flash.write(KEYR, 4, key)


def test_it_is_locked_until_both_keys_came(flash: FlashInterface) -> None:
    flash.write(CR, 4, CR_PG)
    assert flash.read(CR, 4) == CR_LOCK
    unlock(flash)
    flash.write(CR, 4, CR_PG)
    assert flash.read(CR, 4) == CR_PG


def test_a_wrong_key_locks_until_a_reset(flash: FlashInterface) -> None:
    """3.6.1: "an unlock sequence error ... the FLASH_CR register is locked up until the next
    reset"."""
    flash.write(KEYR, 4, KEYS[1])
    unlock(flash)
    assert flash.read(CR, 4) & CR_LOCK
    flash.reset()
    unlock(flash)
    assert not flash.read(CR, 4) & CR_LOCK


def test_stores_reach_it_only_while_pg_is_set(flash: FlashInterface) -> None:
    opened: list[bool] = []
    flash.on_open = opened.append
    unlock(flash)
    flash.write(CR, 4, CR_PG | BY_WORD)
    flash.write(CR, 4, CR_LOCK)
    assert opened == [True, False]


def test_bits_go_to_zero_only(flash: FlashInterface, bus: FakeBus) -> None:
    unlock(flash)
    flash.write(CR, 4, CR_PG | BY_WORD)
    start = bus.now()
    flash.program(RAM_BASE, 4, 0x1234_5678)
    flash.program(RAM_BASE, 4, 0xFFFF_0000)
    assert bus.memory_read(RAM_BASE, 4) == (0x1234_0000).to_bytes(4, "little")
    assert bus.now() - start == 2 * 16 * 168  # the core stood still, 16 us a word


@pytest.mark.parametrize(
    ("control", "size", "offset", "error"),
    [
        (CR_PG, 4, 0, SR_PGPERR),  # PSIZE says x8
        (CR_PG | BY_WORD, 2, 0, SR_PGPERR),
        (CR_PG | BY_WORD, 4, 2, SR_PGAERR),
        (CR_PG | CR_SER | BY_WORD, 4, 0, SR_PGSERR),
    ],
)
def test_a_wrong_store_is_flagged_and_changes_nothing(
    flash: FlashInterface, bus: FakeBus, control: int, size: int, offset: int, error: int
) -> None:
    unlock(flash)
    flash.write(CR, 4, control)
    flash.program(RAM_BASE + offset, size, 0)
    assert flash.read(SR, 4) == error
    assert bus.memory_read(RAM_BASE, 8) == b"\xff" * 8
    flash.write(SR, 4, error)
    assert flash.read(SR, 4) == 0


def test_a_sector_is_erased_whole_and_alone(flash: FlashInterface, bus: FakeBus) -> None:
    bus.ram[:] = bytes(RAM_SIZE)
    unlock(flash)
    flash.write(CR, 4, CR_SER | 1 << 3 | BY_WORD)
    start = bus.now()
    flash.write(CR, 4, CR_SER | 1 << 3 | BY_WORD | CR_STRT)
    assert bus.ram[0x4000:0x8000] == b"\xff" * 0x4000
    assert bus.ram[:0x4000] == bytes(0x4000)
    assert bus.ram[0x8000:0xC000] == bytes(0x4000)
    assert bus.now() - start == 250_000 * 168


def test_a_sector_that_is_not_there_is_an_error(flash: FlashInterface, bus: FakeBus) -> None:
    bus.ram[:] = bytes(RAM_SIZE)
    unlock(flash)
    for sector in (11, 12, 30):
        flash.write(CR, 4, CR_SER | sector << 3 | CR_STRT)
        assert flash.read(SR, 4) == SR_PGSERR
    assert not any(bus.ram)


def test_a_power_cut_decides_what_becomes_of_a_word(flash: FlashInterface, bus: FakeBus) -> None:
    seen: list[Operation] = []

    def half(operation: Operation) -> bytes:
        seen.append(operation)
        return operation.after[:2] + operation.before[2:]

    flash.on_operation = half
    unlock(flash)
    flash.write(CR, 4, CR_PG | BY_WORD)
    flash.program(RAM_BASE + 8, 4, 0)
    assert bus.memory_read(RAM_BASE + 8, 4) == b"\0\0\xff\xff"
    assert [operation.address for operation in seen] == [RAM_BASE + 8]


def test_the_protection_level_can_be_read(flash: FlashInterface) -> None:
    """3.7.3: RDP 0xAA is level 0, 0xCC level 2, anything else level 1."""
    assert flash.read(OPTCR, 4) >> 8 & 0xFF == 0xAA
    flash.set_protection(0xCC)
    flash.reset()
    assert flash.read(OPTCR, 4) >> 8 & 0xFF == 0xCC
