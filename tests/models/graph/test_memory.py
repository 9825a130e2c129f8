"""The arena: nothing stands where something is still needed, and no more is taken than must be."""

from __future__ import annotations

import numpy as np
import pytest

from boardless_models.data.network import Shape
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph, Lookup, Pool, Value, Window, inputs_of
from boardless_models.graph.kernels import m4_work_bytes
from boardless_models.graph.memory import Plan, arena, blocks_of, least_bytes, lifetimes, needed
from boardless_models.tflite.reader import graph_of
from tests.models.tflite.tflite_cases import CASES
from tests.nn.random_graphs import random_graph


def graphs() -> dict[str, Graph]:
    found = {name: fused(graph_of(make(1), name, "single")) for name, make in CASES.items()}
    return found | {f"random {seed}": random_graph(seed, "single") for seed in range(20)}


GRAPHS = graphs()


@pytest.mark.parametrize("name", GRAPHS)
def test_no_value_is_written_over_while_it_is_needed(name: str) -> None:
    graph = GRAPHS[name]
    plan = arena(graph)
    offsets, total = plan.offsets, plan.size
    alive = lifetimes(graph)
    spans = {at: range(offsets[at], offsets[at] + graph.values[at].shape.size) for at in alive}
    assert max(span.stop for span in spans.values()) <= total
    for number, operator in enumerate(graph.operators):
        target = graph.values[operator.output].storage
        kept = [at for at, (first, last) in alive.items() if first < number < last]
        read = [graph.values[index].storage for index in inputs_of(operator)]
        for storage in {*kept, *read} - {target}:
            apart = spans[storage].stop <= spans[target].start
            apart |= spans[target].stop <= spans[storage].start
            over = storage in read and alive[storage][1] == number
            assert apart or (over and spans[storage] == spans[target]), (number, storage)


@pytest.mark.parametrize("name", GRAPHS)
def test_no_plan_could_take_less(name: str) -> None:
    graph = GRAPHS[name]
    assert arena(graph).size == least_bytes(blocks_of(graph))


@pytest.mark.parametrize("name", GRAPHS)
def test_a_room_stands_behind_what_is_alive_and_may_take_what_is_not(name: str) -> None:
    graph = GRAPHS[name]
    rooms = tuple(m4_work_bytes(graph, operator) for operator in graph.operators)
    plan, alive = arena(graph, rooms), lifetimes(graph)
    for number, top in enumerate(plan.tops):
        ends = [
            plan.offsets[at] + graph.values[at].shape.size
            for at, (first, last) in alive.items()
            if first <= number <= last
        ]
        assert top % 4 == 0
        assert max(ends) <= top < max(ends) + 4
    apart = arena(graph).size + max(rooms)
    assert least_bytes(blocks_of(graph), rooms) <= needed(plan, rooms) <= apart


def values(*sizes: int) -> tuple[Value, ...]:
    return tuple(Value(f"v{at}", Shape(1, size, 1), 1.0, 0, at) for at, size in enumerate(sizes))


def pools(*sizes: int) -> Graph:
    """A chain of values of these sizes."""
    operators = tuple(
        Pool(f"p{at}", at, at + 1, "max", Window(1, 1), -128, 127) for at in range(len(sizes) - 1)
    )
    return Graph("g", values(*sizes), operators, 0, len(sizes) - 1, "single", 1)


def test_another_order_than_the_largest_first() -> None:
    """As visual wake words begins: largest first, the fourth value would find no gap."""
    assert arena(pools(27, 18, 18, 36, 9)).size == 20 + 36


def test_a_table_works_in_place() -> None:
    table = Lookup("t", 0, 1, np.zeros(256, np.int8))
    graph = Graph("g", values(40, 40), (table,), 0, 1, "single", 1)
    assert arena(graph) == Plan({0: 0, 1: 0}, 40, (40,))
