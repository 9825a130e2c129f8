"""OV2640: two megapixels and a DSP: scaled YUV, RGB565, raw, or JPEG (data sheet 2.2)."""

from __future__ import annotations

import io

import numpy as np

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.camera.scene import compose, compose_colour, scale_for
from boardless_sim.camera.sensors.ov2640_output import (
    BANK_SELECT,
    CLKRC,
    COM2,
    COM7,
    COM7_RESET,
    COM10,
    CTRL2,
    DSP,
    IMAGE_MODE,
    MIDH,
    MIDL,
    MODE_JPEG,
    PIDH,
    PIDL,
    QS,
    R_BYPASS,
    R_DVP_SP,
    RESET,
    RESET_DVP,
    SENSOR,
    ArrayMode,
    decode,
    resolution,
)
from boardless_sim.camera.sensors.parallel_sensor import FrameLines, FrameTiming, ParallelSensor
from boardless_sim.camera.sensors.rendering import Output, render, view
from boardless_sim.faults.sensor import Lines

ADDRESS = 0x30  # 7 bits: 0x60 to write, 0x61 to read

COM2_STANDBY = 1 << 4
CLKRC_DOUBLER, CLKRC_DIVIDER = 1 << 7, 0x3F
COM10_PCLK_GATED, COM10_PCLK_REVERSE = 1 << 5, 1 << 4
COM10_HREF_REVERSE, COM10_VSYNC_NEGATIVE = 1 << 3, 1 << 1
DVP_AUTO, DVP_DIVIDER = 1 << 7, 0x7F

_XVCLK_HZ = 24_000_000  # of the rates that the data sheet gives
_VSYNC_LINES, _FIRST_LINE = 4, 16  # figures 10 to 12: VSYNC, then the first line with data

_READ_ONLY = frozenset({PIDH, PIDL, MIDH, MIDL})
_RESET_VALUES = {
    R_BYPASS: 0x01, QS: 0x0C, DSP | 0x51: 0x40, DSP | 0x52: 0xF0, CTRL2: 0x00, DSP | 0x87: 0x50,
    DSP | 0xC2: 0x4C, DSP | 0xC3: 0xFF, R_DVP_SP: 0x82, IMAGE_MODE: 0x00, RESET: 0x04,
    SENSOR | 0x03: 0x0F, SENSOR | 0x04: 0x20, COM2: 0x00, PIDH: 0x26, PIDL: 0x42,
    SENSOR | 0x0C: 0x38, SENSOR | 0x10: 0x33, CLKRC: 0x00, COM7: 0x00, SENSOR | 0x13: 0xC7,
    SENSOR | 0x14: 0x50, COM10: 0x00, SENSOR | 0x17: 0x11, SENSOR | 0x18: 0x75,
    SENSOR | 0x19: 0x01, SENSOR | 0x1A: 0x97, MIDH: 0x7F, MIDL: 0xA2, SENSOR | 0x24: 0x78,
    SENSOR | 0x25: 0x68, SENSOR | 0x26: 0xD4, SENSOR | 0x32: 0x36,
}  # fmt: skip

# The quantisation tables of ITU-T T.81, annex K, in the order of the picture's blocks.
_LUMA_STEPS = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]  # fmt: skip
_CHROMA_STEPS = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
] + [99] * 32  # fmt: skip
_QS_UNITY = 32  # the QS that leaves the tables as they are: the data sheet does not say which does


class Ov2640(ParallelSensor):
    """The sensor: an I2C target at 0x30 with two banks of registers, and a parallel port."""

    address = ADDRESS
    product_register = PIDH

    def __init__(self) -> None:
        self._bank = DSP
        self._rendered: tuple[Frame, Output, int, Lines] | None = None
        super().__init__(register_count=0x200)

    def reset_registers(self) -> None:
        """As after power-on."""
        self._bank = DSP
        self.registers[:] = bytes(len(self.registers))
        for address, value in _RESET_VALUES.items():
            self.registers[address] = value

    def cell(self, address: int) -> int:
        """An address of the bank that is selected."""
        return self._bank | address & 0xFF

    def write_register(self, address: int, value: int) -> None:
        """0xFF selects the bank; COM7 resets them all; some only read."""
        cell = self.cell(address)
        if address == BANK_SELECT:
            self._bank = SENSOR if value & 1 else DSP
            self.registers[DSP | address] = self.registers[SENSOR | address] = value
        elif cell == COM7 and value & COM7_RESET:
            bank = self._bank
            self.reset_registers()
            self._bank = bank
            self.restart()
        elif cell not in _READ_ONLY:
            changed, self.registers[cell] = self.registers[cell] != value, value
            if changed and cell in (CLKRC, COM7):
                self.restart()  # the frame in progress is of no rate that was asked for

    @property
    def output(self) -> Output:
        """The picture that the registers ask for now."""
        return decode(self.registers)

    @property
    def asleep(self) -> bool:
        """COM2: standby. RESET: the video port is held in reset, as it is after power-on."""
        return bool(self.registers[COM2] & COM2_STANDBY or self._port_in_reset)

    @property
    def _port_in_reset(self) -> bool:
        bypassed = self.registers[R_BYPASS] & 1
        return not bypassed and bool(self.registers[RESET] & RESET_DVP)

    def timing(self) -> FrameTiming:
        """The data sheet's rate, in proportion to XVCLK, its doubler and its divider."""
        array, (hz, divider) = resolution(self.registers), self._clock_in()
        frame_ns = 1_000_000_000 * _XVCLK_HZ * divider // (array.rate_hz * hz)
        return FrameTiming(frame_ns, frame_ns * _VSYNC_LINES // array.frame_lines)

    def _clock_in(self) -> tuple[int, int]:
        """In hertz, as a fraction: XVCLK doubled or not, and what divides it (CLKRC)."""
        clkrc = self.registers[CLKRC]
        return self.xclk_hz * (2 if clkrc & CLKRC_DOUBLER else 1), (clkrc & CLKRC_DIVIDER) + 1

    def pins(self) -> ParallelPins:
        """As COM10 says; PCLK is two a pixel, or what R_DVP_SP makes of twice the clock."""
        com10, array, dvp = self.registers[COM10], resolution(self.registers), self._dvp()
        hz, divider = self._clock_in()
        pixels = array.line_pixels * array.frame_lines * array.rate_hz
        shown = decode(self.registers).full_width
        automatic = 2 * pixels * hz * shown // (_XVCLK_HZ * divider * array.width)
        return ParallelPins(
            href_valid_high=not com10 & COM10_HREF_REVERSE,
            data_on_rising=not com10 & COM10_PCLK_REVERSE,
            vsync_low=bool(com10 & COM10_VSYNC_NEGATIVE),
            pclk_hz=2 * hz // divider // dvp if dvp else automatic,
        )

    def _dvp(self) -> int:
        """The divider of PCLK; 0: it follows the picture."""
        speed = self.registers[R_DVP_SP]
        return 0 if speed & DVP_AUTO else speed & DVP_DIVIDER

    def picture(self, frame: Frame, frame_ns: int) -> FrameLines:
        """What the registers make of the scene that shows the frame."""
        output, array = decode(self.registers), resolution(self.registers)
        compressed = self.registers[IMAGE_MODE] & MODE_JPEG
        quality = self.registers[QS] if compressed and not self.registers[R_BYPASS] & 1 else 0
        cached = self._rendered
        if cached is None or cached[0] is not frame or cached[1:3] != (output, quality):
            lines = _jpeg_lines(frame, output, quality) if quality else _lines(frame, output)
            self._rendered = cached = (frame, output, quality, lines)
        lines, ends_ns = cached[3], _line_ends(len(cached[3]), array, frame_ns)
        pitch_ns = (
            (array.frame_lines - _FIRST_LINE) * frame_ns // (array.frame_lines * max(len(lines), 1))
        )
        line_ns = pitch_ns * array.width // array.line_pixels
        return FrameLines(lines, ends_ns, line_ns, self._blanking(output, array))

    def _blanking(self, output: Output, array: ArrayMode) -> bytes:
        """What PCLK clocks between two lines: low data lines."""
        if self.registers[COM10] & COM10_PCLK_GATED or self.registers[IMAGE_MODE] & MODE_JPEG:
            return b""
        return bytes(2 * output.full_width * (array.line_pixels - array.width) // array.width)


def _line_ends(count: int, array: ArrayMode, frame_ns: int) -> list[int]:
    """When each line's last byte is out: they share the time of the array's lines."""
    visible = array.frame_lines - _FIRST_LINE
    clocks = array.frame_lines * array.line_pixels
    ends = []
    for row in range(1, count + 1):
        at = (_FIRST_LINE + visible * row / count) * array.line_pixels
        ends.append(
            int(at - visible / count * (array.line_pixels - array.width)) * frame_ns // clocks
        )
    return ends


def _lines(frame: Frame, output: Output) -> Lines:
    scale = scale_for(output.full_width)
    packed = render(compose(frame, scale), output, compose_colour(frame, scale))
    return _cut(packed.tobytes(), packed.shape[1])


def _jpeg_lines(frame: Frame, output: Output, quality: int) -> Lines:
    """A JPEG of the picture in lines as wide as its own, zeros after its end."""
    from PIL import Image  # only who asks for JPEG pays for it

    scale = scale_for(output.full_width)
    luma, rgb = view(compose(frame, scale), output, compose_colour(frame, scale))
    if not luma.size:
        return []
    pixels = np.ascontiguousarray(luma) if rgb is None else rgb.astype(np.uint8)
    steps = [
        [min(max(step * quality // _QS_UNITY, 1), 255) for step in table]
        for table in (_LUMA_STEPS, _CHROMA_STEPS)
    ]
    stream = io.BytesIO()
    picture = Image.fromarray(pixels).convert("RGB")  # the sensor's JPEG is always YUV 4:2:2
    picture.save(stream, "JPEG", qtables=steps, subsampling="4:2:2", optimize=False)
    data, stride = stream.getvalue(), 2 * output.width
    return _cut(data + bytes(-len(data) % stride), stride)


def _cut(data: bytes, stride: int) -> Lines:
    return [data[at : at + stride] for at in range(0, len(data), max(stride, 1))]
