"""DCMI: the digital camera interface (RM0090 chapter 15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar, cast

from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.finding import Check
from boardless_sim.foreseen import DmaRoom, LinesAhead
from boardless_sim.peripherals.dcmi_sync import EmbeddedSync, SyncEvent
from boardless_sim.peripherals.register import AhbPeripheral, IrqLine, Register

CR, SR, RIS, IER, MIS, ICR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
ESCR, ESUR, CWSTRT, CWSIZE, DR = 0x18, 0x1C, 0x20, 0x24, 0x28

CR_CAPTURE, CR_CM, CR_CROP, CR_JPEG, CR_ESS = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
CR_EDM = 3 << 10
CR_PCKPOL, CR_HSPOL, CR_VSPOL, CR_ENABLE = 1 << 5, 1 << 6, 1 << 7, 1 << 14
SR_HSYNC, SR_VSYNC, SR_FNE = 1 << 0, 1 << 1, 1 << 2
FRAME, OVR, ERR, VSYNC, LINE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4  # in RIS, IER, MIS, ICR

FIFO_WORDS = 4


class Dcmi(AhbPeripheral):
    """The camera interface. A line arrives as one piece, at its end; DMA must take it at once.

    What neither DMA takes nor the FIFO holds by then is lost and sets OVR. An interface enabled in
    the middle of a frame sees the sensor from its next VSYNC on.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0, 0x4FFF), SR: Register("SR", 0, 0), RIS: Register("RIS", 0, 0),
        IER: Register("IER", 0, 0x1F), MIS: Register("MIS", 0, 0), ICR: Register("ICR", 0, 0),
        ESCR: Register("ESCR"), ESUR: Register("ESUR"),
        CWSTRT: Register("CWSTRT", 0, 0x1FFF_3FFF), CWSIZE: Register("CWSIZE", 0, 0x3FFF_3FFF),
        DR: Register("DR", 0, 0),
    }  # fmt: skip
    write_ones = frozenset({ICR})
    stable = frozenset(layout) - {DR}

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._line_number = self._captured_bytes = 0
        self._pins = ParallelPins()
        self._vsync_high = False
        self._complete = True  # every line of an 8-bit sensor has its pin
        self._low: bytes | None = None  # what each byte becomes by data lines without a pin
        super().__init__(name)
        self.on_frame: Callable[[bool], None] = lambda whole: None

    def wire(self, signals: frozenset[str]) -> None:
        """A data line without a pin reads low."""
        super().wire(signals)
        mask = sum(1 << bit for bit in range(8) if f"D{bit}" in signals)
        self._low = None if mask == 0xFF else bytes(value & mask for value in range(256))
        self._complete = mask == 0xFF and signals >= {"PIXCK", "HSYNC", "VSYNC"}

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._fifo = b""
        self._fifo_at = 0
        self._partial = b""
        self._sync = EmbeddedSync()
        self.filled = False  # the window of the frame that ended last
        self._frames_seen = 0  # since CAPTURE was set, for FCRC
        self._window: tuple[range, slice] | None = None
        self._stopping = False
        self._capturing = False
        self._abandon()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._line.drive(False)

    # Registers

    def read_word(self, offset: int) -> int:
        """A register, with the side effects of reading it."""
        if offset == DR:
            return int.from_bytes(self.read_block(DR, 4, 1), "little")
        if offset == SR:
            return self._status()
        if offset == MIS:
            return self.values[RIS] & self.values[IER]
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == CR:
            self._write_cr(value)
        elif offset == ICR:
            self.values[RIS] &= ~value
            self._update_irq()
        else:
            self.store(offset, value)
            self._update_irq()

    def read_block(self, offset: int, size: int, count: int) -> bytes:
        """Words of DR in one piece, for the DMA."""
        if offset != DR or size != 4:
            return super().read_block(offset, size, count)
        end = self._fifo_at + 4 * count
        data = self._fifo[self._fifo_at : end]
        self._fifo_at = end
        if end >= len(self._fifo):
            self._fifo, self._fifo_at = b"", 0
        return data if len(data) == 4 * count else data.ljust(4 * count, b"\0")

    def dma_listening(self, request: str) -> None:
        """Raise the requests that stand."""
        words = (len(self._fifo) - self._fifo_at) // 4
        if words:
            self.bus.dma_request("DCMI", words)

    def _status(self) -> int:
        between_frames = SR_VSYNC if self._vsync_active() else 0
        waiting = SR_FNE if self._fifo_at < len(self._fifo) else 0
        # A line arrives at its end: what software sees is always the gap between lines.
        return SR_HSYNC | between_frames | waiting

    def _write_cr(self, value: int) -> None:
        old = self.values[CR]
        self.store(CR, value)
        if not value & CR_ENABLE:
            self._abandon()
            self._fifo, self._fifo_at, self._partial = b"", 0, b""
            if not value & CR_CAPTURE:
                self._stopping = False
        elif old & CR_CAPTURE and not value & CR_CAPTURE:
            if self._capturing:  # reads as set until the frame's end
                self.values[CR] |= CR_CAPTURE
                self._stopping = True
        elif value & CR_CAPTURE:
            self._stopping = False
            if not old & CR_CAPTURE:
                self._frames_seen = 0
        if (value ^ old) & CR_ESS:
            self._sync = EmbeddedSync()

    # The camera's wires (ParallelSink)

    @property
    def listening(self) -> bool:
        """Whether a line could change anything here."""
        control = self.values[CR]
        if not control & CR_ENABLE or not self.clocked:
            return False
        line_flag_wanted = self.values[IER] & LINE or not self.values[RIS] & LINE
        return bool(control & CR_CAPTURE or line_flag_wanted)

    @property
    def capturing(self) -> bool:
        """Whether the frame in progress is being captured."""
        return self._capturing

    def configure(self, pins: ParallelPins) -> None:
        """The sensor says how it drives its pins."""
        self._pins = pins

    def vsync(self, high: bool) -> None:
        """The level of VSYNC changed."""
        if high is self._vsync_high:
            return
        self._vsync_high = high
        if self.values[CR] & (CR_ENABLE | CR_ESS) != CR_ENABLE or not self.clocked:
            return
        if not self._has_pins("PIXCK", "VSYNC"):
            return
        if self._vsync_active():
            self._raise(VSYNC)
            self._end_frame()
        else:
            self._start_frame()

    def line(self, data: bytes, blanking: bytes) -> None:
        """A line ended."""
        control = self.values[CR]
        if not control & CR_ENABLE or not self.clocked or not self._has_pins("PIXCK"):
            return
        if self._low is not None:
            self._has_pins(*(f"D{bit}" for bit in range(8)))  # reported, and captured as it is
            data, blanking = data.translate(self._low), blanking.translate(self._low)
        if control & CR_ESS:
            self._decode_embedded(self._sample(data + blanking))
            return
        if not self._has_pins("HSYNC"):  # the input stays low
            if control & CR_HSPOL:
                self._end_line(self._sample(data + blanking))
            return
        self._end_line(self._sample(data if self._is_valid_at_hsync() else blanking))

    def _is_valid_at_hsync(self) -> bool:
        """HSYNC active means blanking: the level that HSPOL calls inactive carries the data."""
        return (not self.values[CR] & CR_HSPOL) is self._pins.href_valid_high

    def _is_stable_at_edge(self) -> bool:
        return bool(self.values[CR] & CR_PCKPOL) is self._pins.data_on_rising

    def _is_too_fast(self) -> bool:
        """PIXCLK takes 2.5 periods of HCLK at least (section 15.4)."""
        return self._pins.pclk_hz * 5 > self.bus.clocks().hclk_hz * 2

    def foresee(self, lines: Sequence[bytes | None]) -> LinesAhead | None:
        """What the lines to come would do, up to the next one that does more than fill memory.

        None where a line may not be what it seems: the pins, the clocks, a word half full.
        """
        control = self.values[CR]
        if not control & CR_ENABLE or not self.clocked or not self._complete:
            return None
        if control & (CR_ESS | CR_EDM) or self._is_too_fast() or not self.values[RIS] & LINE:
            return None
        if self._partial or self._fifo_at < len(self._fifo):
            return None
        if not self._is_valid_at_hsync() or not self._is_stable_at_edge():
            return None
        if not self._capturing:
            return LinesAhead(len(lines), 0, 0, b"", None, _ignore)
        return None if None in lines else self._foresee_captured(cast(Sequence[bytes], lines))

    def _foresee_captured(self, lines: Sequence[bytes]) -> LinesAhead | None:
        room = self.bus.dma_room("DCMI")
        if room is None or not room.to_memory or room.device is not self or room.unit_bytes != 4:
            return None
        skipped, clocks = 0, slice(None)
        if self._window is not None:
            wanted, clocks = self._window
            skipped = max(wanted.start - self._line_number, 0)
            lines = lines[skipped : max(wanted[-1] - self._line_number, 0)]  # the last ends a frame
        pieces = [line[clocks] for line in lines[: room.units]]
        size = len(pieces[0]) if pieces else 0
        if not size or size & 3 or set(map(len, pieces)) != {size}:
            return None
        copied = min(len(pieces), room.units * 4 // size)
        took = partial(self._were_captured, room, size)
        return LinesAhead(skipped, copied, size, b"".join(pieces[:copied]), room, took)

    def _were_captured(self, room: DmaRoom, line_bytes: int, lines: int) -> None:
        """The board took these lines for the device."""
        first, self._line_number = self._line_number, self._line_number + lines
        if self._window is not None:
            wanted, _ = self._window
            lines = max(min(self._line_number, wanted.stop) - max(first, wanted.start), 0)
        self._captured_bytes += lines * line_bytes
        room.advance(lines * line_bytes // 4)

    def _has_pins(self, *signals: str) -> bool:
        """Whether these inputs have a pin; what is missing while a capture waits is reported."""
        if self._complete:
            return True
        missing = [f"DCMI_{signal}" for signal in signals if signal not in self.signals]
        if missing and self.values[CR] & CR_CAPTURE:
            text = f"DCMI captures, and no pin is in the alternate function {', '.join(missing)}"
            self.bus.report(Check.PIN_FUNCTION, self.name, text)
        return not missing

    def _vsync_active(self) -> bool:
        return self._vsync_high is bool(self.values[CR] & CR_VSPOL)

    def _sample(self, data: bytes) -> bytes:
        """The bytes as PCKPOL samples them, as far as HCLK is fast enough.

        At the edge where the sensor changes its data, the byte before is still on the wires.
        """
        if self._is_too_fast():
            data = self._too_fast(data)
        return data if self._is_stable_at_edge() else b"\0" + data[:-1]

    def _too_fast(self, data: bytes) -> bytes:
        """What comes faster than that is lost."""
        pclk_hz, hclk_hz = self._pins.pclk_hz, self.bus.clocks().hclk_hz
        if self._capturing:
            text = (
                f"DCMI captures at PIXCLK {pclk_hz / 1e6:g} MHz, expected at most "
                f"{hclk_hz / 2.5e6:g} MHz at HCLK {hclk_hz / 1e6:g} MHz"
            )
            self.bus.report(Check.PIXEL_CLOCK, self.name, text)
        kept = len(data) * hclk_hz * 2 // (pclk_hz * 5)
        return bytes(data[index * pclk_hz * 5 // (hclk_hz * 2)] for index in range(kept))

    # Frames and lines

    def _start_frame(self) -> None:
        control = self.values[CR]
        if not control & CR_CAPTURE or self._capturing:
            return
        every = (1, 2, 4, 1)[control >> 8 & 3] if not control & CR_CM else 1
        wanted = self._frames_seen % every == 0
        self._frames_seen += 1
        if wanted:
            self._capturing = True
            self._window = self._decode_window()

    def _end_line(self, data: bytes) -> None:
        if self._capturing:
            self._capture_line(data)
        self._raise(LINE)

    def _decode_window(self) -> tuple[range, slice] | None:
        """The lines and the clocks of a line to capture; None for all."""
        if self.values[CR] & (CR_CROP | CR_JPEG) != CR_CROP:
            return None
        start, size = self.values[CWSTRT], self.values[CWSIZE]
        top, left = start >> 16, start & 0x3FFF
        lines, clocks = (size >> 16) + 1, (size & 0x3FFF) + 1
        return range(top, top + lines), slice(left, left + clocks)

    def _window_bytes(self) -> int:
        assert self._window is not None
        lines, clocks = self._window
        per_clock = 2 if self.values[CR] >> 10 & 3 else 1
        return len(lines) * int(clocks.stop - clocks.start) * per_clock

    def _capture_line(self, data: bytes) -> None:
        number = self._line_number
        self._line_number += 1
        if self._window is None:
            self._accept(data)
            return
        lines, clocks = self._window
        if number in lines:
            self._accept(data[clocks])
            if number == lines[-1]:
                self._end_frame()

    def _end_frame(self) -> None:
        if not self._capturing:
            return
        if self._partial:  # the last word is filled with zeros
            rest, self._partial = self._partial, b""
            if not self._push(rest.ljust(4, b"\0")):
                return
        whole = not self._overrun and self._captured_bytes > 0
        self.filled = self._window is not None and self._captured_bytes == self._window_bytes()
        self._abandon()
        if self.values[CR] & CR_CM or self._stopping:
            self.values[CR] &= ~CR_CAPTURE
            self._stopping = False
        self._raise(FRAME)
        self.on_frame(whole)

    def _abandon(self) -> None:
        """No frame is being captured from here on."""
        self._capturing = False
        self._overrun = False
        self._line_number = 0
        self._captured_bytes = 0

    # Data path

    def _accept(self, data: bytes) -> None:
        """Pack the bytes of a line into words: four a word, or two with 10 to 14 data lines."""
        if self.values[CR] & CR_EDM:  # an 8-bit sensor leaves the upper data lines low
            data = bytes(value for byte in data for value in (byte, 0))
        self._captured_bytes += len(data)
        if self._partial or len(data) & 3:
            data = self._partial + data
            whole = len(data) & ~3
            data, self._partial = data[:whole], data[whole:]
        self._push(data)

    def _push(self, words: bytes) -> bool:
        """Hand words to the FIFO and the DMA; false when that lost a snapshot."""
        if self._fifo_at < len(self._fifo):
            words = self._fifo[self._fifo_at :] + words
        self._fifo, self._fifo_at = words, 0
        self.bus.dma_request("DCMI", len(words) // 4)
        if len(self._fifo) - self._fifo_at > 4 * FIFO_WORDS:
            newest = self._fifo[-4 * FIFO_WORDS :]  # nothing keeps the old words from overwriting
            self._fifo, self._fifo_at = newest, 0
            return self._survive_overrun()
        return True

    def _survive_overrun(self) -> bool:
        """Continuous capture goes on; a snapshot is lost and ends here (section 15.5.5)."""
        self._overrun = True
        self._raise(OVR)
        if not self.values[CR] & CR_CM:
            return True
        self._abandon()
        self.values[CR] &= ~CR_CAPTURE
        self.on_frame(False)
        return False

    # Embedded synchronisation

    def _decode_embedded(self, data: bytes) -> None:
        for event, payload in self._sync.feed(data, self.values[ESCR], self.values[ESUR]):
            if event is SyncEvent.FRAME_START:
                self._start_frame()
            elif event is SyncEvent.LINE_END:
                self._end_line(payload)
            elif event is SyncEvent.FRAME_END:
                self._raise(VSYNC)
                self._end_frame()
            else:
                self._raise(ERR)

    def _raise(self, flag: int) -> None:
        if not self.values[RIS] & flag:
            self.values[RIS] |= flag
            self._update_irq()

    def _update_irq(self) -> None:
        self._line.drive(bool(self.values[RIS] & self.values[IER]))


def _ignore(lines: int) -> None:
    """A line that nobody captures leaves nothing behind."""
