from __future__ import annotations

import pytest

from boardless_sim.peripherals import usart
from boardless_sim.peripherals.usart import Usart
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="USART", source="RM0090 chapter 30")

IRQ = 38
ON = usart.CR1_UE | usart.CR1_TE | usart.CR1_RE


class Port:
    """USART2 at 115200 baud from 42 MHz (BRR 0x16D: 365 clocks a bit, 1460 core cycles)."""

    bit = 365 * 4

    def __init__(self) -> None:
        self.bus = FakeBus()
        self.device = Usart("USART2", IRQ)
        self.bus.place(0x4000_4400, self.device)
        self.sent: list[tuple[int, int]] = []
        self.device.on_transmit = lambda byte: self.sent.append((byte, self.bus.time))
        self.write(usart.BRR, 0x16D)
        self.write(usart.CR1, ON)

    def write(self, offset: int, value: int) -> None:
        self.device.write(offset, 4, value)

    def read(self, offset: int) -> int:
        return self.device.read(offset, 4)

    def irq(self) -> bool:
        return self.bus.irqs.get(IRQ, False)


@pytest.fixture
def port() -> Port:
    return Port()


def test_reset_value_of_sr() -> None:
    assert Usart("USART2", IRQ).read(usart.SR, 4) == 0xC0


def test_byte_leaves_after_ten_bits_not_before(port: Port) -> None:
    port.read(usart.SR)
    port.write(usart.DR, 0x41)
    assert port.read(usart.SR) & (usart.SR_TXE | usart.SR_TC) == usart.SR_TXE
    port.bus.run(10 * port.bit - 1)
    assert port.sent == []
    port.bus.run(1)
    assert port.sent == [(0x41, 10 * port.bit)]
    assert port.read(usart.SR) & usart.SR_TC


def test_second_byte_waits_in_the_data_register(port: Port) -> None:
    port.write(usart.DR, 1)
    port.write(usart.DR, 2)
    assert not port.read(usart.SR) & usart.SR_TXE
    port.bus.run(10 * port.bit)
    assert port.read(usart.SR) & usart.SR_TXE
    port.bus.run(10 * port.bit)
    assert [byte for byte, _ in port.sent] == [1, 2]


def test_narrow_write_sends_the_byte(port: Port) -> None:
    port.device.write(usart.DR, 1, 0x7E)
    port.bus.run(10 * port.bit)
    assert port.sent[0][0] == 0x7E


@pytest.mark.parametrize(
    ("cr1", "cr2", "half_bits"),
    [
        (0, 0, 20),
        (usart.CR1_M, 0, 22),
        (0, 2 << 12, 22),
        (0, 1 << 12, 19),
        (usart.CR1_M | usart.CR1_PCE, 3 << 12, 23),
    ],
)
def test_frame_length(port: Port, cr1: int, cr2: int, half_bits: int) -> None:
    port.write(usart.CR2, cr2)
    port.write(usart.CR1, ON | cr1)
    assert port.device.frame_cycles() == half_bits * port.bit // 2


def test_over8_counts_eighths(port: Port) -> None:
    port.write(usart.CR1, ON | usart.CR1_OVER8)
    port.write(usart.BRR, 45 << 4 | 5)  # 45.625 x 8 = 365 clocks a bit
    assert port.device.frame_cycles() == 10 * port.bit


def test_parity_takes_a_data_bit(port: Port) -> None:
    port.write(usart.CR1, ON | usart.CR1_PCE)
    port.write(usart.DR, 0xFF)
    port.bus.run(10 * port.bit)
    assert port.sent[0][0] == 0x7F


def test_tc_clears_by_reading_sr_then_writing_dr_or_by_zero(port: Port) -> None:
    port.write(usart.DR, 1)
    assert port.read(usart.SR) & usart.SR_TC  # SR was not read before: TC is still the old one
    port.bus.run(10 * port.bit)
    port.write(usart.SR, ~usart.SR_TC & 0x3FF)
    assert not port.read(usart.SR) & usart.SR_TC


def test_transmit_interrupts_are_levels(port: Port) -> None:
    port.write(usart.CR1, ON | usart.CR1_TXEIE)
    assert port.irq()
    port.write(usart.DR, 1)
    port.write(usart.DR, 2)
    assert not port.irq()
    port.bus.run(10 * port.bit)
    assert port.irq()
    port.write(usart.CR1, ON)
    assert not port.irq()


def test_disabled_transmitter_sends_nothing(port: Port) -> None:
    port.write(usart.CR1, usart.CR1_UE)
    port.write(usart.DR, 1)
    port.bus.run(100 * port.bit)
    assert port.sent == []


def test_received_bytes_come_at_the_baud_rate(port: Port) -> None:
    port.write(usart.CR1, ON | usart.CR1_RXNEIE)
    port.device.receive(b"ab")
    port.bus.run(10 * port.bit - 1)
    assert not port.irq()
    port.bus.run(1)
    assert port.irq()
    assert port.read(usart.DR) == ord("a")
    assert not port.irq()
    port.bus.run(10 * port.bit)
    assert port.read(usart.DR) == ord("b")


def test_bytes_wait_for_the_receiver() -> None:
    port = Port()
    port.write(usart.CR1, 0)
    port.device.receive(b"x")
    port.bus.run(100 * port.bit)
    port.write(usart.CR1, ON)
    port.bus.run(10 * port.bit)
    assert port.read(usart.DR) == ord("x")


def test_overrun_keeps_the_first_byte(port: Port) -> None:
    port.device.receive(b"ab")
    port.bus.run(20 * port.bit)
    assert port.read(usart.SR) & usart.SR_ORE
    assert port.read(usart.DR) == ord("a")
    assert not port.read(usart.SR) & (usart.SR_ORE | usart.SR_RXNE)


def test_idle_one_frame_after_the_last_byte(port: Port) -> None:
    port.device.receive(b"a")
    port.bus.run(20 * port.bit - 1)
    assert not port.read(usart.SR) & usart.SR_IDLE
    port.bus.run(1)
    assert port.read(usart.SR) & usart.SR_IDLE


def test_dma_request_stands_while_txe(port: Port) -> None:
    waiting = list(b"xyz")

    def serve(request: str, units: int) -> int:
        if request != "USART2_TX" or not waiting:
            return 0
        port.device.write(usart.DR, 1, waiting.pop(0))
        return 1

    port.write(usart.CR3, usart.CR3_DMAT)  # nobody listens yet
    port.bus.serve = serve
    port.device.dma_listening("USART2_TX")
    port.bus.run(30 * port.bit)
    assert bytes(byte for byte, _ in port.sent) == b"xyz"
    assert [time for _, time in port.sent] == [n * 10 * port.bit for n in (1, 2, 3)]


def test_dma_takes_received_bytes(port: Port) -> None:
    taken: list[int] = []

    def serve(request: str, units: int) -> int:
        taken.append(port.device.read(usart.DR, 1))
        return 1

    port.bus.serve = serve
    port.write(usart.CR3, usart.CR3_DMAR)
    port.device.receive(b"hello")
    port.bus.run(60 * port.bit)
    assert bytes(taken) == b"hello"
    assert not port.read(usart.SR) & usart.SR_ORE


def test_reset_forgets_what_was_under_way(port: Port) -> None:
    port.write(usart.CR1, ON | usart.CR1_TXEIE)
    port.write(usart.DR, 1)
    port.device.reset()
    port.bus.run(100 * port.bit)
    assert port.sent == []
    assert not port.irq()
    assert port.read(usart.SR) == 0xC0


def test_unmodelled_modes_are_logged(port: Port) -> None:
    port.write(usart.CR3, 1 << 3)
    assert port.bus.log == ["USART2_CR3 write of 0x8"]


def test_a_dma_that_feeds_another_register_does_not_hang(port: Port) -> None:
    port.bus.serve = lambda request, units: 1
    port.write(usart.CR3, usart.CR3_DMAT)
    assert len(port.bus.requests) == 2
