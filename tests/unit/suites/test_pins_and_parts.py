"""Keywords about pins and parts, on a board whose registers the test writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Boardless import Boardless
from boardless.running.evidence import clear, gather, save
from boardless.running.session import BoardSetup
from boardless_sim.boards.board import Attachment
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.errors import BoardlessError
from boardless_sim.parts.tft import Tft
from boardless_sim.peripherals import rcc, timer
from tests.unit.boards.probed_board import ProbedBoard
from tests.unit.running.fake_engine import FakeEngine

ATTACHED = (
    Attachment("led", "PD12"), Attachment("button", "PC13,low"),
    Attachment("ili9341", "fsmc:0x60000000"),
)  # fmt: skip


@pytest.fixture(name="board")
def board_fixture(tmp_path: Path) -> Iterator[ProbedBoard]:
    board = ProbedBoard(tmp_path, replace(REFERENCE, attached=ATTACHED))
    board.enable(rcc.AHB1ENR, 0, 2, 3)
    yield board
    board.engine.close()


@pytest.fixture(name="suite")
def suite_fixture(board: ProbedBoard, monkeypatch: pytest.MonkeyPatch) -> Boardless:
    monkeypatch.setattr(BoardSetup, "power_on", lambda _setup, _image=None: board.engine)
    suite = Boardless()
    suite.power_on_board(Path("app.elf"))
    return suite


def level(board: ProbedBoard, port: str, pin: int) -> int:
    return board.read(port, 0x10) >> pin & 1


def test_a_pin_is_driven_and_let_go(board: ProbedBoard, suite: Boardless) -> None:
    suite.set_pin("PA0", "high")
    assert level(board, "GPIOA", 0) == 1
    suite.pin_should_be("PA0", "high")
    suite.set_pin("PA0", "released")
    with pytest.raises(AssertionError, match="^pin PA0 is low, expected high$"):
        suite.pin_should_be("PA0", "high")


def test_a_pin_that_is_none(suite: Boardless) -> None:
    with pytest.raises(BoardlessError, match="pin 'PD16', expected one of the chip's, as PD12"):
        suite.set_pin("PD16", "high")


def test_a_timer_toggles_a_pin(board: ProbedBoard, suite: Boardless) -> None:
    board.enable(rcc.APB1ENR, 1)
    board.alternate("A6", 2)
    for offset, value in (
        (timer.PSC, 15), (timer.ARR, 999), (timer.CCMR1, 6 << 4), (timer.CCER, 1),
        (timer.CCR1, 500), (timer.EGR, 1), (timer.CR1, 1),
    ):  # fmt: skip
        board.write("TIM3", offset, value)
    suite.pin_should_toggle_at("PA6", "1 kHz")
    with pytest.raises(AssertionError, match="^pin PA6 toggles at 1000 Hz, expected 1500 Hz"):
        suite.pin_should_toggle_at("PA6", "1.5 kHz")


def test_software_toggles_a_pin(board: ProbedBoard, suite: Boardless) -> None:
    """An event of the board's takes the firmware's part."""
    board.field("GPIOD", 0x00, 24, 2, 1)

    def toggle() -> None:
        board.write("GPIOD", 0x14, board.read("GPIOD", 0x14) ^ 1 << 12)
        board.machine.schedule_ns(500_000, toggle)

    board.machine.schedule_ns(500_000, toggle)
    suite.pin_should_toggle_at("PD12", "1 kHz", over=timedelta(milliseconds=20))
    with pytest.raises(AssertionError, match="^pin PA1 toggles at 0 Hz, expected 1000 Hz"):
        suite.pin_should_toggle_at("PA1", "1 kHz", over=timedelta(milliseconds=2))


def test_a_frequency_that_is_none(suite: Boardless) -> None:
    with pytest.raises(BoardlessError, match="frequency '1 s', expected one as 500 Hz or 2.5 kHz"):
        suite.pin_should_toggle_at("PA1", "1 s")


def test_a_bus_is_held_low(board: ProbedBoard, suite: Boardless) -> None:
    with pytest.raises(BoardlessError, match="bus 'I2C1', expected one that has a pin now"):
        suite.hold_bus_low("I2C1")
    for pin in ("B8", "B9"):
        board.alternate(pin, 4, open_drain=True)
        board.field("GPIOB", 0x0C, 2 * int(pin[1:]), 2, 1)
    suite.pin_should_be("PB9", "high")
    suite.hold_bus_low("I2C1")
    suite.pin_should_be("PB8", "low")
    suite.pin_should_be("PB9", "low")
    suite.release_bus("I2C1")
    suite.pin_should_be("PB9", "high")


def test_a_voltage(board: ProbedBoard, suite: Boardless) -> None:
    suite.set_voltage("PA1", 1.65)
    assert board.machine.devices.analog.measured(1, 1) == 0.5


def test_an_led_and_a_button(board: ProbedBoard, suite: Boardless) -> None:
    suite.part_should_be("led", "lit", "False")
    board.field("GPIOD", 0x00, 24, 2, 1)
    board.write("GPIOD", 0x18, 1 << 12)
    with pytest.raises(AssertionError, match="^lit of led is True, expected False$"):
        suite.part_should_be("led", "lit", "False")
    suite.press_button()
    assert level(board, "GPIOC", 13) == 0
    suite.release_button()
    assert level(board, "GPIOC", 13) == 1
    with pytest.raises(BoardlessError, match="part 'led' is no button"):
        suite.press_button("led")
    with pytest.raises(BoardlessError, match="part 'lamp', expected one of led, button, ili9341"):
        suite.get_part("lamp")


def test_a_display_is_held_against_a_picture(
    board: ProbedBoard, suite: Boardless, tmp_path: Path
) -> None:
    panel = board.machine.devices.parts.by_name["ili9341"]
    assert isinstance(panel, Tft)
    panel.asleep, panel.on = False, True
    panel.memory[3, 5] = 0xFFFF
    suite.save_display("ili9341", tmp_path / "screen.png")
    suite.display_should_show("ili9341", tmp_path / "screen.png")
    panel.memory[3, 5] = 0
    with pytest.raises(
        AssertionError, match=r"in 1 pixels, first at column 5, row 3: shows \[0, 0"
    ):
        suite.display_should_show("ili9341", tmp_path / "screen.png")
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "small.png")
    with pytest.raises(AssertionError, match="ili9341 shows 240x320 pixels, .* has 2x2"):
        suite.display_should_show("ili9341", tmp_path / "small.png")


def test_a_failure_leaves_pictures_and_states(board: ProbedBoard, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    save(gather(board.engine, None), folder)
    with Image.open(folder / "part-ili9341.png") as picture:
        assert picture.size == (240, 320)
    assert (folder / "part-states.txt").read_text() == "led: lit False\nbutton: pressed False\n"
    clear(folder)
    assert not folder.exists()


def test_an_engine_without_pins_says_so() -> None:
    with pytest.raises(BoardlessError, match="pins and parts"):
        FakeEngine().bench()
