from __future__ import annotations

import pytest

from boardless_sim.peripherals import i2c
from boardless_sim.peripherals.i2c import I2c
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="I2C", source="RM0090 chapter 27")

EVENT_IRQ, ERROR_IRQ = 31, 32
PE, ACK = i2c.CR1_PE, i2c.CR1_ACK


class Memory:
    """A target of registers: a write sets the address, then values."""

    address = 0x50

    def __init__(self) -> None:
        self.cells = bytearray(range(16))
        self.pointer: int | None = None
        self.trace: list[str] = []
        self.refuse_byte = False

    def start(self, read: bool) -> bool:
        self.trace.append("read" if read else "write")
        if not read:
            self.pointer = None
        return True

    def write(self, byte: int) -> bool:
        if self.pointer is None:
            self.pointer = byte
        else:
            self.cells[self.pointer] = byte
            self.pointer += 1
        return not self.refuse_byte

    def read(self) -> int:
        pointer = self.pointer or 0
        self.pointer = pointer + 1
        return self.cells[pointer]

    def stop(self) -> None:
        self.trace.append("stop")


class Master:
    """I2C1 at 100 kHz from 42 MHz: CCR 210, 1680 core cycles a bit."""

    bit = 2 * 210 * 4

    def __init__(self) -> None:
        self.bus = FakeBus()
        self.device = I2c("I2C1", EVENT_IRQ, ERROR_IRQ)
        self.target = Memory()
        self.bus.place(0x4000_5400, self.device)
        self.device.connect(self.target)
        self.write(i2c.CCR, 210)
        self.write(i2c.CR1, PE | ACK)

    def write(self, offset: int, value: int) -> None:
        self.device.write(offset, 4, value)

    def read(self, offset: int) -> int:
        return self.device.read(offset, 4)

    def control(self, bits: int, *, clear: int = 0) -> None:
        self.write(i2c.CR1, (self.read(i2c.CR1) & ~clear) | bits)

    def wait(self, flag: int) -> None:
        for _ in range(40):
            if self.read(i2c.SR1) & flag:
                return
            self.bus.run(self.bit)
        raise AssertionError(f"SR1 {self.read(i2c.SR1):#x}, expected {flag:#x}")

    def start(self, address: int) -> None:
        self.control(i2c.CR1_START)
        self.wait(i2c.SR1_SB)
        self.write(i2c.DR, address)

    def clear_addr(self) -> None:
        self.read(i2c.SR1)
        self.read(i2c.SR2)

    def stop(self) -> None:
        self.control(i2c.CR1_STOP)
        self.bus.run(self.bit)

    def send(self, *data: int) -> None:
        self.start(self.target.address << 1)
        self.wait(i2c.SR1_ADDR)
        self.clear_addr()
        for byte in data:
            self.wait(i2c.SR1_TXE)
            self.write(i2c.DR, byte)
        self.wait(i2c.SR1_BTF)


@pytest.fixture
def master() -> Master:
    return Master()


def test_start_takes_one_bit_and_marks_the_bus_busy(master: Master) -> None:
    master.control(i2c.CR1_START)
    master.bus.run(master.bit - 1)
    assert not master.read(i2c.SR1) & i2c.SR1_SB
    master.bus.run(1)
    assert master.read(i2c.SR1) & i2c.SR1_SB
    assert master.read(i2c.SR2) == i2c.SR2_MSL | i2c.SR2_BUSY
    assert not master.read(i2c.CR1) & i2c.CR1_START


def test_write_two_bytes(master: Master) -> None:
    master.send(3, 0xEE)
    assert master.target.cells[3] == 0xEE
    master.stop()
    assert master.target.trace == ["write", "stop"]
    assert master.read(i2c.SR2) == 0
    assert not master.read(i2c.SR1) & (i2c.SR1_TXE | i2c.SR1_BTF)


def test_dr_may_be_read_between_sr1_and_the_address(master: Master) -> None:
    """SB: "cleared by reading SR1 followed by writing DR" (RM0090 27.6.6); a driver that changes
    bits of DR reads it before."""
    master.control(i2c.CR1_START)
    master.wait(i2c.SR1_SB)
    master.read(i2c.DR)
    master.write(i2c.DR, master.target.address << 1)
    master.wait(i2c.SR1_ADDR)


def test_byte_time_is_nine_bits(master: Master) -> None:
    master.send(3)
    master.write(i2c.DR, 0xEE)
    master.bus.run(9 * master.bit - 1)
    assert master.target.cells[3] == 3
    master.bus.run(1)
    assert master.target.cells[3] == 0xEE


@pytest.mark.parametrize(
    ("ccr", "clocks"),
    [(210, 420), (i2c.CCR_FS | 35, 105), (i2c.CCR_FS | i2c.CCR_DUTY | 4, 100)],
)
def test_scl_period(master: Master, ccr: int, clocks: int) -> None:
    master.write(i2c.CCR, ccr)
    master.control(i2c.CR1_START)
    master.bus.run(clocks * 4 - 1)
    assert not master.read(i2c.SR1) & i2c.SR1_SB
    master.bus.run(1)
    assert master.read(i2c.SR1) & i2c.SR1_SB


def test_nobody_at_the_address(master: Master) -> None:
    master.write(i2c.CR2, i2c.CR2_ITERREN)
    master.start(0x22)
    master.wait(i2c.SR1_AF)
    assert master.bus.irqs[ERROR_IRQ]
    assert not master.read(i2c.SR1) & i2c.SR1_ADDR
    master.write(i2c.SR1, ~i2c.SR1_AF & 0xFFFF)
    assert not master.bus.irqs[ERROR_IRQ]
    master.stop()
    assert not master.read(i2c.SR2) & i2c.SR2_BUSY


def test_refused_byte_sets_af(master: Master) -> None:
    master.send(3)
    master.target.refuse_byte = True
    master.write(i2c.DR, 1)
    master.wait(i2c.SR1_AF)
    assert not master.read(i2c.SR1) & i2c.SR1_BTF


def read_after_addr(master: Master, pointer: int) -> None:
    master.send(pointer)
    master.stop()
    master.start(master.target.address << 1 | 1)
    master.wait(i2c.SR1_ADDR)


def test_read_one_byte(master: Master) -> None:
    read_after_addr(master, 5)
    master.control(0, clear=ACK)
    master.clear_addr()
    master.control(i2c.CR1_STOP)
    master.wait(i2c.SR1_RXNE)
    assert master.read(i2c.DR) == 5
    master.bus.run(20 * master.bit)
    assert not master.read(i2c.SR1) & i2c.SR1_RXNE
    assert master.target.trace == ["write", "stop", "read", "stop"]


def test_read_two_bytes_with_pos(master: Master) -> None:
    read_after_addr(master, 6)
    master.control(i2c.CR1_POS)
    master.clear_addr()
    master.control(0, clear=ACK)
    master.wait(i2c.SR1_BTF)
    master.control(i2c.CR1_STOP)
    assert [master.read(i2c.DR), master.read(i2c.DR)] == [6, 7]
    master.bus.run(30 * master.bit)
    assert master.target.pointer == 8  # no third byte was clocked
    assert not master.read(i2c.SR2) & i2c.SR2_BUSY


def test_read_three_bytes_by_btf(master: Master) -> None:
    read_after_addr(master, 1)
    master.clear_addr()
    master.wait(i2c.SR1_BTF)  # 1 in DR, 2 in the shift register, clock stretched
    master.control(0, clear=ACK)
    got = [master.read(i2c.DR)]
    master.control(i2c.CR1_STOP)
    got.append(master.read(i2c.DR))
    master.wait(i2c.SR1_RXNE)
    got.append(master.read(i2c.DR))
    master.bus.run(30 * master.bit)
    assert got == [1, 2, 3]
    assert master.target.pointer == 4


def test_unread_bytes_stretch_the_clock(master: Master) -> None:
    read_after_addr(master, 0)
    master.clear_addr()
    master.bus.run(200 * master.bit)
    assert master.target.pointer == 2


def test_repeated_start(master: Master) -> None:
    master.send(9)
    master.start(master.target.address << 1 | 1)
    master.wait(i2c.SR1_ADDR)
    master.control(0, clear=ACK)
    master.clear_addr()
    master.control(i2c.CR1_STOP)
    master.wait(i2c.SR1_RXNE)
    assert master.read(i2c.DR) == 9
    assert master.target.trace == ["write", "read"]


def test_stop_waits_until_addr_is_cleared(master: Master) -> None:
    master.start(master.target.address << 1)
    master.wait(i2c.SR1_ADDR)
    master.control(i2c.CR1_STOP)
    master.bus.run(20 * master.bit)
    assert "stop" not in master.target.trace
    master.clear_addr()
    master.bus.run(master.bit)
    assert "stop" in master.target.trace


def test_event_interrupt_follows_its_flags(master: Master) -> None:
    master.write(i2c.CR2, i2c.CR2_ITEVTEN)
    master.control(i2c.CR1_START)
    master.bus.run(master.bit)
    assert master.bus.irqs[EVENT_IRQ]
    master.read(i2c.SR1)
    master.write(i2c.DR, master.target.address << 1)
    assert not master.bus.irqs[EVENT_IRQ]
    master.wait(i2c.SR1_ADDR)
    assert master.bus.irqs[EVENT_IRQ]
    master.clear_addr()
    assert not master.bus.irqs[EVENT_IRQ]  # TXE needs ITBUFEN too
    master.write(i2c.CR2, i2c.CR2_ITEVTEN | i2c.CR2_ITBUFEN)
    assert master.bus.irqs[EVENT_IRQ]


def test_dma_feeds_the_transmitter(master: Master) -> None:
    data = [4, 0x77, 0x88]

    def serve(request: str, units: int) -> int:
        assert request == "I2C1_TX"
        if not data:
            return 0
        master.write(i2c.DR, data.pop(0))
        return 1

    master.bus.serve = serve
    master.write(i2c.CR2, i2c.CR2_DMAEN)
    master.start(master.target.address << 1)
    master.wait(i2c.SR1_ADDR)
    master.clear_addr()
    master.wait(i2c.SR1_BTF)
    assert master.target.cells[4:6] == b"\x77\x88"


def test_software_reset_frees_the_bus(master: Master) -> None:
    master.send(3)
    master.write(i2c.CR1, i2c.CR1_SWRST)
    assert master.read(i2c.SR1) == 0
    assert master.read(i2c.SR2) == 0
    master.write(i2c.CR1, 0)
    assert master.read(i2c.CCR) == 0


def test_lost_arbitration_ends_the_transfer(master: Master) -> None:
    master.write(i2c.CR2, i2c.CR2_ITERREN)
    master.send(3)
    master.device.lose_arbitration()
    assert master.bus.irqs[ERROR_IRQ]
    assert master.read(i2c.SR1) & i2c.SR1_ARLO
    assert master.read(i2c.SR2) == 0
