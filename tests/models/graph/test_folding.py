"""Channels without a weight: tamed and removed, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boardless_models.data.network import Shape
from boardless_models.graph.check import check_graph
from boardless_models.graph.folding import folded
from boardless_models.graph.graph import Convolve, Graph, Pool, Value, Window, macs_of
from boardless_models.graph.kernels import m4_kernel
from boardless_models.graph.reference import run_graph
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from tests.nn.random_graphs import RandomGraph, random_frames

WIDE, VALID, POINT = Window(3, 3, 1, 1, 1, 1), Window(3, 3), Window(1, 1)
# What a converter writes where a channel has no weight: any factor, and a bias to match.
WILD_BIAS, WILD_EXPONENTS = 1 << 30, (-31, 1)


class Drawn(RandomGraph):
    """Convolutions of given windows, one after the other."""

    def one(self, window: Window, outputs: int, *, depthwise: bool = False) -> None:
        source = self.values[-1]
        self.add(depthwise=depthwise)
        *_, made = self.operators
        shape, channels = source.shape, source.shape.channels
        inputs = 1 if depthwise else channels
        weight = self.extremes(127, (outputs, window.rows, window.columns, inputs))
        border = 2 * window.top
        height, width = (
            (extent - window.rows + border) + 1 for extent in (shape.height, shape.width)
        )
        count = len(weight)
        self.operators[-1] = replace(
            made,
            window=window,
            weight=weight,
            bias=self.random.integers(-9_000, 9_000, count).astype(np.int32),
            multiplier=self.random.integers(1 << 30, 1 << 31, count).astype(np.int32),
            exponent=(-7 - self.random.integers(0, 4, count)).astype(np.int8),
            scales=np.ones(count, np.float32),
            pool=1,
            bits=8,
        )
        target = replace(self.values[-1], shape=Shape(height, width, count))
        self.values[-1] = target

    def kill(self, place: int, zeros: int, others: int) -> None:
        """Channels of an operator that put out zero, and some that put out something else."""
        operator = self.operators[place]
        assert isinstance(operator, Convolve)
        target = self.values[operator.output]
        arrays = {
            name: getattr(operator, name).copy()
            for name in ("weight", "bias", "multiplier", "exponent")
        }
        dead = self.random.permutation(len(operator.weight))[: zeros + others]
        arrays["weight"][dead] = 0
        arrays["bias"][dead[:zeros]] = 0
        arrays["bias"][dead[zeros:]] = WILD_BIAS  # saturates above
        arrays["exponent"][dead] = self.random.choice(WILD_EXPONENTS, len(dead))
        arrays["exponent"][dead[zeros:]] = -23
        self.operators[place] = replace(operator, **arrays)
        least = min(operator.least, target.zero_point)
        self.operators[place] = replace(self.operators[place], least=least)


def separable(seed: int, window: Window, way: Rounding) -> Graph:
    """Points, a depthwise convolution, points, as networks of them have it."""
    made = Drawn(seed, Shape(8, 7, 8))
    made.one(POINT, 24)
    made.one(window, 24, depthwise=True)
    made.one(POINT, 8)
    made.kill(0, zeros=7, others=6)
    return made.graph(way)


def with_pool(seed: int, way: Rounding) -> Graph:
    """A pool between two convolutions."""
    made = Drawn(seed, Shape(8, 8, 4))
    made.one(WIDE, 16)
    made.one(POINT, 4)
    made.kill(0, zeros=3, others=4)
    graph = made.graph(way)
    first, last = graph.operators
    inner = graph.values[first.output]
    pooled = Value("pooled", replace(inner.shape, height=4, width=4), 1.0, inner.zero_point, 3)
    pool = Pool("pool", first.output, 3, "average", Window(2, 2, 2, 2), -128, 127)
    shrunk = replace(graph.values[2], shape=replace(graph.values[2].shape, height=4, width=4))
    values = (*graph.values[:2], shrunk, pooled)
    return replace(graph, values=values, operators=(first, pool, replace(last, input=3)))


def same(graph: Graph) -> Graph:
    """The folded graph, once it is known to put out what the graph does."""
    check_graph(made := folded(graph))
    frames = random_frames(1, 6, graph.values[graph.input].shape)
    left, right = run_graph(graph, frames), run_graph(made, frames)
    assert np.array_equal(left[-1], right[-1])
    for one, other in zip(left, right, strict=True):
        assert one.shape != other.shape or np.array_equal(one, other)
    return made


def macs(graph: Graph) -> int:
    return sum(macs_of(graph, operator) for operator in graph.operators)


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("seed", range(8))
def test_dead_channels_leave_with_what_they_feed(seed: int, way: Rounding) -> None:
    """Thirteen are dead; of a border's reach only the seven that are zero, four of a group."""
    inside, bordered = (same(separable(seed, window, way)) for window in (VALID, WIDE))
    assert inside.values[1].shape.channels == 12
    assert bordered.values[1].shape.channels == 20
    assert inside.operators[2].input == 2
    for graph in (inside, bordered):
        assert all(m4_kernel(graph, operator) != "plain" for operator in graph.operators)


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("seed", range(4))
def test_a_pool_passes_them_on(seed: int, way: Rounding) -> None:
    graph = with_pool(seed, way)
    assert macs(same(graph)) < macs(graph)


def test_a_layer_that_somebody_else_reads_keeps_them() -> None:
    graph = separable(1, VALID, "single")
    first, second, third = graph.operators
    again = replace(second, output=4, name="again")
    values = (*graph.values, replace(graph.values[2], name="again", storage=4))
    forked = replace(graph, values=values, operators=(first, second, again, third))
    assert same(forked).values[1].shape.channels == 24


def test_a_graph_without_any_stays_as_it_is() -> None:
    made = Drawn(2, Shape(8, 7, 8))
    made.one(POINT, 24)
    made.one(POINT, 8)
    graph = made.graph("single")
    assert repr(folded(graph)) == repr(graph)
