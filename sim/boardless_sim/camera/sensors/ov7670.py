"""OV7670: a VGA sensor, configured over SCCB, that clocks frames into a parallel port.

The sensor has its own clock: it runs from power-on, whatever the firmware does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.lens import Lens
from boardless_sim.camera.parallel import Clock, Event, ParallelPins, ParallelSink
from boardless_sim.camera.scene import compose
from boardless_sim.camera.sensors.ov7670_output import (
    ARRAY_HEIGHT,
    ARRAY_WIDTH,
    COM7,
    COM7_RESET,
    COM10,
    LINE_PIXELS,
    Output,
    decode,
    render,
)  # fmt: skip
from boardless_sim.faults.sensor import Lines, SensorFault

ADDRESS = 0x21  # 7 bits: 0x42 to write, 0x43 to read
COM2, PID, VER, CLKRC, MIDH, MIDL, DBLV = 0x09, 0x0A, 0x0B, 0x11, 0x1C, 0x1D, 0x6B

COM2_SLEEP, CLKRC_EXTERNAL = 1 << 4, 1 << 6
COM10_HSYNC, COM10_PCLK_GATED, COM10_PCLK_REVERSE = 1 << 6, 1 << 5, 1 << 4
COM10_HREF_REVERSE, COM10_VSYNC_NEGATIVE, COM10_HSYNC_NEGATIVE = 1 << 3, 1 << 1, 1 << 0

# Lines of a frame (data sheet, figure 6): VSYNC, back porch, 480 visible, front porch.
FRAME_LINES, VSYNC_LINES, FIRST_VISIBLE_LINE = 510, 3, 20
_CLOCKS_PER_PIXEL = 2
_PLL_FACTOR = (1, 4, 6, 8)  # DBLV bits 7:6

_READ_ONLY = frozenset({PID, VER, MIDH, MIDL})
_RESET_VALUES = {
    0x01: 0x80, 0x02: 0x80, COM2: 0x01, PID: 0x76, VER: 0x73, 0x0E: 0x01, 0x0F: 0x43, 0x10: 0x40,
    CLKRC: 0x80, 0x13: 0x8F, 0x14: 0x4A, 0x17: 0x11, 0x18: 0x61, 0x19: 0x03, 0x1A: 0x7B, MIDH: 0x7F,
    MIDL: 0xA2, 0x1E: 0x01, 0x20: 0x04, 0x21: 0x02, 0x22: 0x01, 0x24: 0x75, 0x25: 0x63, 0x26: 0xD4,
    0x27: 0x80, 0x28: 0x80, 0x2C: 0x80, 0x30: 0x08, 0x31: 0x30, 0x32: 0x80, 0x33: 0x08, 0x34: 0x11,
    0x37: 0x3F, 0x38: 0x01, 0x3A: 0x0D, 0x3C: 0x68, 0x3D: 0x88, 0x40: 0xC0, 0x41: 0x08, 0x43: 0x14,
    0x44: 0xF0, 0x45: 0x45, 0x46: 0x61, 0x47: 0x51, 0x48: 0x79, 0x4F: 0x40, 0x50: 0x34, 0x51: 0x0C,
    0x52: 0x17, 0x53: 0x29, 0x54: 0x40, 0x56: 0x40, 0x57: 0x80, 0x58: 0x1E, 0x64: 0x50, 0x65: 0x30,
    0x67: 0x80, 0x68: 0x80, DBLV: 0x0A, 0x6C: 0x02, 0x6D: 0x55, 0x6E: 0xC0, 0x6F: 0x9A, 0x70: 0x3A,
    0x71: 0x35, 0x72: 0x11, 0x77: 0x10, 0x7A: 0x24, 0x7B: 0x04, 0x7C: 0x07, 0x7D: 0x10, 0x7E: 0x28,
    0x7F: 0x36, 0x80: 0x44, 0x81: 0x52, 0x82: 0x60, 0x83: 0x6C, 0x84: 0x78, 0x85: 0x8C, 0x86: 0x9E,
    0x87: 0xBB, 0x88: 0xD2, 0x89: 0xE5, 0x9D: 0x99, 0x9E: 0x7F, 0x9F: 0xC0, 0xA0: 0x90, 0xA1: 0x03,
    0xA2: 0x02, 0xA5: 0x0F, 0xA6: 0xF0, 0xA7: 0xC1, 0xA8: 0xF0, 0xA9: 0xC1, 0xAA: 0x14, 0xB3: 0x80,
    0xC9: 0xC0,
}  # fmt: skip


class Ov7670:
    """The sensor: an I2C target at 0x21, and the source of a parallel port; see `Sensor`."""

    address = ADDRESS

    def __init__(self, xclk_hz: int = 24_000_000) -> None:
        self.faults: Sequence[SensorFault] = ()
        self._xclk_hz = xclk_hz
        self._clock: Clock | None = None
        self._sink: ParallelSink | None = None
        self._event: Event | None = None
        self._registers = bytearray(0xCA)
        self._pointer: int | None = None
        self.lens = Lens()
        self.frames_clocked = 0  # since power-on, whoever listened
        self._listened_frames = 0
        self._rendered: tuple[Frame, Output, Lines] | None = None
        self._load_reset_values()

    def connect(self, clock: Clock, sink: ParallelSink) -> None:
        """Wire the sensor to virtual time and to the capture interface."""
        self._clock = clock
        self._sink = sink
        self.lens.connect(sink)

    def clock_in(self, xclk_hz: int) -> None:
        """XCLK has this frequency from the next frame on."""
        self._xclk_hz = xclk_hz

    def reset(self) -> None:
        """The RESET# pin, wired to the chip's NRST; queue and captures stay."""
        self._load_reset_values()
        self._pointer = None
        self._restart()

    @property
    def output(self) -> Output:
        """The picture that the registers ask for now."""
        return decode(self._registers)

    # SCCB (I2cTarget)

    def start(self, read: bool) -> bool:
        """Addressed over SCCB."""
        if not all(fault.acknowledges() for fault in self.faults):
            return False
        if not read:
            self._pointer = None
        return True

    def write(self, byte: int) -> bool:
        """A register address, then values for it and its followers."""
        if self._pointer is None:
            self._pointer = byte
        else:
            self._write_register(self._pointer, byte)
            self._pointer += 1
        return True

    def read(self) -> int:
        """The next register value for the master."""
        pointer = self._pointer or 0
        value = self._registers[pointer] if pointer < len(self._registers) else 0
        if pointer == PID:
            for fault in self.faults:
                value = fault.product_number(value)
        self._pointer = pointer + 1
        return value

    def stop(self) -> None:
        """A read comes after a stop: the register address stays."""

    def _write_register(self, address: int, value: int) -> None:
        if address == COM7 and value & COM7_RESET:
            self._load_reset_values()
            self._restart()
        elif address < len(self._registers) and address not in _READ_ONLY:
            self._registers[address] = value

    def _load_reset_values(self) -> None:
        self._registers[:] = bytes(len(self._registers))
        for address, value in _RESET_VALUES.items():
            self._registers[address] = value

    # Frame timing

    def frame_ns(self) -> int:
        """Duration of a frame: 510 lines of 784 pixels, two clocks a pixel."""
        clkrc = self._registers[CLKRC]
        divider = 1 if clkrc & CLKRC_EXTERNAL else (clkrc & 0x3F) + 1
        factor = _PLL_FACTOR[self._registers[DBLV] >> 6]
        clocks = FRAME_LINES * LINE_PIXELS * _CLOCKS_PER_PIXEL * divider
        return clocks * 1_000_000_000 // (self._xclk_hz * factor)

    def _restart(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._clock is not None:
            self._at_ns = 0
            self._wait_until(self.frame_ns(), self._frame_due)

    def _wait_until(self, at_ns: int, then: Callable[[], None]) -> None:
        """Continue at a time since the start of the frame; whole frames never drift by rounding."""
        assert self._clock is not None
        self._event = self._clock.schedule_ns(max(at_ns - self._at_ns, 1), then)
        self._at_ns = at_ns

    def _frame_due(self) -> None:
        """VSYNC begins: the frame before is over."""
        assert self._sink is not None
        self._at_ns = 0
        self._frame_ns = self.frame_ns()
        asleep = self._registers[COM2] & COM2_SLEEP
        if asleep or not all(fault.clocks() for fault in self.faults):
            self._wait_until(self._frame_ns, self._frame_due)
            return
        com10 = self._registers[COM10]
        self._vsync_negative = bool(com10 & COM10_VSYNC_NEGATIVE)
        self._sink.configure(_pins(com10))
        self._sink.vsync(not self._vsync_negative)
        self._wait_until(self._frame_ns * VSYNC_LINES // FRAME_LINES, self._frame_start)

    def _frame_start(self) -> None:
        """VSYNC ends: the frame at the head of the queue is exposed."""
        assert self._sink is not None
        self._sink.vsync(self._vsync_negative)
        self.frames_clocked += 1
        self.lens.expose()
        if not self._sink.listening:
            self._wait_until(self._frame_ns, self._frame_due)
            return
        output = decode(self._registers)
        self._lines = self._expose(output)
        self._line_ns = _line_ends(output, self._frame_ns)
        self._blanking = _blanking(output, self._registers[COM10])
        self._next_row = -1
        self._line_due()

    def _expose(self, output: Output) -> Lines:
        """The lines of the frame in view, as they leave the sensor."""
        cached = self._rendered
        if cached is None or cached[0] is not self.lens.in_view or cached[1] != output:
            packed = render(compose(self.lens.in_view), output)
            stride, data = packed.shape[1], packed.tobytes()
            lines: Lines = [data[at : at + stride] for at in range(0, len(data), max(stride, 1))]
            self._rendered = cached = (self.lens.in_view, output, lines)
        number, self._listened_frames = self._listened_frames, self._listened_frames + 1
        lines = cached[2]
        for fault in self.faults:
            lines = fault.lines(number, lines)
        return lines

    def _line_due(self) -> None:
        """One line ended; wait for the end of the next, or of the frame."""
        row = self._next_row
        self._next_row = following = row + 1
        if following < len(self._lines):
            self._wait_until(self._line_ns[following], self._line_due)
        else:
            self._wait_until(self._frame_ns, self._frame_due)
        if row >= 0:
            line = self._lines[row]
            if line is not None:
                assert self._sink is not None
                self._sink.line(line, self._blanking)


def _pins(com10: int) -> ParallelPins:
    if com10 & COM10_HSYNC:  # the pin marks the blanking instead of the data
        valid_high = bool(com10 & COM10_HSYNC_NEGATIVE)
    else:
        valid_high = not com10 & COM10_HREF_REVERSE
    return ParallelPins(valid_high, data_on_rising=not com10 & COM10_PCLK_REVERSE)


def _line_ends(output: Output, frame_ns: int) -> list[int]:
    """When each line's last byte is out, since the start of the frame."""
    clocks_per_frame = FRAME_LINES * LINE_PIXELS
    top = FIRST_VISIBLE_LINE
    ends = []
    for row in range(output.top, output.top + output.height):
        line = top + (row + 1) * ARRAY_HEIGHT // output.full_height - 1
        ends.append((line * LINE_PIXELS + ARRAY_WIDTH) * frame_ns // clocks_per_frame)
    return ends


def _blanking(output: Output, com10: int) -> bytes:
    """What PCLK clocks between two lines, for an interface that samples there: low data lines."""
    if com10 & COM10_PCLK_GATED:
        return b""
    return bytes(2 * output.full_width * (LINE_PIXELS - ARRAY_WIDTH) // ARRAY_WIDTH)
