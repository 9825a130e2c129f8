"""An SSD1306: 128×64 pixels on I2C (its data sheet, chapters 8.1.5, 9 and 10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from boardless_sim.parts.part import PinWire, Wires

WIDTH, HEIGHT = 128, 64
PAGES = HEIGHT // 8
_ADDRESSES = (0x3C, 0x3D)  # by its pin SA0
_CONTINUES, _DATA = 0x80, 0x40  # bits of a control byte: Co, D/C#

# Bytes that follow a command, where there are any (table 9-1).
_ARGUMENTS = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1, 0xA3: 2,
    0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}  # fmt: skip
_SCROLLS = frozenset({0x26, 0x27, 0x29, 0x2A, 0x2F, 0xA3})


class Addressing(IntEnum):
    """Where the pointer goes behind a byte of data."""

    HORIZONTAL = 0
    VERTICAL = 1
    PAGE = 2


@dataclass(frozen=True)
class Drawing:
    """One transmission with data: when it began on the bus, when it ended, what then stood there.

    `pixels`: rows of the whole panel from the upper left, a byte a pixel, 0 or 1.
    """

    begin_us: float
    end_us: float
    pixels: bytes


class Ssd1306:
    """Implements `I2cTarget`. Scrolling is not modelled: it is noted in `log`."""

    def __init__(
        self, time_us: Callable[[], float] = lambda: 0.0, address: int = _ADDRESSES[0]
    ) -> None:
        self.address = address
        self.drawings: list[Drawing] = []
        self.log: list[str] = []
        self._time_us = time_us
        self._begin_us = 0.0
        self._data_pin: PinWire | None = None
        self.reset()

    def attach(self, wires: Wires, at: str) -> None:
        """Hang on a two-wire bus, "i2c1", or on an SPI: "spi1:PA4,PA3", chip select and D/C#."""
        self._time_us = lambda: wires.now_ns() / 1000
        if not at.lower().startswith("spi"):
            wires.two_wire(at, self)
            return
        place, _, data_pin = at.rpartition(",")
        self._data_pin = wires.pin(data_pin)
        wires.spi(place, self)

    # SpiTarget (chapter 8.1.3)

    def select(self) -> None:
        self._begin_us, self._drew = self._time_us(), False

    def deselect(self) -> None:
        self.stop()

    def exchange(self, byte: int) -> int:
        if self._data_pin is not None and self._data_pin.level():
            self._store(byte)
        else:
            self._take(byte)
        return 0

    def reset(self) -> None:
        """As after a pulse on RES#: off, addressing by page; the memory keeps what it had."""
        self.on = self.inverted = self.all_on = False
        self.charge_pump = False
        self.contrast = 0x7F
        self._memory = getattr(self, "_memory", bytearray(WIDTH * PAGES))
        self._mode = Addressing.PAGE
        self._columns, self._pages = (0, WIDTH - 1), (0, PAGES - 1)
        self._column = self._page = 0
        self._mirrored = self._flipped = False
        self._pending: list[int] = []
        self._expects_control = True
        self._continues = self._is_data = self._drew = False

    @property
    def lit(self) -> bool:
        """Whether anything can be seen: on, and its charge pump runs."""
        return self.on and self.charge_pump

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The same as a picture: rows, columns, red, green, blue."""
        grey = np.frombuffer(self.pixels(), np.uint8).reshape(HEIGHT, WIDTH, 1) * np.uint8(255)
        return np.repeat(grey, 3, axis=2)

    def pixels(self) -> bytes:
        """What the panel shows, a byte a pixel: 0 dark, 1 bright."""
        if not self.lit:
            return bytes(WIDTH * HEIGHT)
        return bytes(self._pixel(x, y) for y in range(HEIGHT) for x in range(WIDTH))

    def _pixel(self, x: int, y: int) -> int:
        if self.all_on:
            return 1
        # The panel is wired upside down: mirrored and flipped together are upright (0xA1, 0xC8).
        column = x if self._mirrored else WIDTH - 1 - x
        row = y if self._flipped else HEIGHT - 1 - y
        return (self._memory[row // 8 * WIDTH + column] >> row % 8 & 1) ^ self.inverted

    # I2cTarget

    def start(self, read: bool) -> bool:
        """Only writing is modelled."""
        self._begin_us = self._time_us()
        self._expects_control, self._continues, self._drew = True, True, False
        self._pending.clear()
        return not read

    def write(self, byte: int) -> bool:
        if self._expects_control:
            self._continues, self._is_data = bool(byte & _CONTINUES), bool(byte & _DATA)
            self._expects_control = False
            return not byte & 0x3F
        self._expects_control = self._continues
        if self._is_data:
            self._store(byte)
        else:
            self._take(byte)
        return True

    def read(self) -> int:
        return 0

    def stop(self) -> None:
        if self._drew:
            self.drawings.append(Drawing(self._begin_us, self._time_us(), self.pixels()))
            self._drew = False

    # Memory

    def _store(self, byte: int) -> None:
        self._memory[self._page * WIDTH + self._column] = byte
        self._drew = True
        if self._mode == Addressing.PAGE:
            self._column = _next(self._column, (0, WIDTH - 1))
        elif self._mode == Addressing.HORIZONTAL:
            self._column = _next(self._column, self._columns)
            if self._column == self._columns[0]:
                self._page = _next(self._page, self._pages)
        else:
            self._page = _next(self._page, self._pages)
            if self._page == self._pages[0]:
                self._column = _next(self._column, self._columns)

    # Commands

    def _take(self, byte: int) -> None:
        self._pending.append(byte)
        if len(self._pending) > _ARGUMENTS.get(self._pending[0], 0):
            command, *arguments = self._pending
            self._pending.clear()
            self._obey(command, arguments)

    def _obey(self, command: int, arguments: list[int]) -> None:
        if command == 0x20:
            self._mode = Addressing(min(arguments[0] & 3, Addressing.PAGE))
        elif command == 0x21:
            first, last = (value & 0x7F for value in arguments)
            self._columns, self._column = (first, last), first
        elif command == 0x22:
            first, last = (value & 7 for value in arguments)
            self._pages, self._page = (first, last), first
        elif command == 0x81:
            self.contrast = arguments[0]
        elif command == 0x8D:
            self.charge_pump = bool(arguments[0] & 4)
        elif command in _SCROLLS:
            self.log.append(f"SSD1306: command {command:#04x} (scroll) is not modelled")
        else:
            self._obey_short(command)

    def _obey_short(self, command: int) -> None:
        if command < 0x10:
            self._column = self._column & 0x70 | command
        elif command < 0x20:
            self._column = self._column & 0x0F | (command & 7) << 4
        elif command & 0xF8 == 0xB0:
            self._page = command & 7
        elif command & 0xFE == 0xA0:
            self._mirrored = bool(command & 1)
        elif command & 0xF7 == 0xC0:
            self._flipped = bool(command & 8)
        elif command & 0xFE == 0xA4:
            self.all_on = bool(command & 1)
        elif command & 0xFE == 0xA6:
            self.inverted = bool(command & 1)
        elif command & 0xFE == 0xAE:
            self.on = bool(command & 1)


def _next(value: int, window: tuple[int, int]) -> int:
    return window[0] if value == window[1] else (value + 1)
