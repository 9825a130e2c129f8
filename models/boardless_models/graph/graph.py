"""A quantised network as a graph: typed operators on int8 values, everything in integers.

It is the one form of a network: what the firmware runs, what an artifact holds, what a .tflite is
read as. The layers that are trained become one when they are quantised (`chain.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.int8.scaling import (
    INT8_MAXIMUM,
    INT8_MINIMUM,
    ROUNDINGS,
    Factor,
    Integers,
    Rounding,
    scaled,
)

ADD_LEFT_SHIFT = 20
FEWEST_RECONSTRUCTED = 8  # fewer outputs than this, as many as inputs, are no autoencoder's
MOST_CLASSES = 256  # that are taken for classes where nobody says so


@dataclass(frozen=True)
class Value:
    """An int8 tensor [H,W,C]; a reshape has the bytes of the value that `storage` names."""

    name: str
    shape: Shape
    scale: float
    zero_point: int
    storage: int


@dataclass(frozen=True)
class Window:
    """How a window walks over its input: its size, its steps, and the border above and left."""

    rows: int
    columns: int
    stride_rows: int = 1
    stride_columns: int = 1
    top: int = 0
    left: int = 0


@dataclass(frozen=True)
class Convolve:
    """Convolution with weights [out,rows,columns,in]; depthwise: [out,rows,columns,1].

    A fully connected layer is one of 1×1 over a value of one pixel. `scales` are the weights'; no
    sum needs them. With `pool` 2 the output is the largest of each 2×2, in steps of two; `bits` is
    how wide a weight is stored.
    """

    name: str
    input: int
    output: int
    depthwise: bool
    window: Window
    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    exponent: NDArray[np.int8]
    scales: NDArray[np.float32]
    least: int
    most: int
    pool: int = 1
    bits: int = 8


@dataclass(frozen=True)
class Pool:
    """The largest or the mean of each window; the border does not count."""

    name: str
    input: int
    output: int
    kind: Literal["max", "average"]
    window: Window
    least: int
    most: int


@dataclass(frozen=True)
class Add:
    """Two values of one shape, in two ways of rounding; a sign of -1 takes one away.

    `double`: each input, shifted left by 20, times its factor; the sum times the third factor.
    `single`: (first × weights[0] + second × weights[1], rounded) >> shift.
    """

    name: str
    input: int
    second: int
    output: int
    factors: tuple[Factor, Factor, Factor]
    weights: tuple[int, int]
    shift: int
    least: int
    most: int
    signs: tuple[int, int] = field(default=(1, 1), kw_only=True)

    def share(self, centred: Integers, place: int, way: Rounding) -> Integers:
        """What the first (0) or the second (1) adds to the sum, from values less zero points."""
        if way == "single":
            return centred * self.weights[place] * self.signs[place]
        multiplier, exponent = (np.array(part) for part in self.factors[place])
        return scaled(centred << ADD_LEFT_SHIFT, multiplier, exponent, "double") * self.signs[place]


@dataclass(frozen=True)
class AddConstant(Add):
    """A value and a constant for each channel: what the constant adds, int32 [rounding, channels].

    The rows stand in the order of `ROUNDINGS`; `second` is the input again and not read.
    """

    addends: NDArray[np.int32]

    def addends_in(self, way: Rounding) -> NDArray[np.int32]:
        """Those of one rounding, [channels]."""
        return np.asarray(self.addends[ROUNDINGS.index(way)])


@dataclass(frozen=True)
class Prelu:
    """An activation of two slopes: of values less the input's zero point, `above` from zero up.

    Below zero it is the channel's slope (less its zero point) times `below`. Both factors round
    twice in either rounding: TensorFlow Lite has this kernel once.
    """

    name: str
    input: int
    output: int
    slope: NDArray[np.int8]
    slope_zero_point: int
    above: Factor
    below: Factor
    least: int
    most: int
    slope_scale: float = 0.0


@dataclass(frozen=True)
class Lookup:
    """Any other activation: the output for each input from -128 to 127, and what it stands for."""

    name: str
    input: int
    output: int
    table: NDArray[np.int8]
    function: str = ""


@dataclass(frozen=True)
class Mean:
    """The mean of each channel over all pixels: the sum times one factor, which divides too.

    multiplier, exponent and scales have one entry; the scale is that of a weight of one pixel.
    """

    name: str
    input: int
    output: int
    multiplier: NDArray[np.int32]
    exponent: NDArray[np.int8]
    scales: NDArray[np.float32]
    least: int
    most: int


@dataclass(frozen=True)
class Concatenate:
    """The channels of two values, one after the other, on one grid."""

    name: str
    input: int
    second: int
    output: int


@dataclass(frozen=True)
class Multiply:
    """Two values of one shape, or the second of one pixel for all; each less its zero point.

    multiplier, exponent and scales have one entry; the scale is the second's.
    """

    name: str
    input: int
    second: int
    output: int
    multiplier: NDArray[np.int32]
    exponent: NDArray[np.int8]
    scales: NDArray[np.float32]
    least: int
    most: int


@dataclass(frozen=True)
class Select:
    """Rows, columns and channels of the input by their numbers; at -1 the filler.

    What only moves values: a border, a part, pixels that are repeated.
    """

    name: str
    input: int
    output: int
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    channels: NDArray[np.int32]
    filler: int


# What the output says: which class, how far it is from the input (an autoencoder), or itself.
Task = Literal["classes", "error", "values"]
TASKS: tuple[Task, ...] = ("classes", "error", "values")
Operator = Convolve | Pool | Add | Prelu | Lookup | Mean | Concatenate | Multiply | Select
Pair = Add | Concatenate | Multiply


@dataclass(frozen=True)
class Graph:
    """Operators in the order in which they run, and the classes' names where they are known.

    Without `tiles` no convolution is done tile by tile, which is faster and takes more RAM.
    """

    name: str
    values: tuple[Value, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int
    rounding: Rounding
    score_step: int
    classes: tuple[str, ...] = ()
    tiles: bool = True
    task: Task = "classes"


def likely_task(source: Shape, target: Shape) -> Task:
    """What an output without a softmax is by its size: the input again, classes, or else values."""
    if source.size == target.size > FEWEST_RECONSTRUCTED:
        return "error"
    of_one_pixel = (target.height, target.width) == (1, 1)
    return "classes" if of_one_pixel and 2 <= target.size <= MOST_CLASSES else "values"


def inputs_of(operator: Operator) -> tuple[int, ...]:
    """The values that an operator reads."""
    if isinstance(operator, Pair):
        return operator.input, operator.second
    return (operator.input,)


def limits_of(operator: Operator) -> tuple[int, int]:
    """The least and the largest int8 that an operator puts out."""
    if isinstance(operator, Lookup | Concatenate | Select):
        return INT8_MINIMUM, INT8_MAXIMUM
    return operator.least, operator.most


def renumbered(operator: Operator, number: Mapping[int, int]) -> Operator:
    """The operator between the same values under their new numbers."""
    source, target = number[operator.input], number[operator.output]
    if isinstance(operator, Pair):
        return replace(operator, input=source, second=number[operator.second], output=target)
    return replace(operator, input=source, output=target)


def macs_of(graph: Graph, operator: Operator) -> int:
    """Multiplications of one operator; only a convolution has them."""
    if not isinstance(operator, Convolve):
        return 0
    pixels = graph.values[operator.output].shape.size * operator.pool**2
    return pixels * (operator.weight.size // len(operator.weight))


def output_extent(extent: int, window: int, stride: int, same: bool) -> tuple[int, int]:
    """How many windows fit on an extent, and how much border stands before the first."""
    if not same:
        return max(0, (extent - window) // stride + 1), 0
    count = -(-extent // stride)
    return count, max(0, (count - 1) * stride + window - extent) // 2
