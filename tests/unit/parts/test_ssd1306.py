"""By the SSD1306's data sheet; the numbers of its commands are those of table 9-1."""

from __future__ import annotations

import pytest

from boardless_sim.parts.ssd1306 import HEIGHT, WIDTH, Ssd1306
from tests.unit.parts.conftest import Fitted, SpiMaster

pytestmark = pytest.mark.fidelity(device="SSD1306", source="SSD1306 data sheet")

ON = (0x8D, 0x14, 0xA1, 0xC8, 0xAF)  # charge pump, upright, on


class Clock:
    def __init__(self) -> None:
        self.us = 0.0

    def __call__(self) -> float:
        self.us += 22.5  # a byte at 400 kHz
        return self.us


@pytest.fixture(name="display")
def display_fixture() -> Ssd1306:
    display = Ssd1306(Clock())
    send(display, 0x00, *ON)
    return display


def send(display: Ssd1306, *data: int) -> bool:
    assert display.start(read=False)
    taken = [display.write(byte) for byte in data]
    display.stop()
    return all(taken)


def lit(display: Ssd1306) -> set[tuple[int, int]]:
    pixels = display.pixels()
    return {(i % WIDTH, i // WIDTH) for i, pixel in enumerate(pixels) if pixel}


def test_a_byte_is_eight_rows_of_a_column(display: Ssd1306) -> None:
    send(display, 0x00, 0x20, 0x00, 0x21, 5, 6, 0x22, 1, 2)
    send(display, 0x40, 0x01, 0x80, 0xFF)
    assert lit(display) == {(5, 8), (6, 15), *((5, y) for y in range(16, 24))}


def test_a_window_wraps_back_to_its_first_page(display: Ssd1306) -> None:
    send(display, 0x00, 0x20, 0x00, 0x21, 0, 1, 0x22, 0, 1)
    send(display, 0x40, 0, 0, 0, 0, 0x01)
    assert lit(display) == {(0, 0)}


def test_vertical_addressing_goes_down_first(display: Ssd1306) -> None:
    send(display, 0x00, 0x20, 0x01, 0x21, 0, 1, 0x22, 0, 1)
    send(display, 0x40, 0x01, 0x01, 0x01)
    assert lit(display) == {(0, 0), (0, 8), (1, 0)}


def test_page_addressing_stays_on_its_page(display: Ssd1306) -> None:
    send(display, 0x00, 0xB3, 0x0F, 0x17)  # page 3, column 127
    send(display, 0x40, 0x01, 0x01)
    assert lit(display) == {(127, 24), (0, 24)}


def test_commands_and_data_in_one_transmission(display: Ssd1306) -> None:
    """Section 8.1.5.2: with Co set, one byte follows each control byte."""
    send(display, *(part for byte in (0x20, 0, 0x21, 9, 9, 0x22, 0, 0) for part in (0x80, byte)))
    send(display, 0x80, 0x21, 0x80, 9, 0x80, 9, 0x40, 0x03)
    assert lit(display) == {(9, 0), (9, 1)}


def test_a_drawing_has_its_times_and_a_configuration_is_none(display: Ssd1306) -> None:
    assert display.drawings == []
    send(display, 0x40, 0x01)
    (drawing,) = display.drawings
    assert drawing.begin_us < drawing.end_us
    assert sum(drawing.pixels) == 1


@pytest.mark.parametrize("commands", [(0x8D, 0x10), (0xAE,)])
def test_without_charge_pump_or_off_it_is_dark(display: Ssd1306, commands: tuple[int, ...]) -> None:
    send(display, 0x40, 0xFF)
    assert lit(display)
    send(display, 0x00, *commands)
    assert not lit(display)


def test_inverted_and_all_on(display: Ssd1306) -> None:
    send(display, 0x00, 0xA7)
    assert len(lit(display)) == WIDTH * HEIGHT
    send(display, 0x00, 0xA6, 0xA5)
    assert len(lit(display)) == WIDTH * HEIGHT


def test_a_control_byte_with_other_bits_is_refused(display: Ssd1306) -> None:
    assert not send(display, 0x41)


def test_what_is_not_modelled_is_said(display: Ssd1306) -> None:
    send(display, 0x00, 0x2F)
    assert display.log == ["SSD1306: command 0x2f (scroll) is not modelled"]


def test_it_cannot_be_read(display: Ssd1306) -> None:
    assert not display.start(read=True)


def test_on_spi_a_pin_tells_data_from_commands(fitted: Fitted) -> None:
    """8.1.3: D/C# is sampled with each byte."""
    board, display = fitted("ssd1306", "spi1:PA4,PA3")
    master = SpiMaster(board)
    master.level(3, False)
    master.transfer(0xAF, 0x8D, 0x14, 0xA1, 0xC8)
    master.level(3, True)
    master.transfer(0x01)
    assert lit(display) == {(0, 0)}
    assert len(display.drawings) == 1
