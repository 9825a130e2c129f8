"""What a graph puts out: integers only, many frames at once, an operator at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.graph.graph import (
    Add,
    AddConstant,
    Concatenate,
    Convolve,
    Graph,
    Lookup,
    Mean,
    Multiply,
    Operator,
    Pool,
    Prelu,
    Select,
    Window,
    inputs_of,
)
from boardless_models.int8.activation import sloped
from boardless_models.int8.scaling import Integers, Rounding, scaled

Int8 = NDArray[np.int8]
# The camera's byte becomes int8 by subtracting this.
FRAME_ZERO = 128


Factored = Convolve | Mean | Multiply
Requantise = Callable[[Factored, Integers], Integers]


def run_graph(
    graph: Graph,
    frames: NDArray[np.uint8],
    way: Rounding | None = None,
    requantise: Requantise | None = None,
) -> list[Int8]:
    """Every operator's output [N,H,W,C] for frames [N,H,W] or [N,H,W,C].

    `requantise` takes the place of the rounding where a peer has its own way with sums.
    """
    way = way or graph.rounding
    requantise = requantise or rounded_as(way)
    centred = (frames.astype(np.int16) - FRAME_ZERO).astype(np.int8)
    held: dict[int, Int8] = {graph.values[graph.input].storage: centred}

    def read(index: int) -> Int8:
        value = graph.values[index]
        return held[value.storage].reshape(len(frames), *extents(value.shape))

    outputs: list[Int8] = []
    for operator in graph.operators:
        tensors = [read(index) for index in inputs_of(operator)]
        outputs.append(computed(graph, operator, tensors, way, requantise))
        held[graph.values[operator.output].storage] = outputs[-1]
    return outputs


def computed(
    graph: Graph, operator: Operator, tensors: list[Int8], way: Rounding, requantise: Requantise
) -> Int8:
    """What one operator makes of the tensors that it reads."""
    first, second = tensors[0], tensors[-1]
    match operator:
        case Convolve():
            return convolve(graph, operator, first, requantise)
        case Pool():
            return pool(operator, first, graph.values[operator.output].shape)
        case Add():
            return add(graph, operator, first, second, way)
        case Prelu():
            return prelu(graph, operator, first)
        case Mean():
            return mean(graph, operator, first, requantise)
        case Multiply():
            return multiply(graph, operator, first, second, requantise)
    return moved(operator, first, second)


def moved(operator: Lookup | Concatenate | Select, first: Int8, second: Int8) -> Int8:
    """What an operator makes that computes nothing."""
    match operator:
        case Lookup():
            return np.asarray(operator.table[first.astype(np.int16) + FRAME_ZERO], np.int8)
        case Concatenate():
            return np.concatenate((first, second), axis=3)
        case Select():
            return select(operator, first)


def rounded_as(way: Rounding) -> Requantise:
    """Sums times the operator's integer factors."""

    def requantise(operator: Factored, sums: Integers) -> Integers:
        factors = operator.multiplier.astype(np.int64), operator.exponent.astype(np.int64)
        return scaled(sums, *factors, way)

    return requantise


def extents(shape: Shape) -> tuple[int, int, int]:
    """Height, width, channels."""
    return shape.height, shape.width, shape.channels


def taps(tensor: Integers, window: Window, shape: Shape, filler: int) -> list[Integers]:
    """For each tap of the window what it sees at every output pixel: [N,H',W',C]."""
    needed_rows = (shape.height - 1) * window.stride_rows + window.rows
    needed_columns = (shape.width - 1) * window.stride_columns + window.columns
    bottom = max(0, needed_rows - window.top - tensor.shape[1])
    right = max(0, needed_columns - window.left - tensor.shape[2])
    border = ((0, 0), (window.top, bottom), (window.left, right), (0, 0))
    padded = np.pad(tensor, border, constant_values=filler)
    return [
        padded[
            :,
            row : row + (shape.height - 1) * window.stride_rows + 1 : window.stride_rows,
            column : column + (shape.width - 1) * window.stride_columns + 1 : window.stride_columns,
        ]
        for row in range(window.rows)
        for column in range(window.columns)
    ]


def convolve(graph: Graph, operator: Convolve, tensor: Int8, requantise: Requantise) -> Int8:
    """Sums of products, bias, requantise, clamp."""
    source, target = graph.values[operator.input], graph.values[operator.output]
    centred = tensor.astype(np.int64) - source.zero_point
    outputs = len(operator.weight)
    weight = operator.weight.astype(np.int64).reshape(outputs, -1, operator.weight.shape[3])
    side, shape = operator.pool, target.shape
    before = Shape(shape.height * side, shape.width * side, shape.channels)
    sums = np.zeros((len(tensor), *extents(before)), np.int64) + operator.bias
    for tap, seen in enumerate(taps(centred, operator.window, before, 0)):
        if operator.depthwise:
            repeated = np.repeat(seen, outputs // source.shape.channels, axis=3)
            sums += repeated * weight[:, tap, 0]
        else:
            # float64 holds every product and sum of int8 exactly, and multiplies far faster.
            products = seen.astype(np.float64) @ weight[:, tap].T.astype(np.float64)
            sums += products.astype(np.int64)
    rounded = requantise(operator, sums) + target.zero_point
    clamped = np.asarray(np.clip(rounded, operator.least, operator.most), np.int8)
    squares = clamped.reshape(len(tensor), shape.height, side, shape.width, side, shape.channels)
    return np.asarray(squares.max(axis=(2, 4)), np.int8)


def pool(operator: Pool, tensor: Int8, shape: Shape) -> Int8:
    """The largest, or the mean rounded half away from zero, of what is inside the border."""
    wide = tensor.astype(np.int64)
    if operator.kind == "max":
        found = np.stack(taps(wide, operator.window, shape, -(1 << 31))).max(axis=0)
    else:
        total = sum(taps(wide, operator.window, shape, 0), np.int64(0))
        inside = np.ones((1, *wide.shape[1:]), np.int64)
        count = sum(taps(inside, operator.window, shape, 0), np.int64(0))
        half = count // 2
        found = np.where(total > 0, (total + half) // count, -((-total + half) // count))
    return np.asarray(np.clip(found, operator.least, operator.most), np.int8)


def add(graph: Graph, operator: Add, first: Int8, second: Int8, way: Rounding) -> Int8:
    """Both inputs on a common grid, their sum on the output's."""
    one, two = (
        operator.share(tensor.astype(np.int64) - graph.values[index].zero_point, place, way)
        for place, (tensor, index) in enumerate(
            ((first, operator.input), (second, operator.second))
        )
    )
    if isinstance(operator, AddConstant):
        two = operator.addends_in(way).astype(np.int64)
    if way == "single":
        total = (one + two + (1 << (operator.shift - 1))) >> operator.shift
    else:
        multiplier, exponent = (np.array(part) for part in operator.factors[2])
        total = scaled(one + two, multiplier, exponent, "double")
    rounded = total + graph.values[operator.output].zero_point
    return np.asarray(np.clip(rounded, operator.least, operator.most), np.int8)


def multiply(
    graph: Graph, operator: Multiply, first: Int8, second: Int8, requantise: Requantise
) -> Int8:
    """The product of both less their zero points, requantised."""
    one, two = (
        tensor.astype(np.int64) - graph.values[index].zero_point
        for tensor, index in ((first, operator.input), (second, operator.second))
    )
    rounded = requantise(operator, one * two) + graph.values[operator.output].zero_point
    return np.asarray(np.clip(rounded, operator.least, operator.most), np.int8)


def select(operator: Select, tensor: Int8) -> Int8:
    """Each place's value, or the filler where one of its numbers is -1."""
    rows, columns, channels = operator.rows, operator.columns, operator.channels
    found = tensor[:, rows][:, :, columns][..., channels]
    inside = (rows >= 0)[:, None, None] & (columns >= 0)[:, None] & (channels >= 0)
    return np.where(inside, found, np.int8(operator.filler))


def prelu(graph: Graph, operator: Prelu, tensor: Int8) -> Int8:
    """Each side of zero by its own factor, rounded twice."""
    centred = tensor.astype(np.int64) - graph.values[operator.input].zero_point
    slope = operator.slope.astype(np.int64) - operator.slope_zero_point
    values = sloped(centred, slope, operator.above, operator.below)
    shifted = values + graph.values[operator.output].zero_point
    return np.asarray(np.clip(shifted, operator.least, operator.most), np.int8)


def mean(graph: Graph, operator: Mean, tensor: Int8, requantise: Requantise) -> Int8:
    """The sum over all pixels less the zero point, requantised."""
    centred = tensor.astype(np.int64) - graph.values[operator.input].zero_point
    rounded = requantise(operator, centred.sum(axis=(1, 2), keepdims=True))
    shifted = rounded + graph.values[operator.output].zero_point
    return np.asarray(np.clip(shifted, operator.least, operator.most), np.int8)
