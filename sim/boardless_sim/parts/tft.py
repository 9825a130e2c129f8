"""TFT panels of 16-bit colour: ILI9341 and ST7789, on the memory controller or on SPI.

The commands are those that both share (ILI9341 data sheet 1.11, chapter 8; ST7789V 1.6, chapter 9);
what sets up voltages, gamma and timing is taken and does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from boardless_sim.errors import BoardError
from boardless_sim.parts.part import PinWire, Wires

SHORT_SIDE, LONG_SIDE = 240, 320
SWRESET, SLPIN, SLPOUT, INVOFF, INVON, DISPOFF, DISPON = 0x01, 0x10, 0x11, 0x20, 0x21, 0x28, 0x29
CASET, PASET, RAMWR, RAMRD, MADCTL, COLMOD, RAMWRC = 0x2A, 0x2B, 0x2C, 0x2E, 0x36, 0x3A, 0x3C
RDDID, RDDST, RDDPM, RDMADCTL, RDPIXFMT, RDID4 = 0x04, 0x09, 0x0A, 0x0B, 0x0C, 0xD3
MADCTL_MY, MADCTL_MX, MADCTL_MV, MADCTL_BGR = 1 << 7, 1 << 6, 1 << 5, 1 << 3
_BITS_18 = 6  # of COLMOD: three bytes a pixel on SPI
_WINDOW = 8 << 20  # of the memory controller's bank
_MEMORY_PLACE = re.compile(r"((?:fsmc|fmc):0x[0-9a-f]+)(?:,A(\d+))?", re.IGNORECASE)


class Tft:
    """A panel of 240 by 320 pixels. Subclasses say who they are."""

    identity: ClassVar[bytes] = bytes(3)  # what RDDID reads, behind a dummy byte
    identity_4: ClassVar[bytes] = b""  # what RDID4 reads
    colours_are_inverted: ClassVar[bool] = False  # an IPS panel shows the negative without INVON

    def __init__(self) -> None:
        self.memory: NDArray[np.uint16] = np.zeros((LONG_SIDE, SHORT_SIDE), np.uint16)
        self._now_ns: Callable[[], int] = lambda: 0
        self._data_pin: PinWire | None = None
        self._register_line: int | None = None
        self._base = 0
        self.drawn = 0  # pixels, since power-on
        self.last_drawn_us = 0.0
        self.restart()

    def restart(self) -> None:
        """As after a pulse on RESX: asleep and off; the memory keeps what it had."""
        self.on, self.asleep, self.inverted = False, True, False
        self._madctl, self._colmod = 0, _BITS_18
        self._columns, self._rows = (0, SHORT_SIDE - 1), (0, LONG_SIDE - 1)
        self._x = self._y = 0
        self._command = 0
        self._arguments: list[int] = []
        self._pending: list[int] = []  # bytes of a pixel that is not whole yet
        self._answer: list[int] = []

    def attach(self, wires: Wires, at: str) -> None:
        """At "fsmc:0x60000000" (the line that tells data apart behind it, ",A16") or
        "spi1:PA4,PD13": chip select and D/CX.
        """
        self._now_ns = wires.now_ns
        match = _MEMORY_PLACE.fullmatch(at)
        if match is not None:
            wires.memory(match[1], _WINDOW, self)
            self._base = int(match[1].partition(":")[2], 16)
            self._register_line = None if match[2] is None else int(match[2])
            return
        place, comma, data_pin = at.rpartition(",")
        if not comma:
            raise BoardError(f"{at!r}, expected fsmc:0x60000000 or spi1:PA4,PD13")
        self._data_pin = wires.pin(data_pin)
        wires.spi(place, self)

    # What it shows

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """What can be seen, upright as the panel stands: rows, columns, red, green, blue."""
        if not self.on or self.asleep:
            return np.zeros((*self.memory.shape, 3), np.uint8)
        colours = self.memory if self._is_positive else ~self.memory
        red, green, blue = (colours >> 11) & 31, (colours >> 5) & 63, colours & 31
        if self._madctl & MADCTL_BGR and not self._bgr_is_natural:
            red, blue = blue, red
        return np.dstack((red * 255 // 31, green * 255 // 63, blue * 255 // 31)).astype(np.uint8)

    @property
    def _is_positive(self) -> bool:
        return self.inverted is self.colours_are_inverted

    @property
    def _bgr_is_natural(self) -> bool:
        """The glass of an ILI9341 has its stripes the other way: with BGR set red is red."""
        return not self.colours_are_inverted

    # MemoryTarget

    def read(self, address: int, size: int) -> int:
        return self._next_answer() if self._is_data(address) else 0

    def write(self, address: int, size: int, value: int) -> None:
        if not self._is_data(address):
            self.command(value & 0xFF)
        elif self._command in (RAMWR, RAMWRC):
            if size == 1:
                self.data(value)
            else:
                self._draw(value & 0xFFFF)
        else:
            self.data(value & 0xFF)

    def _is_data(self, address: int) -> bool:
        """By the line that RS hangs on, of a bus of 16 bits; else by the usual pairs of addresses:
        the base or what lies below a power of two is the register.
        """
        offset = address - self._base
        if self._register_line is not None:
            return bool(offset >> (self._register_line + 1) & 1)
        return offset == 2 or not (offset == 0 or (offset + 2) & (offset + 1) == 0)

    # SpiTarget

    def select(self) -> None:
        pass

    def deselect(self) -> None:
        pass

    def exchange(self, byte: int) -> int:
        if self._data_pin is None or not self._data_pin.level():
            self.command(byte)
            return 0
        answer = self._next_answer()
        self.data(byte)
        return answer

    # Commands

    def command(self, code: int) -> None:
        """A byte with D/CX low."""
        self._command = code
        self._arguments.clear()
        self._pending.clear()
        if code == SWRESET:
            self.restart()
        elif code in (SLPIN, SLPOUT):
            self.asleep = code == SLPIN
        elif code in (INVOFF, INVON):
            self.inverted = code == INVON
        elif code in (DISPOFF, DISPON):
            self.on = code == DISPON
        elif code in (RAMWR, RAMRD):
            self._x, self._y = self._columns[0], self._rows[0]
        self._answer = list(self._answer_to(code))

    def data(self, byte: int) -> None:
        """A byte with D/CX high."""
        if self._command in (RAMWR, RAMWRC):
            self._take_pixel(byte)
            return
        self._arguments.append(byte)
        arguments = self._arguments
        if self._command == MADCTL and len(arguments) == 1:
            self._madctl = byte
        elif self._command == COLMOD and len(arguments) == 1:
            self._colmod = byte & 7
        elif self._command in (CASET, PASET) and len(arguments) == 4:
            window = (arguments[0] << 8 | arguments[1], arguments[2] << 8 | arguments[3])
            if self._command == CASET:
                self._columns = window
            else:
                self._rows = window

    def _take_pixel(self, byte: int) -> None:
        self._pending.append(byte)
        if self._colmod == _BITS_18 and len(self._pending) == 3:
            red, green, blue = self._pending
            self._draw((red & 0xF8) << 8 | (green & 0xFC) << 3 | blue >> 3)
            self._pending.clear()
        elif self._colmod != _BITS_18 and len(self._pending) == 2:
            self._draw(self._pending[0] << 8 | self._pending[1])
            self._pending.clear()

    def _answer_to(self, code: int) -> bytes:
        power = 0x08 | self.on << 2 | (not self.asleep) << 4
        return {
            RDDID: bytes(1) + self.identity,
            RDID4: bytes(1) + self.identity_4,
            RDDPM: bytes([0, power]),
            RDMADCTL: bytes([0, self._madctl]),
            RDPIXFMT: bytes([0, self._colmod]),
        }.get(code, b"")

    def _next_answer(self) -> int:
        if self._command == RAMRD:
            return self._read_pixel()
        return self._answer.pop(0) if self._answer else 0

    # Memory

    def _place(self) -> tuple[int, int] | None:
        """Row and column of the glass, after mirroring and exchange (MADCTL)."""
        column, row = (self._y, self._x) if self._madctl & MADCTL_MV else (self._x, self._y)
        if self._madctl & MADCTL_MX:
            column = SHORT_SIDE - 1 - column
        if self._madctl & MADCTL_MY:
            row = LONG_SIDE - 1 - row
        inside = 0 <= column < SHORT_SIDE and 0 <= row < LONG_SIDE
        return (row, column) if inside else None

    def _draw(self, colour: int) -> None:
        place = self._place()
        if place is not None:
            self.memory[place] = colour
        self.drawn += 1
        self.last_drawn_us = self._now_ns() / 1000
        self._step()

    def _read_pixel(self) -> int:
        place = self._place()
        self._step()
        return 0 if place is None else int(self.memory[place])

    def _step(self) -> None:
        """To the next pixel of the window, row after row; behind the last comes the first.

        An end beyond the panel is the panel's (8.2.20: out of range is ignored).
        """
        width, height = SHORT_SIDE, LONG_SIDE
        if self._madctl & MADCTL_MV:
            width, height = height, width
        self._x += 1
        if self._x > min(self._columns[1], width - 1):
            self._x = self._columns[0]
            last = self._y >= min(self._rows[1], height - 1)
            self._y = self._rows[0] if last else self._y + 1


class Ili9341(Tft):
    """An ILI9341: its module shows red for red with BGR set."""

    identity_4 = bytes([0x00, 0x93, 0x41])


class St7789(Tft):
    """An ST7789 behind IPS glass: with INVON the colours are right."""

    identity = bytes([0x85, 0x85, 0x52])
    colours_are_inverted = True
