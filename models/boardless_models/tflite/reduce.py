"""MEAN and PAD of a user's .tflite: which axes they work on, and their arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.graph.graph import Mean, Value
from boardless_models.int8.scaling import INT8_MAXIMUM, INT8_MINIMUM, quantize_multiplier
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileTensor
from boardless_models.tflite.tensors import constant
from boardless_sim.errors import ModelError

MOST_FOLDED_BITS = 32
LARGEST_BORDER = 255


@dataclass(frozen=True)
class Border:
    """Pixels that a PAD adds on each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def around(self, shape: Shape) -> Shape:
        """The shape with the border."""
        height = shape.height + self.top + self.bottom
        return Shape(height, shape.width + self.left + self.right, shape.channels)


def border_of(paddings: FileTensor) -> Border:
    """The constant of a PAD, four pairs: only rows and columns may have a border."""
    pairs = integers(paddings)
    if pairs.shape != (4, 2) or pairs.min() < 0 or pairs.max() > LARGEST_BORDER:
        raise ModelError(f"paddings {pairs.tolist()}, expected four pairs of 0 to {LARGEST_BORDER}")
    if pairs[[0, 3]].any():
        raise ModelError(f"paddings {pairs.tolist()}, expected none of batch and channels")
    return Border(*(int(side) for side in (*pairs[1], *pairs[2])))


def mean_of(
    name: str, numbers: tuple[int, int], source: Value, target: Value, axes: FileTensor
) -> Mean:
    """MEAN over rows and columns; the number of pixels is folded into the factor."""
    found = sorted(int(axis) % 4 for axis in integers(axes).reshape(-1))
    if found != [1, 2]:
        raise ModelError(f"axes {integers(axes).tolist()}, expected rows and columns (1, 2)")
    channels = source.shape.channels
    if target.shape != Shape(1, 1, channels):
        raise ModelError(f"tensor {target.name!r}, expected {channels} channels of one pixel")
    pixels = source.shape.height * source.shape.width
    multiplier, exponent = quantize_multiplier(source.scale / target.scale)
    # As TensorFlow Lite: raised by as many bits as the count has before it is divided.
    raised = max(0, min(pixels.bit_length() - 1, MOST_FOLDED_BITS, 31 + exponent))
    return Mean(
        name,
        *numbers,
        np.array([(multiplier << raised) // pixels], np.int32),
        np.array([exponent - raised], np.int8),
        np.array([1.0 / pixels], np.float32),
        INT8_MINIMUM,
        INT8_MAXIMUM,
    )


def integers(tensor: FileTensor) -> NDArray[np.int32]:
    """A constant of int32."""
    if tensor.kind != tfl.INT32 or not tensor.data:
        raise ModelError(f"tensor {tensor.name!r}, expected constant int32")
    return constant(tensor, np.dtype(np.int32))
