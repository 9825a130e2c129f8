"""Pools that a convolution can take with it: its kernel then requantises one sum of four."""

from __future__ import annotations

from dataclasses import replace

from boardless_models.graph.graph import (
    Convolve,
    Graph,
    Operator,
    Pool,
    Window,
    inputs_of,
    renumbered,
)
from boardless_models.graph.kernels import m4_kernel
from boardless_models.int8.scaling import INT8_MAXIMUM, INT8_MINIMUM

SQUARE = Window(2, 2, 2, 2)


def fused(graph: Graph) -> Graph:
    """The same graph with every max-pool of 2×2 inside the convolution that alone feeds it.

    What stood between them is gone; every value that is left has the bytes that it had.
    """
    operators: list[Operator] = []
    for operator in graph.operators:
        before = operators[-1] if operators else None
        match before, operator:
            case Convolve(), Pool() if can_take(graph, before, operator):
                operators[-1] = with_pool(before, operator)
            case _:
                operators.append(operator)
    return without_unused(replace(graph, operators=tuple(operators)))


def without_unused(graph: Graph) -> Graph:
    """The graph without the values that no operator reads or writes, in the order of their use."""
    used = [graph.input]
    for operator in graph.operators:
        used += [*inputs_of(operator), operator.output]
    used.append(graph.output)
    used += [graph.values[index].storage for index in used]
    number = {old: new for new, old in enumerate(dict.fromkeys(used))}
    values = tuple(
        replace(graph.values[old], storage=number[graph.values[old].storage]) for old in number
    )
    operators = tuple(renumbered(operator, number) for operator in graph.operators)
    ends = number[graph.input], number[graph.output]
    return replace(graph, values=values, operators=operators, input=ends[0], output=ends[1])


def with_pool(convolution: Convolve, pool: Pool) -> Convolve:
    """The convolution that puts out what the pool does."""
    return replace(convolution, output=pool.output, pool=2)


def can_take(graph: Graph, convolution: Convolve, pool: Pool) -> bool:
    """Whether the pool can be the convolution's, and no fast kernel is lost by it."""
    if not is_square(pool) or not feeds_alone(graph, convolution, pool):
        return False
    taken = m4_kernel(graph, with_pool(convolution, pool))
    return taken != "plain" or m4_kernel(graph, convolution) == "plain"


def is_square(pool: Pool) -> bool:
    """The largest of 2×2 in steps of two, without a border and without a clamp."""
    clamp = pool.least, pool.most
    return (pool.kind, pool.window, clamp) == ("max", SQUARE, (INT8_MINIMUM, INT8_MAXIMUM))


def feeds_alone(graph: Graph, convolution: Convolve, pool: Pool) -> bool:
    """Whether nothing but the pool reads what the convolution puts out."""
    if convolution.depthwise or convolution.pool != 1 or pool.input != convolution.output:
        return False
    storage = graph.values[convolution.output].storage
    readers = [
        index
        for operator in graph.operators
        for index in inputs_of(operator)
        if graph.values[index].storage == storage
    ]
    return readers == [pool.input] and graph.values[graph.output].storage != storage
