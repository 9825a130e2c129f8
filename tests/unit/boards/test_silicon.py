"""What a real STM32F407 answered (IDCODE 0x10016413), register by register.

Read back after the device's clock was enabled and the value written, as w1ne/labwired-core
published it (pull request 222): facts, none of its text. A bit that the part does not implement
reads 0, whatever was written.
"""

from __future__ import annotations

import pytest

from tests.unit.boards.probed_board import ProbedBoard

ONES = 0xFFFF_FFFF
# In the order of the sweep: CR2 and CR3 of the USART held ones when CR1 was written.
USART2 = [
    ("USART2", 0x08, ONES, 0xFFFF), ("USART2", 0x10, ONES, 0x7F6F), ("USART2", 0x14, ONES, 0xFFF),
    ("USART2", 0x18, ONES, 0xFFFF), ("USART2", 0x0C, ONES, 0x3FFD),
]  # fmt: skip
READINGS = [
    ("USART2", 0x08, ONES, 0xFFFF), ("USART2", 0x10, ONES, 0x7F6F), ("USART2", 0x14, ONES, 0xFFF),
    ("USART2", 0x18, ONES, 0xFFFF),
    ("I2C1", 0x04, ONES, 0x1F3F), ("I2C1", 0x08, ONES, 0xC3FF), ("I2C1", 0x0C, ONES, 0xFF),
    ("I2C1", 0x1C, ONES, 0xCFFF), ("I2C1", 0x20, ONES, 0x3F), ("I2C1", 0x00, 0x2CFB, 0x2CFB),
    ("RCC", 0x04, ONES, 0x7F43_7FFF), ("RCC", 0x0C, ONES, 0x3F00),
    ("GPIOC", 0x00, ONES, ONES), ("GPIOC", 0x04, ONES, 0xFFFF), ("GPIOC", 0x08, ONES, ONES),
    ("GPIOC", 0x0C, ONES, ONES), ("GPIOC", 0x20, ONES, ONES), ("GPIOC", 0x24, ONES, ONES),
    ("EXTI", 0x00, ONES, 0x7F_FFFF), ("EXTI", 0x04, ONES, 0x7F_FFFF),
    ("EXTI", 0x08, ONES, 0x7F_FFFF), ("EXTI", 0x0C, ONES, 0x7F_FFFF),
    ("RCC", 0x30, ONES, 0x7E74_11FF), ("RCC", 0x40, ONES, 0x36FE_C9FF),
    ("RCC", 0x44, ONES, 0x0007_5F33),
]  # fmt: skip
# Of a device that has no model: nothing answers for it, and the run says so.
NOT_MODELLED = [
    ("SPI1", 0x04, 0xF7), ("SPI1", 0x10, 0xFFFF), ("SPI1", 0x1C, 0x0), ("SPI1", 0x20, 0x0),
    ("SPI1", 0x00, 0xEFFF),
]  # fmt: skip
SPI1 = 0x4001_3000
CLOCKS = {0x30: 0x7, 0x40: 1 << 17 | 1 << 21 | 1 << 28, 0x44: 1 << 14 | 1 << 12}


@pytest.fixture(name="clocked")
def clocked_fixture(board: ProbedBoard) -> ProbedBoard:
    for register, bits in CLOCKS.items():
        board.set_bits("RCC", register, bits)
    return board


@pytest.mark.fidelity(
    device=READINGS, source="silicon: STM32F407, w1ne/labwired-core pull request 222"
)
@pytest.mark.parametrize(("device", "offset", "written", "silicon"), READINGS)
def test_a_register_reads_back_what_the_silicon_did(
    clocked: ProbedBoard, device: str, offset: int, written: int, silicon: int
) -> None:
    clocked.write(device, offset, written)
    assert clocked.read(device, offset) == silicon


@pytest.mark.fidelity(
    device="USART", source="silicon: STM32F407, w1ne/labwired-core pull request 222"
)
def test_over8_is_forced_to_0_by_the_modes_that_lack_it(clocked: ProbedBoard) -> None:
    """ "When SCEN=1, IREN=1 or LINEN=1 then OVER8 is forced to '0 by hardware" (RM0090 30.6.4)."""
    for device, offset, written, silicon in USART2:
        clocked.write(device, offset, written)
        assert clocked.read(device, offset) == silicon


@pytest.mark.parametrize(("device", "offset", "silicon"), NOT_MODELLED)
def test_what_is_not_modelled_says_so(
    clocked: ProbedBoard, device: str, offset: int, silicon: int
) -> None:
    clocked.machine.device_write(SPI1 + offset, 4, ONES)
    assert clocked.machine.device_read(SPI1 + offset, 4) == 0
    assert clocked.found() == [("unmodelled", device)], f"the silicon says {silicon:#x}"


def test_all_31_readings_are_here() -> None:
    assert len(READINGS) + 1 + len(NOT_MODELLED) == 31
