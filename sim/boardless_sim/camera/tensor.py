"""Inputs that are no picture: a network's tensors, which reach the firmware through its mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless_sim.camera.frame import Frame
from boardless_sim.errors import FrameError
from boardless_sim.files import read_file
from boardless_sim.npy import parse_npy

_EXPECTED = "expected int8 or uint8 [N,...], an input in each row"
_INT8_ZERO = 128  # the firmware's byte for the int8 zero


@dataclass(frozen=True, eq=False)
class InputTensor(Frame):
    """One input: `luma` is a row of the bytes that the network reads, an int8 value plus 128."""


def open_tensors(path: Path, limit: int | None = None) -> Iterator[InputTensor]:
    """The rows of an .npy of int8 (the input's values) or uint8 (those plus 128).

    Raises `FrameError` for any other file.
    """
    try:
        array = parse_npy(read_file(path, "a readable .npy of tensors", FrameError))
    except ValueError as error:
        raise FrameError(f"{path}: found a damaged array ({error}), {_EXPECTED}") from error
    if array.dtype not in (np.int8, np.uint8) or array.ndim < 2 or not array.size:
        raise FrameError(f"{path}: found {array.dtype} {list(array.shape)}, {_EXPECTED}")
    rows = in_bytes(array).reshape(len(array), 1, -1)[:limit]
    return iter([InputTensor(f"{path.name}[{at}]", row) for at, row in enumerate(rows)])


def in_bytes(array: NDArray[np.int8] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An int8 value plus 128; a byte as it is."""
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array, np.uint8)
    return (array.astype(np.int16) + _INT8_ZERO).astype(np.uint8)
