"""Channels that are the same everywhere: tamed, and removed with all that only they feed.

Training leaves channels without a weight: their bias alone is put out. Exporters give such a bias
any scale, so that no fast kernel takes the layer. What they put out is known here, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.graph.graph import (
    Convolve,
    Graph,
    Mean,
    Operator,
    Pool,
    inputs_of,
)
from boardless_models.int8.scaling import Integers, scaled
from boardless_sim.errors import ModelError

# Times this factor, 1/8, eight times a number is the number, in either rounding.
TAME_FACTOR, TAME_STEPS = (1 << 30, -2), 8
GROUP = 4  # the fast kernels take channels in fours
LARGEST_BIAS = 1 << 30

Channels = NDArray[np.intp]
Link = Convolve | Pool | Mean


@dataclass(frozen=True)
class Chain:
    """What stands between a convolution and the next that mixes channels, by their places."""

    first: int
    links: tuple[int, ...]
    last: int


def folded(graph: Graph) -> Graph:
    """The same outputs from fewer channels; every value that is left has the bytes that it had."""
    graph = replace(graph, operators=tuple(tamed(graph, found) for found in graph.operators))
    for place in range(len(graph.operators)):
        chain = chain_from(graph, place)
        if chain is not None:
            graph = without_dead(graph, chain)
    return graph


def dead_channels(operator: Convolve) -> Channels:
    """The output channels that have no weight."""
    return np.flatnonzero(~operator.weight.reshape(len(operator.weight), -1).any(axis=1))


def put_out(graph: Graph, operator: Convolve | Mean, sums: Integers, own: Channels) -> Integers:
    """What sums of these channels become."""
    place = own if isinstance(operator, Convolve) else np.zeros(len(own), np.intp)
    factors = operator.multiplier[place].astype(np.int64), operator.exponent[place].astype(np.int64)
    moved = scaled(sums, *factors, graph.rounding) + graph.values[operator.output].zero_point
    return np.asarray(np.clip(moved, operator.least, operator.most))


def tamed(graph: Graph, operator: Operator) -> Operator:
    """A convolution whose dead channels have a factor and a bias that every kernel can take."""
    if not isinstance(operator, Convolve):
        return operator
    dead = dead_channels(operator)
    if not len(dead):
        return operator
    found = put_out(graph, operator, operator.bias[dead].astype(np.int64), dead)
    bias = operator.bias.copy()
    multiplier, exponent = operator.multiplier.copy(), operator.exponent.copy()
    multiplier[dead], exponent[dead] = TAME_FACTOR
    bias[dead] = TAME_STEPS * (found - graph.values[operator.output].zero_point)
    return replace(operator, multiplier=multiplier, exponent=exponent, bias=bias)


def readers(graph: Graph, index: int) -> list[int]:
    """The places of the operators that read what stands where a value does."""
    storage = graph.values[index].storage
    return [
        place
        for place, operator in enumerate(graph.operators)
        for read in inputs_of(operator)
        if graph.values[read].storage == storage
    ]


def chain_from(graph: Graph, place: int) -> Chain | None:
    """The chain behind a convolution with dead channels; None where it forks, or ends otherwise."""
    first = graph.operators[place]
    if not isinstance(first, Convolve) or first.depthwise or not len(dead_channels(first)):
        return None
    links: list[int] = []
    at: Operator = first
    while True:
        value = graph.values[at.output]
        found = readers(graph, at.output)
        if len(found) != 1 or graph.values[graph.output].storage == value.storage:
            return None
        at = graph.operators[found[0]]
        if graph.values[at.input].shape != value.shape:
            return None
        if isinstance(at, Convolve) and not at.depthwise:
            return Chain(place, tuple(links), found[0])
        if not isinstance(at, Convolve | Pool | Mean):
            return None
        if isinstance(at, Convolve) and len(at.weight) != value.shape.channels:
            return None
        links.append(found[0])


def has_border(graph: Graph, operator: Convolve) -> bool:
    """Whether a window of it reaches beyond its input."""
    window = operator.window
    source, target = (graph.values[at].shape for at in (operator.input, operator.output))
    ends = (
        (target.height * operator.pool - 1) * window.stride_rows + window.rows - window.top,
        (target.width * operator.pool - 1) * window.stride_columns + window.columns - window.left,
    )
    return max(window.top, window.left) > 0 or ends[0] > source.height or ends[1] > source.width


def without_dead(graph: Graph, chain: Chain) -> Graph:
    """The graph without the chain's dead channels, but for those that fill a group up."""
    first, last = graph.operators[chain.first], graph.operators[chain.last]
    assert isinstance(first, Convolve)
    assert isinstance(last, Convolve)
    dead = dead_channels(first)
    values = put_out(graph, first, first.bias[dead].astype(np.int64), dead)
    for place in chain.links:
        link = graph.operators[place]
        if not isinstance(link, Convolve | Pool | Mean):
            raise ModelError(f"{link.name}: no link of a chain")
        dead, values = behind(graph, link, dead, values)
    centred = values - graph.values[last.input].zero_point
    if has_border(graph, last):
        # Over the border only what is zero adds as much as the inside.
        dead, centred = dead[centred == 0], centred[centred == 0]
    count = len(first.weight)
    spare = -(count - len(dead)) % GROUP
    if count - len(dead) + spare >= count:
        return graph
    dead, centred = dead[: len(dead) - spare], centred[: len(dead) - spare]
    added = last.weight[..., dead].astype(np.int64).sum(axis=(1, 2)) @ centred
    bias = last.bias.astype(np.int64) + added
    if np.abs(bias).max() > LARGEST_BIAS:
        return graph
    return narrowed(graph, chain, np.setdiff1d(np.arange(count), dead), bias.astype(np.int32))


def behind(graph: Graph, link: Link, dead: Channels, values: Integers) -> tuple[Channels, Integers]:
    """The channels that are the same everywhere behind a link too, and what they are there."""
    if isinstance(link, Pool):
        return dead, np.asarray(np.clip(values, link.least, link.most))
    source = graph.values[link.input]
    centred = values - source.zero_point
    if isinstance(link, Mean):
        pixels = source.shape.height * source.shape.width
        return dead, put_out(graph, link, pixels * centred, dead)
    if has_border(graph, link):
        dead, centred = dead[centred == 0], centred[centred == 0]
    weights = link.weight[dead].astype(np.int64).sum(axis=(1, 2, 3))
    return dead, put_out(graph, link, link.bias[dead] + weights * centred, dead)


def narrowed(graph: Graph, chain: Chain, kept: Channels, bias: NDArray[np.int32]) -> Graph:
    """The chain with these channels alone."""
    operators = list(graph.operators)
    changed: set[int] = set()
    for place in (chain.first, *chain.links):
        operator = operators[place]
        changed.add(graph.values[operator.output].storage)
        if isinstance(operator, Convolve):
            names = ("weight", "bias", "multiplier", "exponent", "scales")
            arrays: dict[str, Any] = {name: getattr(operator, name)[kept] for name in names}
            operators[place] = replace(operator, **arrays)
    last = operators[chain.last]
    assert isinstance(last, Convolve)
    weight = np.ascontiguousarray(last.weight[..., kept])
    operators[chain.last] = replace(last, weight=weight, bias=bias)
    values = tuple(
        replace(value, shape=replace(value.shape, channels=len(kept)))
        if value.storage in changed
        else value
        for value in graph.values
    )
    return replace(graph, values=values, operators=tuple(operators))
