"""RM0090 chapter 32, as quoted."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals.links import can
from boardless_sim.peripherals.links.can import Can
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="CAN", source="RM0090 chapter 32")

BIT_CYCLES = (3 + 3 + 2) * 4  # of BTR below: 8 quanta of a PCLK1 period
TIMING = 3 << 16 | 2 << 20
IDENTITY = 0x321 << 21
TX, RX0, RX1, SCE = range(19, 23)


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Can:
    device = Can("CAN1", TX, RX0, RX1, SCE)
    bus.place(0x4000_6400, device)
    return device


def start(bus: FakeBus, device: Can, mode: int = can.BTR_LBKM) -> None:
    """32.4.1: INRQ, INAK, BTR, back; a filter of zeros lets everything into FIFO 0."""
    device.write(can.MCR, 4, can.MCR_INRQ)
    bus.run(1000)
    assert device.read(can.MSR, 4) & can.MSR_INAK
    device.write(can.BTR, 4, TIMING | mode)
    device.write(can.FS1R, 4, 1)
    device.write(can.FA1R, 4, 1)
    device.write(can.MCR, 4, 0)
    bus.run(1000)
    assert not device.read(can.MSR, 4) & (can.MSR_INAK | can.MSR_SLAK)


def send(device: Can, identity: int = IDENTITY, mailbox: int = 0, length: int = 2) -> None:
    base = can.TI0R + 0x10 * mailbox
    device.write(base + 4, 4, length)
    device.write(base + 8, 4, 0x4433_2211)
    device.write(base, 4, identity | can.TIR_TXRQ)


def test_a_frame_comes_back_in_its_time(bus: FakeBus, device: Can) -> None:
    """32.5.2: in loop-back mode its own frames are treated as received."""
    device.write(can.IER, 4, can.IER_TMEIE | can.IER_FMPIE0)
    start(bus, device)
    send(device)
    assert not device.read(can.TSR, 4) & can.TSR_TME0
    bus.run((47 + 16) * BIT_CYCLES - 1)
    assert not device.read(can.RF0R, 4) & can.RFR_FMP
    bus.run(1)
    assert device.read(can.RF0R, 4) == 1
    assert device.read(can.RI0R, 4) == IDENTITY
    assert device.read(can.RI0R + 4, 4) == 2
    assert device.read(can.RI0R + 8, 4) == 0x4433_2211
    done = can.TSR_RQCP0 | can.TSR_TXOK0 | can.TSR_TME0
    assert device.read(can.TSR, 4) & done == done
    assert (bus.irqs[TX], bus.irqs[RX0]) == (True, True)
    device.write(can.RF0R, 4, can.RFR_RFOM)
    device.write(can.TSR, 4, can.TSR_RQCP0)
    assert device.read(can.RF0R, 4) == 0
    assert dict(bus.irqs) | {RX1: False, SCE: False} == dict.fromkeys(range(19, 23), False)


def test_the_lowest_identifier_goes_first(bus: FakeBus, device: Can) -> None:
    """32.7.1: "the message with the lowest identifier value has the highest priority"."""
    start(bus, device)
    send(device, 0x7FF << 21, 0)
    send(device, 0x300 << 21, 1)
    send(device, 0x100 << 21, 2)
    bus.run(1000 * BIT_CYCLES)
    found = []
    while device.read(can.RF0R, 4) & can.RFR_FMP:
        found.append(device.read(can.RI0R, 4) >> 21)
        device.write(can.RF0R, 4, can.RFR_RFOM)
    assert found == [0x7FF, 0x100, 0x300]  # the first was on its way already


@pytest.mark.parametrize(("locked", "last"), [(0, 4), (can.MCR_RFLM, 3)])
def test_a_fourth_frame_is_an_overrun(bus: FakeBus, device: Can, locked: int, last: int) -> None:
    """32.7.3: without RFLM the last message is overwritten by the new one."""
    start(bus, device)
    device.write(can.MCR, 4, locked)
    for number in range(1, 5):
        send(device, number << 21)
        bus.run(100 * BIT_CYCLES)
    assert device.read(can.RF0R, 4) == 3 | can.RFR_FULL | can.RFR_FOVR
    for _ in range(2):
        device.write(can.RF0R, 4, can.RFR_RFOM)
    assert device.read(can.RI0R, 4) >> 21 == last


@pytest.mark.parametrize(("scale", "by_list", "first", "second", "passes"), [
    (1, 0, 0x321 << 21, 0x7FF << 21, True), (1, 0, 0x322 << 21, 0x7FF << 21, False),
    (1, 0, 0x322 << 21, 0x7FC << 21, True), (1, 1, 0x111 << 21, 0x321 << 21, True),
    (1, 1, 0x111 << 21, 0x222 << 21, False), (0, 1, 0, 0x321 << 5 << 16, True),
    (0, 0, 0x7FF << 5 << 16 | 0x321 << 5, 0xFFFF_0000, True),
    (0, 0, 0xFFFF_0000, 0xFFFF_0000, False),
])  # fmt: skip
def test_filters(
    bus: FakeBus, device: Can, scale: int, by_list: int, first: int, second: int, passes: bool
) -> None:
    """32.7.4: mask or list, 32 or 16 bits; FFA1R chooses the FIFO."""
    start(bus, device)
    for offset, value in (
        (can.FS1R, scale), (can.FM1R, by_list), (can.FFA1R, 1), (can.F0R1, first),
        (can.F0R1 + 4, second),
    ):  # fmt: skip
        device.write(offset, 4, value)
    send(device)
    bus.run(100 * BIT_CYCLES)
    assert bool(device.read(can.RF1R, 4) & can.RFR_FMP) is passes
    assert not device.read(can.RF0R, 4) & can.RFR_FMP


def test_alone_on_the_bus_nobody_acknowledges(bus: FakeBus, device: Can) -> None:
    """32.7.6: LEC 3 is an acknowledgment error; error passive from 128 on."""
    start(bus, device, mode=0)
    send(device)
    bus.run(3000 * BIT_CYCLES)
    assert not device.read(can.TSR, 4) & (can.TSR_RQCP0 | can.TSR_TME0)
    status = device.read(can.ESR, 4)
    assert (status >> 4 & 7, status >> 16 & 0xFF, status & 3) == (3, 128, 3)
    device.write(can.TSR, 4, can.TSR_ABRQ0)
    assert device.read(can.TSR, 4) & can.TSR_TME0


def test_without_retransmission_it_ends(bus: FakeBus, device: Can) -> None:
    start(bus, device, mode=0)
    device.write(can.MCR, 4, can.MCR_NART)
    bus.run(100)
    send(device)
    bus.run(100 * BIT_CYCLES)
    ended = can.TSR_RQCP0 | can.TSR_TERR0 | can.TSR_TME0
    assert device.read(can.TSR, 4) & ended == ended


def test_timing_is_set_in_initialisation_only(bus: FakeBus, device: Can) -> None:
    start(bus, device)
    device.write(can.BTR, 4, 0x1C_0005)
    assert device.read(can.BTR, 4) == TIMING | can.BTR_LBKM


def test_the_second_uses_the_filters_of_the_first(bus: FakeBus, device: Can) -> None:
    """32.7.4, CAN2SB: from this bank on they are the second's."""
    second = Can("CAN2", 63, 64, 65, 66)
    bus.place(0x4000_6800, second)
    second.first = device
    start(bus, second)
    send(second)
    bus.run(100 * BIT_CYCLES)
    assert not second.read(can.RF0R, 4) & can.RFR_FMP
    device.write(can.FS1R, 4, 1 << 14)
    device.write(can.FA1R, 4, 1 << 14)
    send(second)
    bus.run(100 * BIT_CYCLES)
    assert second.read(can.RF0R, 4) & can.RFR_FMP
