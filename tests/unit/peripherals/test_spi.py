"""RM0090 chapter 28, as quoted."""

from __future__ import annotations

import pytest

from boardless_sim.finding import Check
from boardless_sim.peripherals.links import spi
from boardless_sim.peripherals.links.spi import CR1, CR2, DR, I2SCFGR, I2SPR, SR, Spi
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="SPI", source="RM0090 chapter 28")

MASTER = spi.CR1_MSTR | spi.CR1_SSM | spi.CR1_SSI | spi.CR1_SPE
BYTE_CYCLES = 8 * 2 * 2  # SCK is PCLK2 / 2, PCLK2 half of HCLK
IRQ = 35


class Far:
    """What was sent, and the answers to it."""

    def __init__(self, *answers: int) -> None:
        self.sent: list[tuple[int, int]] = []
        self.answers = list(answers)

    def __call__(self, word: int, bits: int) -> int:
        self.sent.append((word, bits))
        return self.answers.pop(0) if self.answers else 0


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Spi:
    device = Spi("SPI1", IRQ, on_apb2=True, i2s=True)
    bus.place(0x4001_3000, device)
    return device


def test_a_byte_takes_eight_clocks(bus: FakeBus, device: Spi) -> None:
    """28.3.7: RXNE is set when the byte has been shifted in, and BSY goes."""
    device.on_word = far = Far(0x5A)
    device.write(CR1, 4, MASTER)
    device.write(DR, 2, 0xC3)
    assert device.read(SR, 4) == spi.SR_TXE | spi.SR_BSY
    bus.run(BYTE_CYCLES - 1)
    assert device.read(SR, 4) == spi.SR_TXE | spi.SR_BSY
    bus.run(1)
    assert device.read(SR, 4) == spi.SR_TXE | spi.SR_RXNE
    assert device.read(DR, 4) == 0x5A
    assert far.sent == [(0xC3, 8)]


def test_the_second_byte_waits_in_the_buffer(bus: FakeBus, device: Spi) -> None:
    device.on_word = far = Far()
    device.write(CR1, 4, MASTER)
    device.write(DR, 1, 1)
    device.write(DR, 1, 2)
    assert not device.read(SR, 4) & spi.SR_TXE
    bus.run(BYTE_CYCLES)
    assert device.read(SR, 4) & spi.SR_TXE
    bus.run(BYTE_CYCLES)
    assert [word for word, _ in far.sent] == [1, 2]


@pytest.mark.parametrize(("divider", "cycles"), [(0, 32), (3, 256), (7, 4096)])
def test_br_divides_the_clock(bus: FakeBus, device: Spi, divider: int, cycles: int) -> None:
    """28.5.1, BR: fPCLK/2 to fPCLK/256."""
    device.write(CR1, 4, MASTER | divider << 3)
    device.write(DR, 1, 1)
    bus.run(cycles - 1)
    assert not device.read(SR, 4) & spi.SR_RXNE
    bus.run(1)
    assert device.read(SR, 4) & spi.SR_RXNE


def test_a_word_that_nobody_took_stays_and_the_next_is_lost(bus: FakeBus, device: Spi) -> None:
    """28.3.10: OVR is cleared by a read of DR followed by a read of SR."""
    device.on_word = Far(0x11, 0x22)
    device.write(CR1, 4, MASTER)
    device.write(DR, 1, 1)
    device.write(DR, 1, 2)
    bus.run(2 * BYTE_CYCLES)
    assert device.read(SR, 4) & spi.SR_OVR
    assert device.read(SR, 4) & spi.SR_OVR
    assert device.read(DR, 4) == 0x11
    assert device.read(SR, 4) & spi.SR_OVR
    assert not device.read(SR, 4) & spi.SR_OVR


def test_a_master_without_ssi_is_none_any_more(bus: FakeBus, device: Spi) -> None:
    """28.3.10: MODF clears SPE and MSTR; cleared by a read of SR, then a write to CR1."""
    device.write(CR2, 4, spi.CR2_ERRIE)
    device.write(CR1, 4, MASTER & ~spi.CR1_SSI)
    assert device.read(CR1, 4) == spi.CR1_SSM
    assert bus.irqs[IRQ]
    device.write(CR1, 4, MASTER)
    assert device.read(CR1, 4) == MASTER & ~(spi.CR1_MSTR | spi.CR1_SPE)
    assert device.read(SR, 4) & spi.SR_MODF
    device.write(CR1, 4, spi.CR1_SSM | spi.CR1_SSI)
    assert not device.read(SR, 4) & spi.SR_MODF
    device.write(CR1, 4, MASTER)
    assert device.read(CR1, 4) == MASTER


def test_sixteen_bits_and_the_lowest_first(bus: FakeBus, device: Spi) -> None:
    device.on_word = far = Far(0x8001)
    device.write(CR1, 4, MASTER | spi.CR1_DFF | spi.CR1_LSBFIRST)
    device.write(DR, 2, 0x1234)
    bus.run(2 * BYTE_CYCLES)
    assert far.sent == [(0x2C48, 16)]
    assert device.read(DR, 2) == 0x8001


def test_disabled_too_early_the_byte_is_lost(bus: FakeBus, device: Spi) -> None:
    """28.3.8: wait until BSY is 0 before SPE is cleared."""
    device.on_word = far = Far()
    device.write(CR1, 4, MASTER)
    device.write(DR, 1, 1)
    bus.run(BYTE_CYCLES - 1)
    device.write(CR1, 4, MASTER & ~spi.CR1_SPE)
    bus.run(BYTE_CYCLES)
    assert far.sent == []


def test_receive_only_clocks_by_itself(bus: FakeBus, device: Spi) -> None:
    """28.3.8: in RXONLY the clock runs until SPE is cleared; the word in progress comes."""
    device.on_word = Far(7, 8)
    device.write(CR1, 4, MASTER | spi.CR1_RXONLY)
    bus.run(BYTE_CYCLES)
    assert device.read(DR, 4) == 7
    device.write(CR1, 4, (MASTER | spi.CR1_RXONLY) & ~spi.CR1_SPE)
    bus.run(BYTE_CYCLES)
    assert device.read(DR, 4) == 8
    bus.run(10 * BYTE_CYCLES)
    assert not device.read(SR, 4) & spi.SR_RXNE


def test_one_line_out_receives_nothing(bus: FakeBus, device: Spi) -> None:
    device.on_word = far = Far(0xFF)
    device.write(CR1, 4, MASTER | spi.CR1_BIDIMODE | spi.CR1_BIDIOE)
    device.write(DR, 1, 1)
    bus.run(BYTE_CYCLES)
    assert far.sent == [(1, 8)]
    assert not device.read(SR, 4) & spi.SR_RXNE


@pytest.mark.parametrize(("answer", "wrong"), [(0xF4, False), (0xF5, True)])
def test_the_crc_follows_the_last_word(bus: FakeBus, device: Spi, answer: int, wrong: bool) -> None:
    """28.3.6: the polynomial x^8 + x^2 + x + 1 makes 0xF4 of "123456789"."""
    text = b"123456789"
    device.on_word = far = Far(*text, answer)
    device.write(spi.CRCPR, 4, 0x07)
    device.write(CR1, 4, MASTER | spi.CR1_CRCEN)
    for number, byte in enumerate(text):
        device.write(DR, 1, byte)
        if number == len(text) - 1:
            device.write(CR1, 4, MASTER | spi.CR1_CRCEN | spi.CR1_CRCNEXT)
        bus.run(BYTE_CYCLES)
        device.read(DR, 1)
    assert device.read(spi.TXCRCR, 4) == 0xF4
    bus.run(BYTE_CYCLES)
    assert far.sent[-1] == (0xF4, 8)
    assert bool(device.read(SR, 4) & spi.SR_CRCERR) is wrong


def test_dma_moves_both_ways(bus: FakeBus, device: Spi) -> None:
    device.on_word = far = Far(0xA, 0xB)
    to_send, taken = [1, 2], []

    def serve(request: str, units: int) -> int:
        if request == "SPI1_TX" and to_send:
            device.write(DR, 1, to_send.pop(0))
            return 1
        if request == "SPI1_RX":
            taken.append(device.read(DR, 1))
            return 1
        return 0

    bus.serve = serve
    device.write(CR2, 4, spi.CR2_RXDMAEN | spi.CR2_TXDMAEN)
    device.write(CR1, 4, MASTER)
    bus.run(2 * BYTE_CYCLES)
    assert ([word for word, _ in far.sent], taken) == ([1, 2], [0xA, 0xB])


def test_interrupts(bus: FakeBus, device: Spi) -> None:
    device.write(CR2, 4, spi.CR2_RXNEIE)
    device.write(CR1, 4, MASTER)
    device.write(DR, 1, 1)
    assert not bus.irqs.get(IRQ)
    bus.run(BYTE_CYCLES)
    assert bus.irqs[IRQ]
    device.read(DR, 1)
    assert not bus.irqs[IRQ]
    device.write(CR2, 4, spi.CR2_TXEIE)
    assert bus.irqs[IRQ]


def test_without_a_clock_pin_nothing_moves(bus: FakeBus, device: Spi) -> None:
    device.on_word = far = Far(0xFF)
    device.wire(frozenset({"MOSI", "MISO"}))
    device.write(CR1, 4, MASTER)
    device.write(DR, 1, 1)
    bus.run(BYTE_CYCLES)
    assert far.sent == []
    assert bus.findings[0][:2] == (Check.PIN_FUNCTION, "SPI1")


def test_a_slave_waits_for_its_master(bus: FakeBus, device: Spi) -> None:
    device.write(CR1, 4, spi.CR1_SSM | spi.CR1_SPE)
    device.write(DR, 1, 0x42)
    bus.run(1000)
    assert not device.read(SR, 4) & spi.SR_RXNE
    assert device.clock_in(0x24) == 0x42
    assert device.read(DR, 4) == 0x24


def test_a_word_stands_still_without_a_clock(bus: FakeBus, device: Spi) -> None:
    device.write(CR1, 4, MASTER)
    device.write(DR, 1, 1)
    bus.run(BYTE_CYCLES - 10)
    device.clock(False)
    bus.run(1000)
    device.clock(True)
    bus.run(9)
    assert not device.read(SR, 4) & spi.SR_RXNE
    bus.run(1)
    assert device.read(SR, 4) & spi.SR_RXNE


def test_i2s_sends_its_channels_at_the_sampling_frequency(bus: FakeBus, device: Spi) -> None:
    """28.4.4: FS = I2SxCLK / [(16*2) * ((2*I2SDIV)+ODD)]; CHSIDE tells the channel."""
    samples: list[int] = []
    device.on_sample = samples.append
    device.i2s_hz = lambda: 32 * 4 * 48_000
    device.write(I2SPR, 4, 2)
    device.write(I2SCFGR, 4, spi.I2SCFGR_I2SMOD | spi.I2SCFGR_I2SE | 2 << 8)
    device.write(DR, 2, 0x1234)
    assert not device.read(SR, 4) & spi.SR_CHSIDE
    bus.run(168_000_000 // 96_000)
    assert samples == [0x1234]
    assert device.read(SR, 4) & spi.SR_CHSIDE


def test_without_its_pll_i2s_sends_nothing(bus: FakeBus, device: Spi) -> None:
    samples: list[int] = []
    device.on_sample = samples.append
    device.write(I2SPR, 4, 2)
    device.write(I2SCFGR, 4, spi.I2SCFGR_I2SMOD | spi.I2SCFGR_I2SE | 2 << 8)
    device.write(DR, 2, 0x1234)
    bus.run(168_000_000)
    assert samples == []
    assert not device.read(SR, 4) & spi.SR_TXE


def test_a_part_without_i2s_has_none_of_its_registers(bus: FakeBus) -> None:
    device = Spi("SPI1", IRQ, on_apb2=True)
    bus.place(0x4001_3000, device)
    device.write(I2SCFGR, 4, 0xFFF)
    device.write(I2SPR, 4, 0x3FF)
    assert (device.read(I2SCFGR, 4), device.read(I2SPR, 4)) == (0, 0)
