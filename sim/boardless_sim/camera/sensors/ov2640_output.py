"""What the OV2640's registers make of a scene (data sheet 2.2, tables 12 and 13).

The sensor gives UXGA, SVGA or CIF; the DSP takes a window of it (HSIZE, VSIZE, offsets), halves it
as often as CTRLI says, and scales it to OUTW by OUTH where CTRL2 has DCW on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from boardless_sim.camera.sensors.rendering import Output, PixelFormat

BANK_SELECT, DSP, SENSOR = 0xFF, 0x000, 0x100  # RA_DLMT, and where each bank stands in the file

# Bank 0, the DSP.
R_BYPASS, QS, CTRLI = DSP | 0x05, DSP | 0x44, DSP | 0x50
HSIZE, VSIZE, XOFFL, YOFFL, VHYX, TEST = (DSP | n for n in (0x51, 0x52, 0x53, 0x54, 0x55, 0x57))
ZMOW, ZMOH, ZMHH = DSP | 0x5A, DSP | 0x5B, DSP | 0x5C
CTRL2, SIZEL, HSIZE8, VSIZE8, CTRL0 = (DSP | n for n in (0x86, 0x8C, 0xC0, 0xC1, 0xC2))
R_DVP_SP, IMAGE_MODE, RESET = DSP | 0xD3, DSP | 0xDA, DSP | 0xE0
# Bank 1, the sensor.
COM1, REG04, COM2, PIDH, PIDL = (SENSOR | n for n in (0x03, 0x04, 0x09, 0x0A, 0x0B))
CLKRC, COM7, COM10, MIDH, MIDL = (SENSOR | n for n in (0x11, 0x12, 0x15, 0x1C, 0x1D))

BYPASS = 1 << 0  # R_BYPASS: the sensor's output goes past the DSP
CTRL2_DCW, CTRL0_VFIRST = 1 << 5, 1 << 4
MODE_Y8, MODE_JPEG, MODE_SWAP = 1 << 6, 1 << 4, 1 << 0
RESET_JPEG, RESET_DVP = 1 << 4, 1 << 2
REG04_MIRROR, REG04_FLIP = 1 << 7, 1 << 6
COM7_RESET, COM7_RESOLUTION, COM7_BARS = 1 << 7, 7 << 4, 1 << 1

_ALL = (0x00, 0xFF)


@dataclass(frozen=True)
class ArrayMode:
    """A mode of the array: what it gives, and its timing in pixels and lines (figures 10 to 12).

    `rate_hz`: frames a second at an XVCLK of 24 MHz, CLKRC 0 (data sheet, key specifications).
    """

    width: int
    height: int
    line_pixels: int
    frame_lines: int
    rate_hz: int


UXGA = ArrayMode(1600, 1200, 1922, 1248, 15)
SVGA = ArrayMode(800, 600, 1190, 672, 30)
CIF = ArrayMode(400, 296, 595, 336, 60)
_RESOLUTIONS = {0b000: UXGA, 0b100: SVGA, 0b010: CIF, 0b001: CIF}


def resolution(registers: Sequence[int]) -> ArrayMode:
    """As COM7 says; a combination that the data sheet does not have is UXGA."""
    return _RESOLUTIONS.get((registers[COM7] & COM7_RESOLUTION) >> 4, UXGA)


def decode(registers: Sequence[int]) -> Output:
    """The picture that the registers ask for."""
    array = resolution(registers)
    if registers[R_BYPASS] & BYPASS:
        left, top, wide, high = 0, 0, array.width, array.height
        width, height, pixel_format = wide, high, PixelFormat.RAW
    else:
        left, top, wide, high = _window(registers, array)
        width, height = _size(registers, wide, high)
        pixel_format = _pixel_format(registers)
    return Output(
        width=width,
        height=height,
        left=left * width // max(wide, 1),
        top=top * height // max(high, 1),
        full_width=array.width * width // max(wide, 1),
        full_height=array.height * height // max(high, 1),
        pixel_format=pixel_format,
        bars=bool(registers[COM7] & COM7_BARS),
        fixed_uv=None,
        luma_range=_ALL,
        negative=False,
        mirror=bool(registers[REG04] & REG04_MIRROR),
        flip=bool(registers[REG04] & REG04_FLIP),
    )


def _window(registers: Sequence[int], array: ArrayMode) -> tuple[int, int, int, int]:
    """Left, top, width, height, in pixels of the array; never beyond it."""
    more = registers[VHYX]
    width = 4 * (registers[HSIZE] | (more >> 3 & 1) << 8 | (registers[TEST] >> 7) << 9)
    height = 4 * (registers[VSIZE] | (more >> 7) << 8)
    width, height = min(width, array.width), min(height, array.height)
    left = min(registers[XOFFL] | (more & 7) << 8, array.width - width)
    top = min(registers[YOFFL] | (more >> 4 & 7) << 8, array.height - height)
    return left, top, width, height


def _size(registers: Sequence[int], width: int, height: int) -> tuple[int, int]:
    """Of the output: the window halved, or scaled down to OUTW by OUTH; it is never scaled up."""
    divided = width >> (registers[CTRLI] & 7), height >> (registers[CTRLI] >> 3 & 7)
    if not registers[CTRL2] & CTRL2_DCW:
        return divided
    more = registers[ZMHH]
    wanted = 4 * (registers[ZMOW] | (more & 3) << 8), 4 * (registers[ZMOH] | (more >> 2 & 1) << 8)
    return min(wanted[0], width), min(wanted[1], height)


def _pixel_format(registers: Sequence[int]) -> PixelFormat:
    mode = registers[IMAGE_MODE]
    kind = mode >> 2 & 3
    if mode & MODE_Y8:
        return PixelFormat.GREY
    if kind == 0b01:
        return PixelFormat.RAW
    if kind == 0b10:
        return PixelFormat.RGB565_LOW_FIRST if mode & MODE_SWAP else PixelFormat.RGB565
    v_first = registers[CTRL0] & CTRL0_VFIRST
    if mode & MODE_SWAP:
        return PixelFormat.VYUY if v_first else PixelFormat.UYVY
    return PixelFormat.YVYU if v_first else PixelFormat.YUYV
