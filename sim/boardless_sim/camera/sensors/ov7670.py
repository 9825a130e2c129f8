"""OV7670: a VGA sensor, configured over SCCB, that clocks frames into a parallel port."""

from __future__ import annotations

from functools import lru_cache

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.camera.scene import compose, compose_colour, scale_for
from boardless_sim.camera.sensors.ov7670_output import (
    ARRAY_HEIGHT,
    ARRAY_WIDTH,
    COM7,
    COM7_RESET,
    COM10,
    COM14,
    LINE_PIXELS,
    decode,
)  # fmt: skip
from boardless_sim.camera.sensors.parallel_sensor import FrameLines, FrameTiming, ParallelSensor
from boardless_sim.camera.sensors.rendering import Output, render
from boardless_sim.faults.sensor import Lines

ADDRESS = 0x21  # 7 bits: 0x42 to write, 0x43 to read
COM2, PID, VER, CLKRC, MIDH, MIDL, DBLV = 0x09, 0x0A, 0x0B, 0x11, 0x1C, 0x1D, 0x6B

COM2_SLEEP, CLKRC_EXTERNAL = 1 << 4, 1 << 6
COM14_SCALED_PCLK, COM14_DIVIDER = 1 << 4, 7
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


class Ov7670(ParallelSensor):
    """The sensor: an I2C target at 0x21, and the source of a parallel port."""

    address = ADDRESS
    product_register = PID

    def __init__(self) -> None:
        self._rendered: tuple[Frame, Output, Lines] | None = None
        super().__init__(register_count=0xCA)

    @property
    def output(self) -> Output:
        """The picture that the registers ask for now."""
        return decode(self.registers)

    def reset_registers(self) -> None:
        """As after power-on."""
        self.registers[:] = bytes(len(self.registers))
        for address, value in _RESET_VALUES.items():
            self.registers[address] = value

    def write_register(self, address: int, value: int) -> None:
        """COM7 resets them all; some only read."""
        if address == COM7 and value & COM7_RESET:
            self.reset_registers()
            self.restart()
        elif address < len(self.registers) and address not in _READ_ONLY:
            changed, self.registers[address] = self.registers[address] != value, value
            if changed and address in (CLKRC, DBLV):
                self.restart()  # the frame in progress is of no rate that was asked for

    def _internal_clock(self) -> tuple[int, int]:
        """In hertz, as a fraction: XCLK through the PLL (DBLV) and the divider (CLKRC)."""
        clkrc = self.registers[CLKRC]
        divider = 1 if clkrc & CLKRC_EXTERNAL else (clkrc & 0x3F) + 1
        return self.xclk_hz * _PLL_FACTOR[self.registers[DBLV] >> 6], divider

    def timing(self) -> FrameTiming:
        """A frame is 510 lines of 784 pixels, two clocks a pixel."""
        hz, divider = self._internal_clock()
        clocks = FRAME_LINES * LINE_PIXELS * _CLOCKS_PER_PIXEL * divider
        frame_ns = clocks * 1_000_000_000 // hz
        return FrameTiming(frame_ns, frame_ns * VSYNC_LINES // FRAME_LINES)

    @property
    def asleep(self) -> bool:
        """COM2: soft sleep."""
        return bool(self.registers[COM2] & COM2_SLEEP)

    def pins(self) -> ParallelPins:
        """As COM10 says; PCLK is the internal clock, divided by COM14 where that scales it."""
        hz, divider = self._internal_clock()
        com14 = self.registers[COM14]
        scale = com14 & COM14_DIVIDER if com14 & COM14_SCALED_PCLK else 0
        return _pins(self.registers[COM10], hz // divider >> scale)

    def picture(self, frame: Frame, frame_ns: int) -> FrameLines:
        """What the registers make of the scene that shows the frame."""
        output = decode(self.registers)
        cached = self._rendered
        if cached is None or cached[0] is not frame or cached[1] != output:
            scale = scale_for(output.full_width)
            packed = render(compose(frame, scale), output, compose_colour(frame, scale))
            stride, data = packed.shape[1], packed.tobytes()
            lines: Lines = [data[at : at + stride] for at in range(0, len(data), max(stride, 1))]
            self._rendered = cached = (frame, output, lines)
        blanking = _blanking(output, self.registers[COM10])
        line_ns = ARRAY_WIDTH * frame_ns // (FRAME_LINES * LINE_PIXELS)
        return FrameLines(cached[2], _line_ends(output, frame_ns), line_ns, blanking)


def _pins(com10: int, pclk_hz: int) -> ParallelPins:
    if com10 & COM10_HSYNC:  # the pin marks the blanking instead of the data
        valid_high = bool(com10 & COM10_HSYNC_NEGATIVE)
    else:
        valid_high = not com10 & COM10_HREF_REVERSE
    return ParallelPins(
        href_valid_high=valid_high,
        data_on_rising=not com10 & COM10_PCLK_REVERSE,
        vsync_low=bool(com10 & COM10_VSYNC_NEGATIVE),
        pclk_hz=pclk_hz,
    )


@lru_cache(maxsize=4)
def _line_ends(output: Output, frame_ns: int) -> tuple[int, ...]:
    """When each line's last byte is out, since the start of the frame."""
    clocks_per_frame = FRAME_LINES * LINE_PIXELS
    top = FIRST_VISIBLE_LINE
    ends = []
    for row in range(output.top, output.top + output.height):
        line = top + (row + 1) * ARRAY_HEIGHT // output.full_height - 1
        ends.append((line * LINE_PIXELS + ARRAY_WIDTH) * frame_ns // clocks_per_frame)
    return tuple(ends)


def _blanking(output: Output, com10: int) -> bytes:
    """What PCLK clocks between two lines, for an interface that samples there: low data lines."""
    if com10 & COM10_PCLK_GATED:
        return b""
    return bytes(2 * output.full_width * (LINE_PIXELS - ARRAY_WIDTH) // ARRAY_WIDTH)
