"""DMA2D: copies, converts and blends rectangles of pixels (RM0090 chapter 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.graphics.pixels import (
    BITS,
    Argb,
    ColourFormat,
    blend,
    decode,
    encode,
)
from boardless_sim.peripherals.peripheral import BusFault
from boardless_sim.peripherals.register import AhbPeripheral, IrqLine, Register

CR, ISR, IFCR, FGMAR, FGOR, BGMAR, BGOR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
FGPFCCR, FGCOLR, BGPFCCR, BGCOLR, FGCMAR, BGCMAR = 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x30
OPFCCR, OCOLR, OMAR, OOR, NLR, LWR, AMTCR = 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C
FGCLUT, BGCLUT = 0x400, 0x800
CR_START, CR_ABORT, CR_IRQS = 1 << 0, 1 << 2, 0x3F00
COPY, CONVERT, BLEND, FILL = range(4)  # CR.MODE
TEIF, TCIF, CTCIF, CEIF = 1 << 0, 1 << 1, 1 << 4, 1 << 5
PFCCR_START, PFCCR_CCM = 1 << 5, 1 << 4
_ENTRIES = 256


class Dma2d(AhbPeripheral):
    """One rectangle at a time. It is there when its time has passed: a cycle for each pixel."""

    size = 0xC00
    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0, 0x3_3F03), ISR: Register("ISR", 0, 0), IFCR: Register("IFCR", 0, 0),
        FGMAR: Register("FGMAR"), FGOR: Register("FGOR", 0, 0x3FFF), BGMAR: Register("BGMAR"),
        BGOR: Register("BGOR", 0, 0x3FFF), FGPFCCR: Register("FGPFCCR", 0, 0xFF03_FF1F),
        FGCOLR: Register("FGCOLR", 0, 0xFF_FFFF), BGPFCCR: Register("BGPFCCR", 0, 0xFF03_FF1F),
        BGCOLR: Register("BGCOLR", 0, 0xFF_FFFF), FGCMAR: Register("FGCMAR"),
        BGCMAR: Register("BGCMAR"), OPFCCR: Register("OPFCCR", 0, 7), OCOLR: Register("OCOLR"),
        OMAR: Register("OMAR"), OOR: Register("OOR", 0, 0x3FFF),
        NLR: Register("NLR", 0, 0x3FFF_FFFF), LWR: Register("LWR", 0, 0xFFFF),
        AMTCR: Register("AMTCR", 0, 0xFF01),
        **{at + 4 * n: Register(f"{name}CLUT{n}") for at, name in ((FGCLUT, "FG"), (BGCLUT, "BG"))
           for n in range(_ENTRIES)},
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._transfer = Delay(self)
        super().__init__(name)

    def reset(self) -> None:
        """Return to the reset state."""
        self._transfer.cancel()
        self.reset_values()
        self._line.drive(False)

    def clock(self, on: bool) -> None:
        """A transfer stands still without a clock."""
        super().clock(on)
        self._transfer.clock(on)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == IFCR:
            self.values[ISR] &= ~value
        else:
            self.store(offset, value)
            if offset in (FGPFCCR, BGPFCCR) and value & PFCCR_START:
                self._load_clut(offset)
        if offset == CR:
            if value & CR_ABORT and self._transfer.waiting:
                self._transfer.cancel()
                self.values[CR] &= ~CR_START
            elif value & CR_START and not self._transfer.waiting:
                pixels = (self.values[NLR] >> 16) * (self.values[NLR] & 0xFFFF)
                self._transfer.start(max(pixels, 1), self._transferred)
        self._update_irq()

    def _load_clut(self, control: int) -> None:
        """At once; entries of 32 or 24 bits (CCM)."""
        at, table = (FGCMAR, FGCLUT) if control == FGPFCCR else (BGCMAR, BGCLUT)
        size = 3 if self.values[control] & PFCCR_CCM else 4
        count = (self.values[control] >> 8 & 0xFF) + 1
        try:
            data = self.bus.memory_read(self.values[at], size * count)
        except BusFault:
            self.values[ISR] |= TEIF
            return
        for n in range(count):
            entry = int.from_bytes(data[size * n : size * (n + 1)], "little")
            self.values[table + 4 * n] = entry | (0xFF00_0000 if size == 3 else 0)
        self.values[ISR] |= CTCIF

    def _transferred(self) -> None:
        self.values[CR] &= ~CR_START
        try:
            self._move()
            self.values[ISR] |= TCIF
        except BusFault:
            self.values[ISR] |= TEIF
        except ValueError:  # no such format
            self.values[ISR] |= CEIF
        self._update_irq()

    def _move(self) -> None:
        mode = self.values[CR] >> 16 & 3
        form = ColourFormat(self.values[OPFCCR] & 7)
        width, lines = self.values[NLR] >> 16, self.values[NLR] & 0xFFFF
        if mode == FILL:
            size = BITS[form] // 8
            row = (self.values[OCOLR] & ((1 << 8 * size) - 1)).to_bytes(size, "little") * width
            self._put([row] * lines, BITS[form])
        elif mode == COPY:
            source = ColourFormat(self.values[FGPFCCR] & 0xF)
            rows = self._rows(FGMAR, FGOR, BITS[source])
            self._put(rows, BITS[source])
        else:
            front = self._layer(FGMAR, FGOR, FGPFCCR, FGCOLR, FGCLUT)
            if mode == BLEND:
                front = blend(front, self._layer(BGMAR, BGOR, BGPFCCR, BGCOLR, BGCLUT))
            data = encode(form, front)
            step = width * BITS[form] // 8
            self._put([data[n * step : (n + 1) * step] for n in range(lines)], BITS[form])

    def _rows(self, address: int, offset: int, bits: int) -> list[bytes]:
        width, lines = self.values[NLR] >> 16, self.values[NLR] & 0xFFFF
        pitch = (width + self.values[offset]) * bits // 8
        start = self.values[address]
        return [self.bus.memory_read(start + n * pitch, width * bits // 8) for n in range(lines)]

    def _put(self, rows: list[bytes], bits: int) -> None:
        width = self.values[NLR] >> 16
        pitch = (width + self.values[OOR]) * bits // 8
        for number, row in enumerate(rows):
            self.bus.memory_write(self.values[OMAR] + number * pitch, row)

    def _layer(self, address: int, offset: int, control: int, colour: int, table: int) -> Argb:
        settings = self.values[control]
        form = ColourFormat(settings & 0xF)
        data = b"".join(self._rows(address, offset, BITS[form]))
        words = np.array([self.values[table + 4 * n] for n in range(_ENTRIES)], "<u4")
        clut = words.view(np.uint8).reshape(-1, 4)[:, ::-1]
        pixels = decode(form, data, clut, self.values[colour]).copy()
        alpha_mode, alpha = settings >> 16 & 3, settings >> 24
        if alpha_mode == 1:
            pixels[:, 0] = alpha
        elif alpha_mode == 2:
            pixels[:, 0] = pixels[:, 0].astype(np.uint32) * alpha // 255
        return pixels

    def _update_irq(self) -> None:
        self._line.drive(bool(self.values[ISR] & self.values[CR] >> 8 & 0x3F))
