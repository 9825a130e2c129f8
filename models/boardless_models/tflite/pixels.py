"""From a byte of a frame to the network's input, by what the file says of its grid.

A .tflite says what a step of its input is worth and where zero is, not which numbers it was trained
on. The common ones fill the grid: then a byte less 128 is the input. Where none does, the user says
what the bytes 0 and 255 stand for, and a table of 256 maps them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boardless_models.graph.graph import Graph, Lookup, Value, renumbered
from boardless_models.int8.scaling import INT8_MAXIMUM, INT8_MINIMUM
from boardless_sim.errors import ModelError

PIXELS = "pixels"
TENSOR = "tensor"
# What frames are commonly scaled to before training.
COMMON = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
# A grid within the first or the second of these may be that of a frame; others are of sensors.
PICTURE_GRIDS = ((-4.0, 4.0), (-1.0, 300.0))
PICTURE_CHANNELS = (1, 3)
# A zero between two steps is rounded to either of them; the rest is room for float32.
HALF_STEP = 0.51


@dataclass(frozen=True)
class InputRange:
    """What the bytes 0 and 255 stand for."""

    low: float
    high: float

    def table(self, value: Value) -> NDArray[np.int8]:
        """The input for each byte, rounded half away from zero as QUANTIZE does."""
        bytes_seen = np.arange(256, dtype=np.float64)
        real = self.low + bytes_seen * (self.high - self.low) / 255.0
        steps = real.astype(np.float32) / np.float32(value.scale)
        rounded = np.sign(steps) * np.floor(np.abs(steps) + np.float32(0.5))
        moved = rounded.astype(np.int64) + value.zero_point
        return np.asarray(np.clip(moved, INT8_MINIMUM, INT8_MAXIMUM), np.int8)


def parse_range(text: str) -> InputRange | None:
    """LOW,HIGH; None for the word that says that a byte is a value of the tensor."""
    if text == TENSOR:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not np.isfinite([low, high]).all() or low >= high or max(abs(low), abs(high)) > 1e6:
        raise ModelError(f"input range {text!r}, expected LOW,HIGH as 0,1, or {TENSOR}")
    return InputRange(low, high)


def with_pixels(graph: Graph, said: str | None) -> Graph:
    """The graph over bytes of frames. Raises `ModelError` where nobody can know what they mean."""
    value = graph.values[graph.input]
    if said is not None:
        chosen = parse_range(said)
        return graph if chosen is None else mapped(graph, chosen.table(value))
    ends = span_of(value)
    shape = value.shape
    flat = min(shape.height, shape.width) == 1 or shape.channels not in PICTURE_CHANNELS
    within = any(low <= ends[0] and ends[1] <= high for low, high in PICTURE_GRIDS)
    if flat or not within or any(fills(*each, value) for each in COMMON):
        return graph
    raise ModelError(
        f"tensor {value.name!r}: int8 spans {ends[0]:.4g} to {ends[1]:.4g}, none of the common "
        f"ranges of a pixel; say what the bytes 0 and 255 stand for (--input-range 0,1) or that "
        f"they are the tensor's values plus 128 (--input-range {TENSOR})"
    )


def span_of(value: Value) -> tuple[float, float]:
    """The real numbers that the ends of int8 stand for."""
    low, high = ((end - value.zero_point) * value.scale for end in (INT8_MINIMUM, INT8_MAXIMUM))
    return low, high


def fills(low: float, high: float, value: Value) -> bool:
    """Whether a range ends where int8 does, to half a step: a byte less 128 is the input then."""
    ends = span_of(value)
    return max(abs(ends[0] - low), abs(ends[1] - high)) < HALF_STEP * value.scale


def mapped(graph: Graph, table: NDArray[np.int8]) -> Graph:
    """The graph with a table before it; the same where the table changes nothing."""
    if np.array_equal(table, np.arange(INT8_MINIMUM, INT8_MAXIMUM + 1)):
        return graph
    number = {old: old + 1 for old in range(len(graph.values))}
    source = graph.values[graph.input]
    pixels = Value(PIXELS, source.shape, 1.0, INT8_MINIMUM, 0)
    values = (replace(value, storage=value.storage + 1) for value in graph.values)
    first = Lookup("pixels LOOKUP", 0, graph.input + 1, table, PIXELS)
    return replace(
        graph,
        values=(pixels, *values),
        operators=(first, *(renumbered(found, number) for found in graph.operators)),
        input=0,
        output=graph.output + 1,
    )
