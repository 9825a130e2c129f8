from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardless_sim.chips.catalog import load_facts
from boardless_sim.peripherals import dma
from boardless_sim.peripherals import dma_stream as ds
from boardless_sim.peripherals.dma import Dma
from boardless_sim.peripherals.register import AhbPeripheral, Register
from tests.unit.fake_bus import RAM_BASE, FakeBus

pytestmark = pytest.mark.fidelity(device="DMA", source="RM0090 chapter 10")

_REQUESTS = load_facts("stm32f417vg").requests  # of all lines, the one with CRYP and HASH too
DMA1_REQUESTS, DMA2_REQUESTS = _REQUESTS["DMA1"], _REQUESTS["DMA2"]
IRQS = (56, 57, 58, 59, 60, 68, 69, 70)
STREAM = dma.FIRST_STREAM + dma.STREAM_STRIDE  # stream 1
DEVICE = 0x5005_0000
SOURCE, TARGET = RAM_BASE + 0x1000, RAM_BASE + 0x2000
DCMI = 1 << 25
P2M, M2P, M2M = 0 << 6, 1 << 6, 2 << 6
FLAG_SHIFT = 6  # of stream 1


class Port(AhbPeripheral):
    """A data register that counts up when read and keeps what is written."""

    layout: ClassVar[Mapping[int, Register]] = {0x28: Register("DR")}

    def __init__(self) -> None:
        super().__init__("PORT")
        self.next = 0
        self.written: list[tuple[int, int]] = []
        self.invited: list[str] = []

    def read(self, offset: int, size: int) -> int:
        value = 0
        for lane in range(size):
            value |= (self.next & 0xFF) << 8 * lane
            self.next += 1
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        self.written.append((size, value))

    def dma_listening(self, request: str) -> None:
        self.invited.append(request)


class Rig:
    def __init__(self) -> None:
        self.bus = FakeBus()
        self.port = Port()
        self.dma = Dma("DMA2", IRQS, DMA2_REQUESTS, memory_to_memory=True)
        self.bus.place(0x4002_6400, self.dma)
        self.bus.place(DEVICE, self.port)

    def write(self, register: int, value: int) -> None:
        self.dma.write(STREAM + register, 4, value)

    def read(self, register: int) -> int:
        return self.dma.read(STREAM + register, 4)

    def start(self, control: int, items: int, fifo: int = 0) -> None:
        self.write(ds.PAR, DEVICE + 0x28)
        self.write(ds.M0AR, TARGET)
        self.write(ds.NDTR, items)
        self.write(ds.FCR, fifo)
        self.write(ds.CR, control | DCMI | ds.CR_EN)

    def flags(self) -> int:
        return self.dma.read(dma.LISR, 4) >> FLAG_SHIFT & 0x3D

    def clear(self, flags: int = 0x3D) -> None:
        self.dma.write(dma.LIFCR, 4, flags << FLAG_SHIFT)

    def irq(self) -> bool:
        return self.bus.irqs.get(57, False)

    def target(self, size: int) -> bytes:
        return self.bus.memory_read(TARGET, size)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def psize(size: int) -> int:
    return (size.bit_length() - 1) << 11


def msize(size: int) -> int:
    return (size.bit_length() - 1) << 13


def test_tables_name_the_camera_and_the_serial_ports() -> None:
    assert DMA2_REQUESTS[1, 1] == DMA2_REQUESTS[7, 1] == ("DCMI",)
    assert DMA1_REQUESTS[6, 4] == ("USART2_TX",)
    assert DMA1_REQUESTS[5, 4] == ("USART2_RX",)
    assert DMA2_REQUESTS[7, 4] == ("USART1_TX",)
    assert DMA2_REQUESTS[6, 5] == ("USART6_TX",)
    assert DMA1_REQUESTS[0, 1] == ("I2C1_RX",)
    assert DMA1_REQUESTS[2, 5] == ("TIM3_CH4", "TIM3_UP")
    assert all(stream < 8 and channel < 8 for stream, channel in [*DMA1_REQUESTS, *DMA2_REQUESTS])


def test_peripheral_to_memory_to_the_end(rig: Rig) -> None:
    rig.start(P2M | ds.CR_MINC | psize(4) | msize(4) | ds.CR_TCIE, 4)
    assert rig.dma.request("DCMI", 3) == 3
    assert rig.read(ds.NDTR) == 1
    assert rig.flags() == ds.HTIF
    assert not rig.irq()
    assert rig.dma.request("DCMI", 3) == 1
    assert rig.target(16) == bytes(range(16))
    assert rig.flags() == ds.HTIF | ds.TCIF
    assert rig.irq()
    assert not rig.read(ds.CR) & ds.CR_EN
    rig.clear(ds.TCIF)
    assert not rig.irq()


def test_nobody_listens(rig: Rig) -> None:
    assert rig.dma.request("DCMI") == 0
    rig.start(P2M, 4)
    assert rig.dma.request("ADC1") == 0


def test_wrong_channel_does_not_listen(rig: Rig) -> None:
    rig.start(P2M | 2 << 25, 4)  # ORs to channel 3
    assert rig.dma.request("DCMI") == 0


def test_a_disabled_stream_does_not_hide_an_enabled_one(rig: Rig) -> None:
    stream7 = dma.FIRST_STREAM + 7 * dma.STREAM_STRIDE
    rig.dma.write(stream7 + ds.CR, 4, DCMI)
    rig.start(P2M | psize(1), 4)
    assert rig.dma.request("DCMI") == 1


def test_enabling_invites_the_device(rig: Rig) -> None:
    rig.start(P2M, 4)
    assert rig.port.invited == ["DCMI"]


def test_memory_to_peripheral(rig: Rig) -> None:
    rig.bus.memory_write(TARGET, bytes(range(1, 9)))
    rig.start(M2P | ds.CR_MINC | psize(2) | msize(2), 4)
    assert rig.dma.request("DCMI", 4) == 4
    assert rig.port.written == [(2, 0x0201), (2, 0x0403), (2, 0x0605), (2, 0x0807)]


def test_memory_without_increment_repeats(rig: Rig) -> None:
    rig.bus.memory_write(TARGET, b"\x11\x22")
    rig.start(M2P | psize(1), 3)
    rig.dma.request("DCMI", 3)
    assert rig.port.written == [(1, 0x11)] * 3


@given(
    direction=st.sampled_from([P2M, M2P]),
    unit=st.sampled_from([1, 2, 4]),
    memory_unit=st.sampled_from([1, 2, 4]),
    groups=st.integers(1, 12),
    chunks=st.lists(st.integers(1, 7), min_size=1, max_size=6),
)
def test_packing_keeps_every_byte_in_order(
    direction: int, unit: int, memory_unit: int, groups: int, chunks: list[int]
) -> None:
    rig = Rig()
    items = groups * 4 // unit
    rig.bus.memory_write(TARGET, bytes(range(groups * 4)))
    rig.port.next = 100
    control = direction | ds.CR_MINC | psize(unit) | msize(memory_unit)
    rig.start(control, items, ds.FCR_DMDIS | 3)
    served, turn = 0, 0
    while served < items:
        served += rig.dma.request("DCMI", chunks[turn % len(chunks)])
        turn += 1
    if direction == P2M:
        assert rig.target(groups * 4) == bytes(range(100, 100 + groups * 4))
        assert rig.target(groups * 4 + 4)[-4:] == bytes(4)
    else:
        data = b"".join(value.to_bytes(size, "little") for size, value in rig.port.written)
        assert data == bytes(range(groups * 4))
    assert served == items
    assert rig.flags() & ds.TCIF


def test_direct_mode_forces_the_memory_size(rig: Rig) -> None:
    rig.start(P2M | psize(1) | msize(4), 2)  # MINC off: every item lands at M0AR
    rig.dma.request("DCMI", 2)
    assert rig.target(4) == b"\x01\0\0\0"


def test_circular_goes_round(rig: Rig) -> None:
    rig.start(P2M | ds.CR_MINC | ds.CR_CIRC | psize(1), 4)
    assert rig.dma.request("DCMI", 6) == 6
    assert rig.target(4) == bytes([4, 5, 2, 3])
    assert rig.read(ds.NDTR) == 2
    assert rig.read(ds.CR) & ds.CR_EN


def test_double_buffer_swaps_and_guards_the_one_in_use(rig: Rig) -> None:
    rig.write(ds.M1AR, TARGET + 0x100)
    rig.start(P2M | ds.CR_MINC | ds.CR_DBM | psize(1), 4)
    rig.dma.request("DCMI", 6)
    assert rig.read(ds.CR) & ds.CR_CT
    assert rig.target(4) == bytes(range(4))
    assert rig.bus.memory_read(TARGET + 0x100, 2) == bytes([4, 5])
    rig.write(ds.M0AR, TARGET + 0x200)  # not in use: may change
    rig.dma.request("DCMI", 3)
    assert rig.bus.memory_read(TARGET + 0x200, 1) == bytes([8])
    rig.write(ds.M0AR, TARGET)  # in use: an error
    assert rig.flags() & ds.TEIF
    assert not rig.read(ds.CR) & ds.CR_EN


def test_bus_error_disables_the_stream(rig: Rig) -> None:
    rig.write(ds.NDTR, 4)
    rig.write(ds.PAR, DEVICE + 0x28)
    rig.write(ds.M0AR, 0x9000_0000)
    rig.write(ds.CR, P2M | ds.CR_MINC | ds.CR_TEIE | DCMI | ds.CR_EN)
    assert rig.dma.request("DCMI") == 0
    assert rig.flags() == ds.TEIF
    assert rig.irq()


def test_core_coupled_memory_is_out_of_reach(rig: Rig) -> None:
    rig.write(ds.NDTR, 4)
    rig.write(ds.PAR, DEVICE + 0x28)
    rig.write(ds.M0AR, 0x1000_0000)
    rig.write(ds.CR, P2M | ds.CR_MINC | DCMI | ds.CR_EN)
    rig.dma.request("DCMI")
    assert rig.flags() == ds.TEIF


def test_second_buffer_in_core_coupled_memory_is_out_of_reach(rig: Rig) -> None:
    rig.write(ds.M1AR, 0x1000_0000)
    rig.start(P2M | ds.CR_MINC | ds.CR_DBM | psize(1), 2)
    assert rig.dma.request("DCMI", 3) == 2
    assert rig.flags() & ds.TEIF


def test_burst_that_does_not_divide_the_threshold(rig: Rig) -> None:
    rig.start(P2M | psize(4) | msize(4) | 1 << 23, 8, ds.FCR_DMDIS | 1)  # INCR4 words, half full
    assert rig.flags() == ds.FEIF
    assert not rig.read(ds.CR) & ds.CR_EN


def test_flags_of_the_last_transfer_bar_a_new_one(rig: Rig) -> None:
    rig.start(P2M | psize(1), 1)
    rig.dma.request("DCMI")
    rig.start(P2M | psize(1), 1)
    assert not rig.read(ds.CR) & ds.CR_EN
    rig.clear()
    rig.start(P2M | psize(1), 1)
    assert rig.read(ds.CR) & ds.CR_EN


def test_registers_are_protected_while_enabled(rig: Rig) -> None:
    rig.start(P2M | psize(1), 4)
    for register in (ds.NDTR, ds.PAR, ds.M0AR):
        before = rig.read(register)
        rig.write(register, 0x1234)
        assert rig.read(register) == before
    rig.write(ds.CR, rig.read(ds.CR) | ds.CR_CIRC | ds.CR_TCIE)
    assert rig.read(ds.CR) & (ds.CR_CIRC | ds.CR_TCIE) == ds.CR_TCIE


def test_disabling_early_flushes_and_sets_tcif(rig: Rig) -> None:
    rig.start(P2M | psize(1), 4)
    rig.dma.request("DCMI")
    rig.write(ds.CR, 0)
    assert rig.flags() & ds.TCIF
    assert rig.read(ds.NDTR) == 3
    assert rig.dma.request("DCMI") == 0


def test_memory_to_memory_takes_time(rig: Rig) -> None:
    rig.bus.memory_write(SOURCE, bytes(range(32)))
    rig.write(ds.PAR, SOURCE)
    rig.write(ds.M0AR, TARGET)
    rig.write(ds.NDTR, 8)
    rig.write(ds.CR, M2M | ds.CR_PINC | ds.CR_MINC | psize(4) | msize(4) | ds.CR_EN)
    assert rig.flags() == 0
    assert rig.read(ds.FCR) & ds.FCR_DMDIS
    rig.bus.run(16)
    assert rig.flags() == ds.HTIF
    rig.bus.run(16)
    assert rig.flags() == ds.HTIF | ds.TCIF
    assert rig.target(32) == bytes(range(32))


def test_dma1_copies_no_memory() -> None:
    bus = FakeBus()
    device = Dma("DMA1", IRQS, DMA1_REQUESTS, memory_to_memory=False)
    bus.place(0x4002_6000, device)
    device.write(STREAM + ds.NDTR, 4, 8)
    device.write(STREAM + ds.CR, 4, M2M | ds.CR_EN)
    assert device.read(dma.LISR, 4) >> FLAG_SHIFT == ds.TEIF


def test_flags_of_every_stream_stand_in_their_place() -> None:
    rig = Rig()
    for number, stream in enumerate(rig.dma.streams):
        stream.flags = ds.TCIF
        register = dma.LISR if number < 4 else dma.HISR
        assert rig.dma.read(register, 4) == ds.TCIF << (0, 6, 16, 22)[number % 4]
        rig.dma.write(register + 8, 4, 0xFFFF_FFFF)
        assert rig.dma.read(register, 4) == 0


def test_a_device_that_controls_the_flow_ends_the_stream() -> None:
    """10.3.15: with PFCTRL the hardware forces NDTR to 0xFFFF; the device tells its last."""
    bus = FakeBus()
    device = Dma("DMA2", list(range(8)), {(3, 4): ("SDIO",)}, memory_to_memory=True)
    bus.place(0x4002_6400, device)
    at = dma.FIRST_STREAM + 3 * dma.STREAM_STRIDE
    device.write(at + ds.M0AR, 4, 0x2000_0000)
    device.write(at + ds.CR, 4, 4 << 25 | ds.CR_PFCTRL | ds.CR_EN)
    assert device.read(at + ds.NDTR, 4) == 0xFFFF
    device.end("SDIO")
    assert not device.read(at + ds.CR, 4) & ds.CR_EN
    assert device.read(0x00, 4) == ds.TCIF << 22
