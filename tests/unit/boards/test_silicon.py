"""What a real STM32F407 (IDCODE 0x10016413) read back after a write, in the order of that sweep.

Published by w1ne/labwired-core, pull request 222.
"""

from __future__ import annotations

import pytest

from boardless_sim.peripherals import rcc
from tests.unit.boards.probed_board import ProbedBoard

ALL = 0xFFFF_FFFF
READINGS = [
    ("USART2", 0x08, ALL, 0xFFFF), ("USART2", 0x10, ALL, 0x7F6F), ("USART2", 0x14, ALL, 0xFFF),
    ("USART2", 0x18, ALL, 0xFFFF), ("USART2", 0x0C, ALL, 0x3FFD),
    ("I2C1", 0x04, ALL, 0x1F3F), ("I2C1", 0x08, ALL, 0xC3FF), ("I2C1", 0x0C, ALL, 0xFF),
    ("I2C1", 0x1C, ALL, 0xCFFF), ("I2C1", 0x20, ALL, 0x3F), ("I2C1", 0x00, 0x2CFB, 0x2CFB),
    ("RCC", 0x04, ALL, 0x7F43_7FFF), ("RCC", 0x0C, ALL, 0x3F00),
    ("GPIOC", 0x00, ALL, ALL), ("GPIOC", 0x04, ALL, 0xFFFF), ("GPIOC", 0x08, ALL, ALL),
    ("GPIOC", 0x0C, ALL, ALL), ("GPIOC", 0x20, ALL, ALL), ("GPIOC", 0x24, ALL, ALL),
    ("SPI1", 0x04, ALL, 0xF7), ("SPI1", 0x10, ALL, 0xFFFF), ("SPI1", 0x1C, ALL, 0),
    ("SPI1", 0x20, ALL, 0), ("SPI1", 0x00, ALL, 0xEFFF),
    ("EXTI", 0x00, ALL, 0x7F_FFFF), ("EXTI", 0x04, ALL, 0x7F_FFFF), ("EXTI", 0x08, ALL, 0x7F_FFFF),
    ("EXTI", 0x0C, ALL, 0x7F_FFFF),
    ("RCC", 0x30, ALL, 0x7E74_11FF), ("RCC", 0x40, ALL, 0x36FE_C9FF), ("RCC", 0x44, ALL, 0x7_5F33),
]  # fmt: skip


@pytest.mark.fidelity(
    device=READINGS, source="silicon: STM32F407, w1ne/labwired-core pull request 222"
)
def test_registers_hold_what_the_chips_do(board: ProbedBoard) -> None:
    board.enable(rcc.AHB1ENR, 2)
    board.enable(rcc.APB1ENR, 17, 21)
    board.enable(rcc.APB2ENR, 12)
    differing = []
    for device, offset, written, silicon in READINGS:
        board.write(device, offset, written)
        found = board.read(device, offset)
        if found != silicon:
            differing.append((device, hex(offset), hex(found), hex(silicon)))
    assert differing == []


def test_all_31_readings_are_here() -> None:
    assert len(READINGS) == 31
