from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import AhbPeripheral, ApbPeripheral, IrqLine, Register
from tests.unit.fake_bus import FakeBus


class Ahb(AhbPeripheral):
    layout: ClassVar[Mapping[int, Register]] = {
        0: Register("CR", 0x1122_3344),
        4: Register("SCR"),
        8: Register("ID", 0xAA, 0xF0),
    }
    write_ones = frozenset({4})


class Apb(ApbPeripheral):
    layout: ClassVar[Mapping[int, Register]] = {0: Register("CR", 0x1122_3344)}


def test_narrow_read_takes_its_lane() -> None:
    device = Ahb("X")
    assert [device.read(offset, 1) for offset in range(4)] == [0x44, 0x33, 0x22, 0x11]
    assert device.read(2, 2) == 0x1122


def test_narrow_write_on_ahb_changes_its_lane_only() -> None:
    device = Ahb("X")
    device.write(1, 1, 0xEE)
    assert device.read(0, 4) == 0x1122_EE44
    device.write(2, 2, 0xBEEF)
    assert device.read(0, 4) == 0xBEEF_EE44


def test_narrow_write_to_a_set_register_leaves_other_lanes_zero() -> None:
    device = Ahb("X")
    device.write(4, 4, 0xFF)
    device.write(5, 1, 0x12)
    assert device.read(4, 4) == 0x1200


def test_narrow_write_on_apb_fills_the_word() -> None:
    device = Apb("X")
    device.write(1, 1, 0x5A)
    assert device.read(0, 4) == 0x5A5A_5A5A
    device.write(2, 2, 0xBEEF)
    assert device.read(0, 4) == 0xBEEF_BEEF


def test_read_only_bits_stay() -> None:
    device = Ahb("X")
    device.write(8, 4, 0)
    assert device.read(8, 4) == 0x0A


def test_unknown_register_is_logged_by_name() -> None:
    bus, device = FakeBus(), Ahb("X")
    device.attach(bus)
    assert device.read(0x10, 4) == 0
    device.write(0x14, 4, 7)
    assert bus.log == ["X+0x10 read", "X+0x14 write of 0x7"]
    assert device.register_name(0) == "X_CR"


def test_interrupt_line_speaks_only_when_it_changes() -> None:
    bus, device = FakeBus(), Ahb("X")
    device.attach(bus)
    line = IrqLine(device, 5)
    line.drive(False)
    assert bus.irqs == {}
    line.drive(True)
    assert bus.irqs == {5: True}
