"""Every limit of a graph from both of its sides: the last that is taken, the first that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from boardless_models.data.network import Shape
from boardless_models.graph.check import check_graph
from boardless_models.graph.graph import (
    Add,
    AddConstant,
    Convolve,
    Graph,
    Mean,
    Operator,
    Pool,
    Prelu,
    Task,
    Value,
    Window,
)
from boardless_sim.errors import ModelError

SIDE, CHANNELS = 6, 4
ONE = 1 << 30, 0


def convolve(
    *,
    weight: int = 1,
    bias: int = 0,
    multiplier: int = 1 << 30,
    exponent: int = -8,
    window: Window | None = None,
    bits: int = 8,
) -> Convolve:
    window = window or Window(1, 1)
    return Convolve(
        name="c",
        input=0,
        output=1,
        depthwise=False,
        window=window,
        weight=np.full((CHANNELS, window.rows, window.columns, CHANNELS), weight, np.int8),
        bias=np.full(CHANNELS, bias, np.int32),
        multiplier=np.full(CHANNELS, multiplier, np.int32),
        exponent=np.full(CHANNELS, exponent, np.int8),
        scales=np.ones(CHANNELS, np.float32),
        least=-128,
        most=127,
        bits=bits,
    )


def graph_with(operator: Operator, target: Shape | None = None, side: int = SIDE) -> Graph:
    shape = Shape(side, side, CHANNELS)
    values = (Value("in", shape, 1.0, -128, 0), Value("out", target or shape, 1.0, 0, 1))
    return Graph("g", values, (operator,), 0, 1, "single", 1)


def rows(count: int, border: int, stride: int = 2, size: int = 3) -> Graph:
    """So many windows over six rows."""
    window = Window(size, 1, stride, 1, border, 0)
    return graph_with(convolve(window=window), Shape(count, SIDE, CHANNELS))


def columns(count: int, border: int) -> Graph:
    window = Window(1, 3, 1, 2, 0, border)
    return graph_with(Pool("p", 0, 1, "max", window, -128, 127), Shape(SIDE, count, CHANNELS))


def mean(exponent: int, side: int) -> Graph:
    factor = np.array([1 << 30], np.int32), np.array([exponent], np.int8)
    operator = Mean("m", 0, 1, *factor, np.ones(1, np.float32), -128, 127)
    return graph_with(operator, Shape(1, 1, CHANNELS), side)


def add(shift: int = 20, weight: int = 1, factor: tuple[int, int] = ONE) -> Graph:
    return graph_with(Add("a", 0, 0, 1, (factor, ONE, ONE), (weight, 1), shift, -128, 127))


def constant(addend: int) -> Graph:
    addends = np.full((2, CHANNELS), addend, np.int32)
    return graph_with(AddConstant("a", 0, 0, 1, (ONE, ONE, ONE), (1, 1), 20, -128, 127, addends))


def prelu(below: tuple[int, int]) -> Graph:
    slope = np.ones(CHANNELS, np.int8)
    return graph_with(Prelu("p", 0, 1, slope, 0, ONE, below, -128, 127))


@dataclass(frozen=True)
class Limit:
    """A graph by a number, the last number that is taken, the first that is not, and why."""

    graph: Callable[[int], Graph]
    last: int
    first: int
    complaint: str


LIMITS = {
    "a bias": Limit(
        lambda at: graph_with(convolve(weight=0, bias=-at)),
        (1 << 31) - 1,
        1 << 31,
        "sums reach 2147483648, expected less than 2^31",
    ),
    # Four products of 255 at most: 1,020.
    "products and a bias": Limit(
        lambda at: graph_with(convolve(bias=at)),
        (1 << 31) - 1 - 1_020,
        (1 << 31) - 1_020,
        "sums reach 2147483648, expected less than 2^31",
    ),
    "a sum that is raised": Limit(
        lambda at: graph_with(convolve(weight=0, bias=at, exponent=8)),
        (1 << 23) - 1,
        1 << 23,
        "sums reach 2147483648, expected less than 2^31",
    ),
    # 256 pixels of 255 at most: 65,280.
    "a mean that is raised": Limit(
        lambda at: mean(at, 16), 15, 16, "sums reach 4278190080, expected less than 2^31"
    ),
    "a great exponent": Limit(
        lambda at: graph_with(convolve(weight=0, exponent=at)), 22, 23, "exponents 23 to 23"
    ),
    "a small exponent": Limit(
        lambda at: graph_with(convolve(exponent=at)), -31, -32, "exponents -32 to -32"
    ),
    "a multiplier": Limit(
        lambda at: graph_with(convolve(multiplier=at)), 0, -1, "multipliers from -1"
    ),
    "4-bit weights": Limit(
        lambda at: graph_with(convolve(weight=at, bits=4)), -7, -8, "weights -8 to -8"
    ),
    # Six rows in steps of two, one of border: the fourth window begins at the fifth row, and so on.
    "windows below the input": Limit(lambda at: rows(at, 1), 4, 5, "5 windows do not fit 6 pixels"),
    "windows beside the input": Limit(
        lambda at: columns(at, 0), 3, 4, "4 windows do not fit 6 pixels"
    ),
    "a window above the input": Limit(lambda at: rows(2, at), 2, 3, "window 3, stride 2, border 3"),
    "a stride": Limit(lambda at: rows(1, 0, stride=at), 255, 256, "window 3, stride 256, border 0"),
    "a window": Limit(lambda at: rows(1, 0, size=at), 255, 256, "window 256, stride 2, border 0"),
    "a shift of an addition": Limit(lambda at: add(shift=at), 30, 31, "factors of one and more"),
    "a small shift": Limit(lambda at: add(shift=at), 12, 11, "factors of one and more"),
    "a weight of an addition": Limit(
        lambda at: add(weight=at), 1 << 21, (1 << 21) + 1, "expected at most 2^21"
    ),
    "a factor of an addition": Limit(
        lambda at: add(factor=(1 << 30, at)), 0, 1, "factors of one and more"
    ),
    "an addend": Limit(
        constant, -(255 << 21), -(255 << 21) - 1, "addends reach 534773761, expected at most"
    ),
    "a slope's exponent": Limit(
        lambda at: prelu((1 << 30, at)), 15, 16, "an exponent of 16 below zero"
    ),
    "a score step": Limit(
        lambda at: replace(graph_with(convolve()), score_step=at), 0xFFFF, 0x10000, "score step"
    ),
    "a zero point": Limit(
        lambda at: with_zero_point(graph_with(convolve()), at), 127, 128, "zero point 128"
    ),
    # An index of 16 bits in nn_result.
    "classes": Limit(lambda at: reduced(at, "classes"), 256, 257, "66049 classes"),
    "a scale of values": Limit(
        lambda at: reduced(2, "values", at / 100),
        3200,
        3201,
        "a scale of 32.01, expected at most 32",
    ),
    "a scale of an error": Limit(
        lambda at: reduced(2, "error", at / 100), 12800, 12801, "a scale of 128.01"
    ),
}


def reduced(side: int, task: Task, scale: float = 0.1) -> Graph:
    """So many outputs a side, as many as inputs."""
    window = Pool("p", 0, 1, "max", Window(1, 1), -128, 127)
    graph = graph_with(window, side=side)
    channels = 1 if task == "classes" else graph.values[0].shape.channels
    values = tuple(
        replace(value, scale=scale, shape=Shape(side, side, channels)) for value in graph.values
    )
    return replace(graph, values=values, task=task)


def with_zero_point(graph: Graph, zero_point: int) -> Graph:
    first, second = graph.values
    return replace(graph, values=(first, replace(second, zero_point=zero_point)))


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_where_it_is_said_to_be(name: str) -> None:
    limit = LIMITS[name]
    check_graph(limit.graph(limit.last))
    with pytest.raises(ModelError) as caught:
        check_graph(limit.graph(limit.first))
    assert limit.complaint in str(caught.value)
