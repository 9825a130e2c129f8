"""Frames in arrays: NPY, NPZ and IDX, with one picture or a series, grey or colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_sim.camera import idx
from boardless_sim.camera.fit import frame_of_pixels
from boardless_sim.camera.frame import Frame
from boardless_sim.errors import FrameError
from boardless_sim.files import read_file
from boardless_sim.npy import parse_npy, parse_npz

MOST_BYTES = 1 << 30  # unpacked
_CHANNELS = (1, 3, 4)
_SHAPES = "[H,W], [N,H,W] or [N,H,W,C] with 1, 3 or 4 channels"
_TYPES = "uint8, uint16, bool or floats of 0 to 1"
# What an .npz calls its frames, labels and the names of its classes, the first that is there.
_FRAME_NAMES, _LABEL_NAMES = ("x_test", "images", "frames"), ("y_test", "labels")


@dataclass(frozen=True)
class FrameArray:
    """Frames [N,H,W] or [N,H,W,C] of a file, and what it says of their classes.

    `count` is how many the file has, of which `pixels` may be the first few.
    """

    path: Path
    pixels: NDArray[Any]
    count: int
    is_series: bool
    labels: tuple[int, ...] | None = None
    classes: tuple[str, ...] = ()

    def frames(self, fit: str) -> Iterator[Frame]:
        """Each as a frame."""
        name = self.path.name
        for index, pixels in enumerate(self.pixels):
            own = f"{name}[{index}]" if self.is_series else name
            yield frame_of_pixels(own, _colour(_eight_bits(pixels)), fit)


def read_npy(path: Path) -> FrameArray:
    """A file of one array. Raises `FrameError`."""
    try:
        array = parse_npy(read_file(path, "an array of frames", FrameError, MOST_BYTES))
    except ValueError as error:
        raise _damaged(path, error) from error
    return _checked(path, array)


def read_npz(path: Path) -> FrameArray:
    """An archive of arrays: frames, their labels, the names of the classes."""
    try:
        arrays = parse_npz(read_file(path, "arrays", FrameError, MOST_BYTES), MOST_BYTES)
    except ValueError as error:
        raise _damaged(path, error) from error
    frames = next((name for name in _FRAME_NAMES if name in arrays), None)
    if frames is None and len(arrays) == 1:
        frames = next(iter(arrays))
    if frames is None:
        found = ", ".join(arrays)[:80]
        raise FrameError(f"{path}: found arrays {found}, expected {', '.join(_FRAME_NAMES)}")
    read = _checked(path, arrays[frames])
    labels = next((arrays[name] for name in _LABEL_NAMES if name in arrays), None)
    names = tuple(str(name) for name in arrays.get("classes", np.array([])).ravel())
    known = None if labels is None else _labels(path, labels, read.count)
    return FrameArray(path, read.pixels, read.count, read.is_series, known, names)


def read_idx(path: Path, limit: int | None) -> FrameArray:
    """An IDX file, of which no more than `limit` frames are unpacked."""
    count, array = idx.read(path, (2, 3, 4), limit)
    read = _checked(path, array)
    return FrameArray(path, read.pixels, count if read.is_series else 1, read.is_series)


def _checked(path: Path, array: NDArray[Any]) -> FrameArray:
    """The array as a series, once its shape and type are ones that pictures have."""
    is_wide_float = array.dtype.kind == "f" and not _within_one(array)
    if array.dtype not in (np.uint8, np.uint16, np.bool_) and array.dtype.kind != "f":
        raise FrameError(f"{path}: found {array.dtype.name}, expected {_TYPES}")
    if is_wide_float:
        raise FrameError(f"{path}: found {array.dtype.name} beyond 0 to 1, expected {_TYPES}")
    if array.ndim not in (2, 3, 4) or (array.ndim == 4 and array.shape[3] not in _CHANNELS):
        shape = list(array.shape)
        raise FrameError(f"{path}: found an array of {shape}, expected {_SHAPES}")
    # Three or four columns would be no picture: it is one picture in colour.
    is_one = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in _CHANNELS)
    series = array[np.newaxis] if is_one else array
    if 0 in series.shape[1:]:
        raise FrameError(f"{path}: found an array of {list(array.shape)}, expected some pixels")
    return FrameArray(path, series, len(series), not is_one)


def _within_one(array: NDArray[Any]) -> bool:
    # Written so that a NaN is outside.
    return bool(array.size == 0 or ((array >= 0) & (array <= 1)).all())


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    return np.rint(pixels.astype(np.float64) * 255).astype(np.uint8)


def _colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey without a channel, else red, green and blue; a fourth is how opaque, and left out."""
    if pixels.ndim == 2:
        return pixels
    return pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels[..., :3])


def _labels(path: Path, labels: NDArray[Any], count: int) -> tuple[int, ...]:
    flat = labels.ravel()
    if flat.dtype.kind not in "iu" or len(flat) != count or (count and int(flat.min()) < 0):
        found = f"{len(flat)} labels of {flat.dtype}"
        raise FrameError(f"{path}: found {found}, expected {count} that are 0 or more")
    return tuple(int(label) for label in flat)


def _damaged(path: Path, error: ValueError) -> FrameError:
    lines = str(error).splitlines() or [""]
    return FrameError(f"{path}: found a damaged array ({lines[0][:120]}), expected {_SHAPES}")
