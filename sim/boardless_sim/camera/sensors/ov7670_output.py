"""What the OV7670's registers make of a scene: size, pixel format, test bars (data sheet 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from boardless_sim.camera.frame import Luma

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

_BAR_RGB = np.array(
    [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0),
     (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)], dtype=np.int32,
)  # fmt: skip


class PixelFormat(Enum):
    """The order of the bytes on the data lines."""

    YUYV = "YUYV"
    YVYU = "YVYU"
    UYVY = "UYVY"
    VYUY = "VYUY"
    RGB565 = "RGB565"
    RGB555 = "RGB555"
    RAW = "raw"


@dataclass(frozen=True)
class Output:
    """The picture that the registers ask for."""

    width: int
    height: int
    left: int  # of the window, in pixels of the output
    top: int
    full_width: int  # of the whole array in this scale
    full_height: int
    pixel_format: PixelFormat
    bars: bool
    fixed_uv: tuple[int, int] | None
    luma_range: tuple[int, int]
    negative: bool
    mirror: bool
    flip: bool


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


def render(scene: Luma, output: Output, colour: Luma | None = None) -> NDArray[np.uint8]:
    """The bytes of every line, [height, bytes a line]; a scene without colour is grey."""
    rows, columns = _sampling(output, scene.shape[0], scene.shape[1])
    if output.bars:
        rgb = _BAR_RGB[columns * 8 // scene.shape[1]]
        luma = np.broadcast_to(_luma(rgb).astype(np.uint8), (output.height, output.width))
        return _pack(_limit(luma, output), rgb, output)
    luma = scene
    if not _shows_the_whole(output, scene):
        luma = scene.take(rows, axis=0).take(columns, axis=1)
        colour = None if colour is None else colour.take(rows, axis=0).take(columns, axis=1)
    if output.negative:
        luma = ~luma
        colour = None if colour is None else ~colour
    rgb = None if colour is None else colour.astype(np.int32)
    return _pack(_limit(luma, output), rgb, output)


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


def _shows_the_whole(output: Output, scene: Luma) -> bool:
    """Whether the output is the scene, pixel for pixel."""
    same = (output.height, output.width) == scene.shape == (output.full_height, output.full_width)
    return same and not output.mirror and not output.flip


@lru_cache(maxsize=8)
def _sampling(output: Output, height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which rows and columns of the scene the output shows."""
    rows = _nearest(output.top, output.height, output.full_height, height, output.flip)
    columns = _nearest(output.left, output.width, output.full_width, width, output.mirror)
    return rows, columns


def _nearest(first: int, count: int, full: int, available: int, reverse: bool) -> NDArray[np.intp]:
    """Which row or column of the scene each one of the output shows."""
    index = (np.arange(first, first + count) * available) // full
    return index[::-1] if reverse else index


def _luma(rgb: NDArray[np.int32]) -> NDArray[np.int32]:
    """ITU-R BT.601."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return (299 * red + 587 * green + 114 * blue + 500) // 1000


def _limit(luma: NDArray[np.uint8], output: Output) -> NDArray[np.uint8]:
    low, high = output.luma_range
    return luma if (low, high) == (0, 255) else np.clip(luma, low, high)


def _pack(
    luma: NDArray[np.uint8], rgb: NDArray[np.int32] | None, output: Output
) -> NDArray[np.uint8]:
    if output.pixel_format is PixelFormat.RAW:
        return np.ascontiguousarray(luma if rgb is None else _bayer(rgb, output))
    packed = np.empty((output.height, 2 * output.width), dtype=np.uint8)
    if output.pixel_format in (PixelFormat.RGB565, PixelFormat.RGB555):
        wide = luma.astype(np.int32)
        red, green, blue = (wide,) * 3 if rgb is None else (rgb[..., n] for n in range(3))
        if output.pixel_format is PixelFormat.RGB565:
            pixel = red >> 3 << 11 | green >> 2 << 5 | blue >> 3
        else:
            pixel = red >> 3 << 10 | green >> 3 << 5 | blue >> 3
        packed[:, 0::2] = pixel >> 8
        packed[:, 1::2] = pixel & 0xFF
        return packed
    order = output.pixel_format.value
    if rgb is None or output.fixed_uv is not None:
        packed = _grey_template(output).copy()
        packed[:, order.index("Y") :: 2] = luma
        return packed
    u, v = _chroma(rgb)
    packed[:, order.index("Y") :: 2] = luma
    packed[:, order.index("U") :: 4] = u
    packed[:, order.index("V") :: 4] = v
    return packed


def _bayer(rgb: NDArray[np.int32], output: Output) -> NDArray[np.uint8]:
    """Blue and green in even rows of the array, green and red in odd ones (data sheet, figure 3).

    Mirrored or not: the window is read from the other end, and its first pixel is what it was.
    """
    row, column = output.top & 1, output.left & 1
    mosaic = rgb[..., 1].astype(np.uint8)
    mosaic[row::2, column::2] = rgb[row::2, column::2, 2]
    mosaic[1 - row :: 2, 1 - column :: 2] = rgb[1 - row :: 2, 1 - column :: 2, 0]
    return mosaic


@lru_cache(maxsize=8)
def _grey_template(output: Output) -> NDArray[np.uint8]:
    """A picture with the chroma of grey; every frame fills in its luma."""
    packed = np.zeros((output.height, 2 * output.width), dtype=np.uint8)
    order, (u, v) = output.pixel_format.value, output.fixed_uv or (128, 128)
    packed[:, order.index("U") :: 4] = u
    packed[:, order.index("V") :: 4] = v
    return packed


def _chroma(rgb: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """U and V of every second pixel."""
    even = rgb[..., ::2, :]
    luma = _luma(even)
    u = (even[..., 2] - luma) * 564 // 1000 + 128
    v = (even[..., 0] - luma) * 713 // 1000 + 128
    return np.clip(u, 0, 255), np.clip(v, 0, 255)
