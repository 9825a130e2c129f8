"""LTDC: two layers out of memory, and the picture that they make (RM0090 chapter 16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from boardless_sim.peripherals.graphics.pixels import BITS, Argb, ColourFormat, decode
from boardless_sim.peripherals.peripheral import BusFault, Event
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

SSCR, BPCR, AWCR, TWCR, GCR, SRCR, BCCR = 0x08, 0x0C, 0x10, 0x14, 0x18, 0x24, 0x2C
IER, ISR, ICR, LIPCR, CPSR, CDSR = 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48
GCR_LTDCEN, SRCR_IMR, SRCR_VBR = 1 << 0, 1 << 0, 1 << 1
LIF, FUIF, TERRIF, RRIF = 1 << 0, 1 << 1, 1 << 2, 1 << 3
LAYERS, _STRIDE = (0x84, 0x104), 0x80
# Of a layer, from its first register on.
CR, WHPCR, WVPCR, CKCR, PFCR, CACR, DCCR, BFCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C
CFBAR, CFBLR, CFBLNR, CLUTWR = 0x28, 0x2C, 0x30, 0x40
CR_LEN, CR_COLKEN, CR_CLUTEN = 1 << 0, 1 << 1, 1 << 4
_BY_PIXEL_ALPHA = 6  # BFCR.BF1: the constant alpha times the pixel's
_POLARITIES = 0xF001_0001


def _layer(number: int) -> dict[int, Register]:
    names = {
        CR: Register("CR", 0, 0x13), WHPCR: Register("WHPCR", 0, 0x0FFF_0FFF),
        WVPCR: Register("WVPCR", 0, 0x07FF_07FF), CKCR: Register("CKCR", 0, 0xFF_FFFF),
        PFCR: Register("PFCR", 0, 7), CACR: Register("CACR", 0xFF, 0xFF),
        DCCR: Register("DCCR"), BFCR: Register("BFCR", 0x607, 0x707), CFBAR: Register("CFBAR"),
        CFBLR: Register("CFBLR", 0, 0x1FFF_1FFF), CFBLNR: Register("CFBLNR", 0, 0x7FF),
        CLUTWR: Register("CLUTWR", 0, 0),
    }  # fmt: skip
    return {
        LAYERS[number - 1] + offset: Register(f"L{number}{r.name}", r.reset, r.writable)
        for offset, r in names.items()
    }


class Ltdc(ApbPeripheral):
    """The controller. `rgb` is the picture of now; what a layer needs is read out of memory then.

    `clock_hz` is LCD_CLK. What is written to a layer holds from the reload on (section 16.4.3).
    """

    layout: ClassVar[Mapping[int, Register]] = {
        SSCR: Register("SSCR", 0, 0x0FFF_07FF), BPCR: Register("BPCR", 0, 0x0FFF_07FF),
        AWCR: Register("AWCR", 0, 0x0FFF_07FF), TWCR: Register("TWCR", 0, 0x0FFF_07FF),
        GCR: Register("GCR", 0x2220, _POLARITIES), SRCR: Register("SRCR", 0, 0),
        BCCR: Register("BCCR", 0, 0xFF_FFFF), IER: Register("IER", 0, 0xF),
        ISR: Register("ISR", 0, 0), ICR: Register("ICR", 0, 0), LIPCR: Register("LIPCR", 0, 0x7FF),
        CPSR: Register("CPSR", 0, 0), CDSR: Register("CDSR", 0xF, 0), **_layer(1), **_layer(2),
    }  # fmt: skip
    stable = frozenset(layout) - {CPSR, CDSR}

    def __init__(self, name: str, irq: int, error_irq: int) -> None:
        self._line, self._error_line = IrqLine(self, irq), IrqLine(self, error_irq)
        self._line_event: Event | None = None
        self._reload_event: Event | None = None
        super().__init__(name)
        self.clock_hz: Callable[[], int] = lambda: 0

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._shown = dict(self.values)  # what holds until the next reload
        self._cluts = [np.zeros((256, 4), np.uint8), np.zeros((256, 4), np.uint8)]
        self._since_ns = 0
        for event in (self._line_event, self._reload_event):
            if event is not None:
                event.cancel()
        self._line_event = self._reload_event = None

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    # Registers

    def read_word(self, offset: int) -> int:
        """A register; where the beam is follows from the time."""
        if offset == CPSR:
            line, column = self._beam()
            return column << 16 | line
        if offset == CDSR:
            return self._sync_status()
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == ICR:
            self.values[ISR] &= ~value
        elif offset == SRCR:
            self._reload(value)
        else:
            was_on = self.values[GCR] & GCR_LTDCEN
            self.store(offset, value)
            self._store_clut(offset, value)
            if offset < LAYERS[0]:
                self._shown[offset] = self.values.get(offset, 0)
            if offset == GCR and not was_on and value & GCR_LTDCEN:
                self._since_ns = self.bus.now_ns()
            self._plan_line()
        self._update_irq()

    def _store_clut(self, offset: int, value: int) -> None:
        for number, base in enumerate(LAYERS):
            if offset == base + CLUTWR:
                entry = [255, value >> 16 & 255, value >> 8 & 255, value & 255]
                self._cluts[number][value >> 24] = entry

    def _reload(self, value: int) -> None:
        if value & SRCR_IMR:
            self._take_over()
        elif value & SRCR_VBR and self._frame_ns:
            self.values[SRCR] = SRCR_VBR
            visible_end = (self._shown[AWCR] & 0x7FF) + 1
            self._reload_event = self.bus.schedule_ns(self._ns_to(visible_end), self._at_blanking)

    def _take_over(self) -> None:
        self._shown = dict(self.values)
        self.values[ISR] |= RRIF
        self._update_irq()

    def _at_blanking(self) -> None:
        self._reload_event = None
        self.values[SRCR] = 0
        self._take_over()

    # Time

    @property
    def _total(self) -> tuple[int, int]:
        total = self._shown[TWCR]
        return (total & 0x7FF) + 1, (total >> 16) + 1  # lines, columns

    @property
    def _frame_ns(self) -> int:
        """0 while nothing clocks it."""
        hertz, (lines, columns) = self.clock_hz(), self._total
        on = self.values[GCR] & GCR_LTDCEN and self.clocked
        return lines * columns * 10**9 // hertz if hertz and on else 0

    def _beam(self) -> tuple[int, int]:
        frame_ns, (lines, columns) = self._frame_ns, self._total
        if not frame_ns:
            return 0, 0
        inside = (self.bus.now_ns() - self._since_ns) % frame_ns
        return divmod(inside * lines * columns // frame_ns, columns)

    def _ns_to(self, line: int) -> int:
        frame_ns, (lines, _) = self._frame_ns, self._total
        inside = (self.bus.now_ns() - self._since_ns) % frame_ns
        wait = frame_ns * min(line, lines) // lines - inside
        return wait if wait > 0 else wait + frame_ns

    def _plan_line(self) -> None:
        if self._line_event is not None:
            self._line_event.cancel()
            self._line_event = None
        if self.values[IER] & LIF and self._frame_ns:
            self._line_event = self.bus.schedule_ns(self._ns_to(self.values[LIPCR]), self._at_line)

    def _at_line(self) -> None:
        self.values[ISR] |= LIF
        self._update_irq()
        self._plan_line()

    def _sync_status(self) -> int:
        line, column = self._beam()
        back, active = self._shown[BPCR], self._shown[AWCR]
        return (
            (back & 0x7FF) < line <= active & 0x7FF | ((back >> 16) < column <= active >> 16) << 1
        )

    def _update_irq(self) -> None:
        asserted = self.values[ISR] & self.values[IER]
        self._line.drive(bool(asserted & (LIF | RRIF)))
        self._error_line.drive(bool(asserted & (FUIF | TERRIF)))

    # The picture

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """What the panel shows now: rows, columns, red, green, blue; black while it is off."""
        back, active = self._shown[BPCR], self._shown[AWCR]
        height = max((active & 0x7FF) - (back & 0x7FF), 0)
        width = max((active >> 16) - (back >> 16), 0)
        picture = np.zeros((height, width, 3), np.uint8)
        if not self._frame_ns:
            return picture
        colour = self._shown[BCCR]
        picture[:] = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
        for number in range(len(LAYERS)):
            self._draw(number, picture, (back >> 16) + 1, (back & 0x7FF) + 1)
        return picture

    def _draw(self, number: int, picture: NDArray[np.uint8], first_x: int, first_y: int) -> None:
        base = LAYERS[number]
        layer = {offset: self._shown[base + offset] for offset in _layer_offsets()}
        if not layer[CR] & CR_LEN:
            return
        left, right = layer[WHPCR] & 0xFFF, layer[WHPCR] >> 16
        top, bottom = layer[WVPCR] & 0x7FF, layer[WVPCR] >> 16
        rows, columns = bottom - top + 1, right - left + 1
        pixels = self._fetch(number, layer, rows, columns)
        if pixels is None:
            self.values[ISR] |= TERRIF
            self._update_irq()
            return
        alpha = np.full(pixels.shape[:2], layer[CACR], np.uint32)
        if layer[BFCR] >> 8 == _BY_PIXEL_ALPHA:
            alpha = alpha * pixels[..., 0] // 255
        x, y = left - first_x, top - first_y
        target = picture[y : y + rows, x : x + columns]
        shape = target.shape[:2]
        weight = alpha[: shape[0], : shape[1], None]
        front = pixels[: shape[0], : shape[1], 1:]
        target[:] = ((front * weight + target * (255 - weight)) // 255).astype(np.uint8)

    def _fetch(self, number: int, layer: Mapping[int, int], rows: int, columns: int) -> Argb | None:
        """The pixels of the window; outside the frame buffer they have the default colour."""
        form = ColourFormat(layer[PFCR])
        pitch, length = layer[CFBLR] >> 16, max((layer[CFBLR] & 0x1FFF) - 3, 0)
        default = [layer[DCCR] >> shift & 255 for shift in (24, 16, 8, 0)]
        pixels = np.tile(np.array(default, np.uint8), (rows, columns, 1))
        try:
            for row in range(min(rows, layer[CFBLNR])):
                data = self.bus.memory_read(layer[CFBAR] + row * pitch, length)
                line = decode(form, data[: length * 8 // BITS[form] * BITS[form] // 8],
                              self._cluts[number])  # fmt: skip
                count = min(len(line), columns)
                pixels[row, :count] = line[:count]
        except BusFault:
            return None
        if layer[CR] & CR_COLKEN:
            key = [layer[CKCR] >> shift & 255 for shift in (16, 8, 0)]
            pixels[(pixels[..., 1:] == key).all(axis=-1)] = 0
        return pixels


def _layer_offsets() -> tuple[int, ...]:
    return (CR, WHPCR, WVPCR, CKCR, PFCR, CACR, DCCR, BFCR, CFBAR, CFBLR, CFBLNR)
