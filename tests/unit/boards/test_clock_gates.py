"""Clock gates: "Before using a peripheral you have to enable its clock in the RCC_AHBxENR or
RCC_APBxENR register" (RM0090 section 2.3)."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals import dma, dma_stream, gpio, i2c, rcc, timer, usart
from boardless_sim.peripherals.links import spi
from tests.unit.boards.probed_board import ProbedBoard

# Device, a register of it that keeps what is written, its bit, its enable register.
GATED = [
    ("GPIOC", gpio.MODER, 2, rcc.AHB1ENR), ("CRC", 0x04, 12, rcc.AHB1ENR),
    ("DMA1", dma.FIRST_STREAM + dma_stream.PAR, 21, rcc.AHB1ENR),
    ("DMA2", dma.FIRST_STREAM + dma_stream.PAR, 22, rcc.AHB1ENR),
    ("DCMI", 0x18, 0, rcc.AHB2ENR), ("TIM2", timer.ARR, 0, rcc.APB1ENR),
    ("USART2", usart.BRR, 17, rcc.APB1ENR), ("I2C1", i2c.TRISE, 21, rcc.APB1ENR),
    ("PWR", 0x00, 28, rcc.APB1ENR), ("USART1", usart.BRR, 4, rcc.APB2ENR),
    ("SYSCFG", 0x08, 14, rcc.APB2ENR), ("WWDG", 0x04, 11, rcc.APB1ENR),
    ("FSMC", 0x04, 0, rcc.AHB3ENR), ("SPI1", spi.CRCPR, 12, rcc.APB2ENR),
    ("DAC", 0x08, 29, rcc.APB1ENR), ("OTG_FS", 0x024, 7, rcc.AHB2ENR),
    ("OTG_HS", 0xE00, 29, rcc.AHB1ENR), ("SDIO", 0x08, 11, rcc.APB2ENR),
    ("CAN1", 0x240, 25, rcc.APB1ENR),
]  # fmt: skip


@pytest.mark.fidelity(device=GATED, behaviour="dead while unclocked", source="RM0090 2.3")
@pytest.mark.parametrize(("device", "offset", "bit", "enable"), GATED)
def test_dead_while_gated(
    board: ProbedBoard, device: str, offset: int, bit: int, enable: int
) -> None:
    board.write(device, offset, 0x11)
    assert board.read(device, offset) == 0
    assert board.found() == [("clock-gate", device)] * 2  # a lost write, a read
    board.enable(enable, bit)
    assert board.read(device, offset) != 0x11  # the write before is lost
    board.write(device, offset, 0x11)
    assert board.read(device, offset) & 0x11 == 0x11
    assert len(board.found()) == 2


@pytest.mark.fidelity(device="DMA")
def test_a_stream_may_be_enabled_before_its_device_has_a_clock(board: ProbedBoard) -> None:
    """The stream holds an address (RM0090 10.5.6), not the device that answers there now."""
    board.enable(rcc.AHB1ENR, 21)
    stream = dma.FIRST_STREAM + 5 * dma.STREAM_STRIDE
    board.machine.memory_write(0x2000_1000, b"\x12\x34")
    for offset, value in (
        (dma_stream.PAR, board.address("DAC", 0x10)), (dma_stream.M0AR, 0x2000_1000),
        (dma_stream.NDTR, 2), (dma_stream.CR, 7 << 25 | 1 << 10 | 1 << 6 | dma_stream.CR_EN),
    ):  # fmt: skip
        board.write("DMA1", stream + offset, value)
    board.enable(rcc.APB1ENR, 29)
    board.write("DAC", 0x00, 0x103D)  # DMAEN, by software, TEN, EN
    board.write("DAC", 0x04, 1)
    assert board.read("DAC", 0x10) == 0x12


@pytest.mark.fidelity(device="RNG", behaviour="dead while unclocked", source="RM0090 2.3")
def test_the_rng_is_dead_while_gated(board: ProbedBoard) -> None:
    board.write("RNG", 0x00, 4)
    board.run_us(100)
    assert board.read("RNG", 0x08) == 0
    board.enable(rcc.AHB2ENR, 6)
    assert board.read("RNG", 0x00) == 0  # the write before is lost


UNGATED = [("EXTI", 0x00), ("IWDG", 0x08), ("FLASH", 0x00), ("RCC", 0x00)]


@pytest.mark.fidelity(device=UNGATED, behaviour="has no clock gate", source="RM0090 7.3")
@pytest.mark.parametrize(("device", "offset"), UNGATED)
def test_what_has_no_gate_answers_always(board: ProbedBoard, device: str, offset: int) -> None:
    board.read(device, offset)
    assert board.found() == []


@pytest.mark.fidelity(device="I2C")
def test_in_reset_a_device_reads_zero_and_loses_writes(board: ProbedBoard) -> None:
    """RCC_APB1RSTR: "1: resets I2C1" for as long as it is set (section 7.3.8)."""
    board.enable(rcc.APB1ENR, 21)
    board.write("I2C1", i2c.TRISE, 0x11)
    board.enable(rcc.APB1RSTR, 21)
    board.write("I2C1", i2c.TRISE, 0x12)
    assert board.read("I2C1", i2c.TRISE) == 0
    assert "held in reset (RCC_APB1RSTR)" in board.engine.findings()[0].text
    board.write("RCC", rcc.APB1RSTR, 0)
    assert board.read("I2C1", i2c.TRISE) == 2  # the reset value


@pytest.mark.fidelity(device="TIM")
def test_a_timer_stands_still_without_its_clock(board: ProbedBoard) -> None:
    board.enable(rcc.APB1ENR, 0)
    board.write("TIM2", timer.CR1, timer.CR1_CEN)
    board.run_us(10)
    board.write("RCC", rcc.APB1ENR, 0)
    board.run_us(1000)
    board.enable(rcc.APB1ENR, 0)
    assert 150 <= board.read("TIM2", timer.CNT) <= 170


@pytest.mark.fidelity(device="USART")
def test_a_word_on_its_way_waits_for_the_clock(board: ProbedBoard) -> None:
    board.enable(rcc.APB1ENR, 17)
    board.alternate("A2", 7)
    sent: list[int] = []
    board.machine.devices.usarts["USART2"].on_transmit = sent.append
    board.write("USART2", usart.BRR, 139)
    board.write("USART2", usart.CR1, usart.CR1_UE | usart.CR1_TE)
    board.write("USART2", usart.DR, 0x41)
    board.write("RCC", rcc.APB1ENR, 0)
    board.run_us(500)
    assert sent == []
    board.enable(rcc.APB1ENR, 17)
    board.run_us(86)
    assert sent == []
    board.run_us(2)
    assert sent == [0x41]


@pytest.mark.fidelity(device="RCC")
@pytest.mark.parametrize(
    ("register", "implemented"),
    [
        # What a real F407 answered after all ones were written (IDCODE 0x10016413).
        (rcc.AHB1ENR, 0x7E74_11FF),
        (rcc.APB1ENR, 0x36FE_C9FF),
        (rcc.APB2ENR, 0x0007_5F33),
        (rcc.PLLCFGR, 0x7F43_7FFF),
        # Sections 7.3.5, 7.3.6 and 7.3.9: a device without a reset bit has none.
        (rcc.AHB1RSTR, 0x2260_11FF),
        (rcc.APB2RSTR, 0x0007_5933),
    ],
)
def test_bits_that_the_part_lacks_read_zero(
    board: ProbedBoard, register: int, implemented: int
) -> None:
    before = board.read("RCC", register)
    board.write("RCC", register, 0xFFFF_FFFF)
    if register == rcc.PLLCFGR:
        assert before == 0x2400_3010
    assert board.read("RCC", register) == implemented
