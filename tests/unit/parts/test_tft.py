"""ILI9341 data sheet 1.11, chapter 8."""

from __future__ import annotations

import numpy as np
import pytest

from boardless_sim.parts import tft
from boardless_sim.parts.tft import Ili9341, St7789, Tft
from boardless_sim.peripherals import rcc
from tests.unit.parts.conftest import Fitted, SpiMaster

pytestmark = pytest.mark.fidelity(device="ILI9341", source="ILI9341 data sheet 1.11")

RED, GREEN = 0xF800, 0x07E0


def woken(panel: Tft) -> Tft:
    panel.command(tft.SLPOUT)
    panel.command(tft.DISPON)
    panel.command(tft.COLMOD)
    panel.data(0x55)
    return panel


def send(panel: Tft, code: int, *data: int) -> None:
    panel.command(code)
    for byte in data:
        panel.data(byte)


def window(panel: Tft, x: tuple[int, int], y: tuple[int, int]) -> None:
    send(panel, tft.CASET, 0, x[0], 0, x[1])
    send(panel, tft.PASET, 0, y[0], 0, y[1])


def test_a_window_is_filled_row_by_row() -> None:
    """8.2.22: the column counts up to EC, then comes the next page."""
    panel = woken(Ili9341())
    window(panel, (10, 11), (20, 21))
    send(panel, tft.RAMWR, 0, 1, 0, 2, 0, 3, 0, 4)
    assert panel.memory[20:22, 10:12].tolist() == [[1, 2], [3, 4]]
    send(panel, tft.RAMWRC, 0, 5)  # behind the last comes the first
    assert panel.memory[20, 10] == 5


@pytest.mark.parametrize(("madctl", "row", "column"), [
    (0, 0, 0), (tft.MADCTL_MX, 0, 239), (tft.MADCTL_MY, 319, 0),
    (tft.MADCTL_MV | tft.MADCTL_MX, 0, 239),
])  # fmt: skip
def test_the_order_of_the_memory(madctl: int, row: int, column: int) -> None:
    """8.2.29: MY, MX and MV choose where the first pixel is."""
    panel = woken(Ili9341())
    send(panel, tft.MADCTL, madctl)
    window(panel, (0, 0), (0, 0))
    send(panel, tft.RAMWR, 0x12, 0x34)
    assert panel.memory[row, column] == 0x1234


def test_a_window_ends_with_the_panel() -> None:
    """8.2.20: an end column of 240 is out of range."""
    panel = woken(Ili9341())
    window(panel, (238, 240), (0, 1))
    send(panel, tft.RAMWR, 0, 1, 0, 2, 0, 3)
    assert panel.memory[0:2, 238:240].tolist() == [[1, 2], [3, 0]]


def test_exchanged_a_row_is_as_long_as_the_panel_is_high() -> None:
    panel = woken(Ili9341())
    send(panel, tft.MADCTL, tft.MADCTL_MV)
    send(panel, tft.CASET, 0, 0, 1, 0x3F)
    send(panel, tft.PASET, 0, 0, 0, 0)
    send(panel, tft.RAMWR, *[0, 7] * 320)
    assert (panel.memory[:, 0] == 7).all()


def test_three_bytes_of_18_bits_are_a_pixel() -> None:
    """8.2.33: 18 bits after a reset."""
    panel = Ili9341()
    send(panel, tft.RAMWR, 0xFC, 0, 0)
    assert panel.memory[0, 0] == RED


@pytest.mark.parametrize("hidden", [[tft.DISPOFF], [tft.SLPIN], [tft.SWRESET]])
def test_off_or_asleep_it_is_dark(hidden: list[int]) -> None:
    panel = woken(Ili9341())
    send(panel, tft.MADCTL, tft.MADCTL_BGR)
    send(panel, tft.RAMWR, RED >> 8, RED & 0xFF)
    assert panel.rgb[0, 0].tolist() == [255, 0, 0]
    panel.command(hidden[0])
    assert not panel.rgb.any()


def test_an_ips_panel_needs_inversion() -> None:
    panel = woken(St7789())
    send(panel, tft.RAMWR, GREEN >> 8, GREEN & 0xFF)
    assert panel.rgb[0, 0].tolist() == [255, 0, 255]
    panel.command(tft.INVON)
    assert panel.rgb[0, 0].tolist() == [0, 255, 0]


def test_on_spi(fitted: Fitted) -> None:
    board, panel = fitted("ili9341", "spi1:PA4,PA3")
    master = SpiMaster(board)
    master.command(tft.SLPOUT)
    master.command(tft.DISPON)
    master.command(tft.COLMOD, 0x55)
    master.command(tft.RAMWR, RED >> 8, RED & 0xFF, 0, 1)
    assert panel.memory[0, :2].tolist() == [RED, 1]
    assert panel.on
    assert panel.drawn == 2
    master.level(3, False)
    master.select(True)
    master.send(tft.RDID4)
    master.level(3, True)
    assert master.send(0, 0, 0, 0) == [0, 0x00, 0x93, 0x41]


@pytest.mark.parametrize(("at", "register", "memory"), [
    ("fsmc:0x60000000", 0, 2), ("fsmc:0x60000000", 0, 0x2_0000),
    ("fsmc:0x60000000", 0x1_FFFE, 0x2_0000), ("fsmc:0x60000000", 0x7_FFFE, 0x8_0000),
    ("fsmc:0x60000000,A16", 0x1234, 0x2_0000),
])  # fmt: skip
def test_on_the_memory_controller(fitted: Fitted, at: str, register: int, memory: int) -> None:
    board, panel = fitted("ili9341", at)
    board.enable(rcc.AHB3ENR, 0)

    def write(offset: int, value: int) -> None:
        board.machine.device_write(0x6000_0000 + offset, 2, value)

    write(register, tft.RAMWR)
    write(memory, RED)
    write(memory, GREEN)
    assert panel.memory[0, :2].tolist() == [RED, GREEN]
    write(register, tft.RDID4)
    answer = [board.machine.device_read(0x6000_0000 + memory, 2) for _ in range(4)]
    assert answer == [0, 0x00, 0x93, 0x41]


def test_a_dma_fills_it(fitted: Fitted) -> None:
    """Memory to memory, the panel's address not incremented: each halfword is a pixel."""
    board, panel = fitted("ili9341", "fsmc:0x60000000")
    board.enable(rcc.AHB3ENR, 0)
    board.enable(rcc.AHB1ENR, 22)
    board.machine.device_write(0x6000_0000, 2, tft.RAMWR)
    board.machine.memory_write(0x2000_1000, np.arange(1, 9, dtype=np.uint16).tobytes())
    stream = 0x10
    for offset, value in ((0x08, 0x2000_1000), (0x0C, 0x6002_0000), (0x04, 8)):
        board.write("DMA2", stream + offset, value)
    board.write("DMA2", stream, 2 << 6 | 1 << 9 | 1 << 11 | 1 << 13 | 1)
    board.run_us(10)
    assert panel.memory[0, :9].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 0]
