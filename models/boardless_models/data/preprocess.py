"""From the camera's frame to the network's input, as the firmware's preprocess.c to the byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_sim.errors import ModelError

Bytes = NDArray[np.uint8]
# Red from V, green from U and V, blue from U: ITU-R BT.601, full range, in 256ths.
RED_V, GREEN_U, GREEN_V, BLUE_U = 359, 88, 183, 454
HALF = 128


def preprocess(frame: Bytes, shape: Shape) -> Bytes:
    """A frame [H,W,2] in Y U Y V as the input [height,width,channels]."""
    height, width, _ = frame.shape
    block = min(height // shape.height, width // shape.width)
    if block < 1 or shape.channels not in (1, 3):
        raise ModelError(f"an input of {shape.text} of a frame of {height}x{width}")
    top = (height - block * shape.height) // 2
    left = (width - block * shape.width) // 4 * 2
    # The two pixels of a pair have one U and one V.
    planes = frame[..., 0], np.repeat(frame[:, 0::2, 1], 2, 1), np.repeat(frame[:, 1::2, 1], 2, 1)
    y, u, v = (
        means(plane[top : top + block * shape.height, left : left + block * shape.width], block)
        for plane in planes
    )
    if shape.channels == 1:
        return y.astype(np.uint8)[..., None]
    u, v = u - HALF, v - HALF
    red = y + ((RED_V * v + HALF) >> 8)
    green = y - ((GREEN_U * u + GREEN_V * v + HALF) >> 8)
    blue = y + ((BLUE_U * u + HALF) >> 8)
    return np.asarray(np.clip(np.stack([red, green, blue], axis=2), 0, 255), np.uint8)


def means(plane: Bytes, block: int) -> NDArray[np.int64]:
    """The mean of each block, rounded half up."""
    rows, columns = plane.shape[0] // block, plane.shape[1] // block
    sums = plane.astype(np.int64).reshape(rows, block, columns, block).sum(axis=(1, 3))
    return np.asarray((sums + block * block // 2) // (block * block))
