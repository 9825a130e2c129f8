"""What a sensor makes of a scene once its registers are understood: window, scale, format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from boardless_sim.camera.frame import Luma

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
    RGB565_LOW_FIRST = "RGB565, low byte first"
    RGB555 = "RGB555"
    RAW = "raw"
    GREY = "Y"


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


_RGB = frozenset({PixelFormat.RGB565, PixelFormat.RGB565_LOW_FIRST, PixelFormat.RGB555})


def render(scene: Luma, output: Output, colour: Luma | None = None) -> NDArray[np.uint8]:
    """The bytes of every line, [height, bytes a line]; a scene without colour is grey."""
    luma, rgb = view(scene, output, colour)
    return _pack(_limit(luma, output), rgb, output)


def view(
    scene: Luma, output: Output, colour: Luma | None = None
) -> tuple[Luma, NDArray[np.int32] | None]:
    """What the output shows of a scene, [height,width], and in red, green and blue."""
    rows, columns = _sampling(output, scene.shape[0], scene.shape[1])
    if output.bars:
        bars = _BAR_RGB[columns * 8 // scene.shape[1]]
        shape = output.height, output.width
        luma = np.broadcast_to(_luma(bars).astype(np.uint8), shape)
        return luma, np.broadcast_to(bars, (*shape, 3))
    luma = scene
    if not _shows_the_whole(output, scene):
        luma = scene.take(rows, axis=0).take(columns, axis=1)
        colour = None if colour is None else colour.take(rows, axis=0).take(columns, axis=1)
    if output.negative:
        luma = ~luma
        colour = None if colour is None else ~colour
    return luma, None if colour is None else colour.astype(np.int32)


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
    if output.pixel_format is PixelFormat.GREY:
        return np.ascontiguousarray(luma)
    if output.pixel_format is PixelFormat.RAW:
        return np.ascontiguousarray(luma if rgb is None else _bayer(rgb, output))
    packed = np.empty((output.height, 2 * output.width), dtype=np.uint8)
    if output.pixel_format in _RGB:
        wide = luma.astype(np.int32)
        red, green, blue = (wide,) * 3 if rgb is None else (rgb[..., n] for n in range(3))
        if output.pixel_format is not PixelFormat.RGB555:
            pixel = red >> 3 << 11 | green >> 2 << 5 | blue >> 3
        else:
            pixel = red >> 3 << 10 | green >> 3 << 5 | blue >> 3
        low = output.pixel_format is PixelFormat.RGB565_LOW_FIRST
        packed[:, int(low) :: 2] = pixel >> 8
        packed[:, 1 - low :: 2] = pixel & 0xFF
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
