"""What the OV7670's registers make of a scene: size, pixel format, test bars (data sheet 1.4)."""

from __future__ import annotations

from collections.abc import Sequence

from boardless_sim.camera.sensors.rendering import Output, PixelFormat

VREF, COM3, COM7, COM10 = 0x03, 0x0C, 0x12, 0x15
HSTART, HSTOP, VSTRT, VSTOP, MVFP = 0x17, 0x18, 0x19, 0x1A, 0x1E
HREF, TSLB, COM13, COM14, COM15, COM17 = 0x32, 0x3A, 0x3D, 0x3E, 0x40, 0x42
MANU, MANV, SCALING_XSC, SCALING_YSC, SCALING_DCWCTR = 0x67, 0x68, 0x70, 0x71, 0x72

COM3_DCWEN = 1 << 2
COM7_RESET, COM7_CIF, COM7_QVGA, COM7_QCIF, COM7_RGB, COM7_BARS, COM7_RAW = (
    1 << 7, 1 << 5, 1 << 4, 1 << 3, 1 << 2, 1 << 1, 1 << 0,
)  # fmt: skip
COM13_UVSWAP, COM14_MANUAL, COM17_BARS, XSC_BARS = 1 << 0, 1 << 4, 1 << 3, 1 << 7
TSLB_UV_FIRST, TSLB_FIXED_UV, TSLB_NEGATIVE = 1 << 3, 1 << 4, 1 << 5
MVFP_MIRROR, MVFP_FLIP = 1 << 5, 1 << 4
COM15_RGB565, COM15_RGB555 = 1, 3  # in bits 5:4

ARRAY_WIDTH, ARRAY_HEIGHT = 640, 480
LINE_PIXELS = 784  # a line with its blanking
_FIRST_PIXEL, _FIRST_LINE = 158, 10  # HSTART and VSTRT that drivers use for the whole array


def decode(registers: Sequence[int]) -> Output:
    """Read the register file as far as drivers use it."""
    full_width, full_height, windowed = _scale(registers)
    left, top, width, height = 0, 0, full_width, full_height
    if windowed:
        left, width = _horizontal_window(registers, full_width)
        top, height = _vertical_window(registers, full_height)
    fixed = registers[TSLB] & TSLB_FIXED_UV
    ranges = ((0x10, 0xF0), (0x10, 0xF0), (0x01, 0xFE), (0x00, 0xFF))
    return Output(
        width, height, left, top, full_width, full_height,
        pixel_format=_pixel_format(registers),
        bars=bool(
            registers[COM7] & COM7_BARS
            or registers[COM17] & COM17_BARS
            or (registers[SCALING_XSC] & XSC_BARS and not registers[SCALING_YSC] & XSC_BARS)
        ),
        fixed_uv=(registers[MANU], registers[MANV]) if fixed else None,
        luma_range=ranges[registers[COM15] >> 6],
        negative=bool(registers[TSLB] & TSLB_NEGATIVE),
        mirror=bool(registers[MVFP] & MVFP_MIRROR),
        flip=bool(registers[MVFP] & MVFP_FLIP),
    )  # fmt: skip


def _scale(registers: Sequence[int]) -> tuple[int, int, bool]:
    """Size of the whole array in the output, and whether the window registers apply."""
    if registers[COM3] & COM3_DCWEN and registers[COM14] & COM14_MANUAL:
        dcw = registers[SCALING_DCWCTR]
        return ARRAY_WIDTH >> (dcw & 3), ARRAY_HEIGHT >> (dcw >> 4 & 3), True
    if registers[COM7] & COM7_QVGA:
        return 320, 240, True
    if registers[COM7] & COM7_CIF:
        return 352, 288, False
    if registers[COM7] & COM7_QCIF:
        return 176, 144, False
    return ARRAY_WIDTH, ARRAY_HEIGHT, True


def _horizontal_window(registers: Sequence[int], full_width: int) -> tuple[int, int]:
    start = registers[HSTART] << 3 | registers[HREF] & 7
    stop = registers[HSTOP] << 3 | registers[HREF] >> 3 & 7
    width = min((stop - start) % LINE_PIXELS, ARRAY_WIDTH)
    left = min(max(start - _FIRST_PIXEL, 0), ARRAY_WIDTH - width)
    return left * full_width // ARRAY_WIDTH, width * full_width // ARRAY_WIDTH & ~1


def _vertical_window(registers: Sequence[int], full_height: int) -> tuple[int, int]:
    start = registers[VSTRT] << 2 | registers[VREF] & 3
    stop = registers[VSTOP] << 2 | registers[VREF] >> 2 & 3
    height = min(max(stop - start, 0), ARRAY_HEIGHT)
    top = min(max(start - _FIRST_LINE, 0), ARRAY_HEIGHT - height)
    return top * full_height // ARRAY_HEIGHT, height * full_height // ARRAY_HEIGHT


def _pixel_format(registers: Sequence[int]) -> PixelFormat:
    com7 = registers[COM7]
    if com7 & COM7_RAW:
        return PixelFormat.RAW
    if com7 & COM7_RGB:
        rgb555 = registers[COM15] >> 4 & 3 == COM15_RGB555
        return PixelFormat.RGB555 if rgb555 else PixelFormat.RGB565
    swap = registers[COM13] & COM13_UVSWAP
    if registers[TSLB] & TSLB_UV_FIRST:
        return PixelFormat.VYUY if swap else PixelFormat.UYVY
    return PixelFormat.YVYU if swap else PixelFormat.YUYV
