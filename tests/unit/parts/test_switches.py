from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.board import Attachment
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.errors import BoardError
from boardless_sim.peripherals import rcc, timer
from tests.unit.boards.probed_board import ProbedBoard
from tests.unit.parts.conftest import Fitted


@pytest.mark.parametrize(("at", "level"), [("PD12", True), ("PD12,low", False)])
def test_an_led_notes_when_it_changes(fitted: Fitted, at: str, level: bool) -> None:
    board, led = fitted("led", at)
    board.enable(rcc.AHB1ENR, 3)
    board.write("GPIOD", 0x18, 1 << (28 if level else 12))
    board.field("GPIOD", 0x00, 24, 2, 1)
    assert not led.lit
    board.run_us(100)
    board.write("GPIOD", 0x18, 1 << (12 if level else 28))
    assert led.lit
    assert [change.lit for change in led.changes] == [False, True]
    assert 100 <= led.changes[1].time_us < 110


@pytest.mark.parametrize(("at", "levels"), [("PC13", (0, 1, 0)), ("PC13,low", (1, 0, 1))])
def test_a_button(fitted: Fitted, at: str, levels: tuple[int, ...]) -> None:
    board, button = fitted("button", at)
    board.enable(rcc.AHB1ENR, 2)
    found = [board.read("GPIOC", 0x10) >> 13 & 1]
    for act in (button.press, button.release):
        act()
        found.append(board.read("GPIOC", 0x10) >> 13 & 1)
    assert tuple(found) == levels


def test_a_servo_follows_a_channel(fitted: Fitted) -> None:
    board, servo = fitted("servo", "TIM3_CH1")
    board.enable(rcc.APB1ENR, 1)
    board.alternate("A6", 2)
    for offset, value in (
        (timer.PSC, 15), (timer.ARR, 19_999), (timer.CCMR1, 6 << 4), (timer.CCER, 1),
        (timer.CCR1, 1500), (timer.EGR, 1), (timer.CR1, 1),
    ):  # fmt: skip
        board.write("TIM3", offset, value)
    assert servo.angle == 90


@pytest.mark.parametrize(("device", "at", "message"), [
    ("led", "PD12,red", "led: 'PD12,red', expected PD12 or PD12,low"),
    ("servo", "PA6", "servo: 'PA6', expected a channel of a timer, as TIM3_CH1"),
    ("w25q64", "i2c1:PA4", "w25q64: bus 'i2c1:PA4', expected one of spi2, spi3, spi1, with a"),
    ("ili9341", "spi1", "ili9341: 'spi1', expected fsmc:0x60000000 or spi1:PA4,PD13"),
])  # fmt: skip
def test_a_place_that_is_none(tmp_path: Path, device: str, at: str, message: str) -> None:
    with pytest.raises(BoardError, match=message):
        ProbedBoard(tmp_path, replace(REFERENCE, attached=(Attachment(device, at),)))
