"""What a tensor of a user's .tflite must be before it is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileTensor, TfliteFile
from boardless_sim import files
from boardless_sim.errors import ModelError

LARGEST_FILE_BYTES = 16 * 1024 * 1024
LARGEST_EXTENT = 4096


def read_file(path: Path) -> bytes:
    """The bytes of a .tflite that is not too large. Raises `ModelError` with the file's name."""
    return files.read_file(path, "a .tflite", ModelError, LARGEST_FILE_BYTES)


def file_in(content: bytes, path: Path) -> TfliteFile:
    """What a .tflite's bytes say; `path` is for the message alone."""
    try:
        return tfl.read_tflite(content)
    except ModelError as cause:
        raise ModelError(f"{path}: not a readable .tflite ({cause})") from cause


def grid_of(tensor: FileTensor) -> tuple[float, int]:
    """Scale and zero point of an activation."""
    if tensor.scales.size != 1 or tensor.zero_points.size != 1:
        raise ModelError(f"tensor {tensor.name!r} has no scale, expected one and a zero point")
    scale, zero_point = float(tensor.scales[0]), int(tensor.zero_points[0])
    if not is_positive(tensor.scales) or not -128 <= zero_point <= 127:
        raise ModelError(
            f"tensor {tensor.name!r}: scale {scale:g}, zero point {zero_point}; expected a "
            "positive number, -128 to 127"
        )
    return scale, zero_point


def is_positive(scales: NDArray[np.float32]) -> bool:
    """Whether every scale is a positive number that is not subnormal or endless."""
    return bool(np.isfinite(scales).all() and (scales > 1e-30).all() and (scales < 1e30).all())


def shape_of(tensor: FileTensor) -> Shape:
    """[1,H,W,C], [1,W,C] or [1,C] as height, width, channels."""
    shape = tensor.shape
    if len(shape) not in (2, 3, 4) or shape[0] != 1 or max(shape) > LARGEST_EXTENT:
        raise ModelError(
            f"tensor {tensor.name!r} is {list(shape)}, expected [1,H,W,C], [1,W,C] or [1,C] of at "
            f"most {LARGEST_EXTENT}"
        )
    # What is missing before the channels is one pixel wide.
    height, width, channels = (1,) * (4 - len(shape)) + shape[1:]
    return Shape(height, width, channels)


def constant(tensor: FileTensor, kind: np.dtype[Any]) -> NDArray[Any]:
    """A constant as an array of its shape."""
    expected = int(np.prod([float(extent) for extent in tensor.shape])) * kind.itemsize
    if min(tensor.shape, default=1) < 1 or len(tensor.data) != expected:
        raise ModelError(
            f"tensor {tensor.name!r}: {len(tensor.data)} bytes of data, expected {expected}"
        )
    return np.frombuffer(tensor.data, kind).reshape(tensor.shape)
