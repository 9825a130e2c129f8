"""Where the values of a graph stand in the arena."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from boardless_models.graph.graph import Add, Graph, Lookup, Multiply, Prelu, inputs_of

WORD = 4
ORDERS = 200  # that are tried beside the largest first
# These read a value's byte before they write the one at its place, in every back end.
IN_PLACE = (Add, Lookup, Multiply, Prelu)


@dataclass(frozen=True)
class StorageBlock:
    """Storages at one place, one after the other: how many bytes, and from when to when."""

    storages: tuple[int, ...]
    size: int
    first: int
    last: int

    def meets(self, other: StorageBlock) -> bool:
        """Whether both are needed at the same time."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """Where each storage begins, the bytes of all, and for each operator where its room may."""

    offsets: dict[int, int]
    size: int
    tops: tuple[int, ...]


def arena(graph: Graph, rooms: tuple[int, ...] = ()) -> Plan:
    """The plan that takes least with the room that each operator needs behind what is alive then.

    First fit, the largest first; where that takes more than what is needed at any one time, other
    orders are tried, always the same ones.
    """
    blocks = blocks_of(graph)
    rooms = rooms or (0,) * len(graph.operators)
    least = least_bytes(blocks, rooms)
    best = plan_of(blocks, len(rooms))
    for order in orders(len(blocks)):
        if needed(best, rooms) == least:
            break
        found = plan_of([blocks[number] for number in order], len(rooms))
        if needed(found, rooms) < needed(best, rooms):
            best = found
    return best


def needed(plan: Plan, rooms: tuple[int, ...]) -> int:
    """The bytes of a plan with its rooms."""
    return max(plan.size, *(top + room for top, room in zip(plan.tops, rooms, strict=True)))


def plan_of(blocks: list[StorageBlock], operators: int) -> Plan:
    """The blocks placed in this order."""
    offsets, size = placed(blocks)
    ends = [(block, offsets[block.storages[0]] + block.size) for block in blocks]
    tops = tuple(
        max((end for block, end in ends if block.first <= time <= block.last), default=0)
        for time in range(operators)
    )
    return Plan(offsets, size, tops)


def orders(count: int) -> Iterator[list[int]]:
    """Some orders of so many blocks."""
    random = np.random.default_rng(1)
    for _ in range(ORDERS):
        yield random.permutation(count).tolist()


def placed(blocks: list[StorageBlock]) -> tuple[dict[int, int], int]:
    """Each block, in turn, at the first place that is free as long as it is needed."""
    taken: list[tuple[StorageBlock, int]] = []
    for block in blocks:
        rivals = sorted((at, at + other.size) for other, at in taken if block.meets(other))
        offset = 0
        for start, end in rivals:
            if start - offset >= block.size:
                break
            offset = max(offset, end)
        taken.append((block, offset))
    offsets = {storage: at for block, at in taken for storage in block.storages}
    return offsets, max(at + block.size for block, at in taken)


def least_bytes(blocks: list[StorageBlock], rooms: tuple[int, ...] = ()) -> int:
    """What is needed at the fullest time: no plan takes less."""
    times = {time for block in blocks for time in (block.first, block.last)}
    own = dict(enumerate(rooms))
    return max(
        own.get(time, 0) + sum(block.size for block in blocks if block.first <= time <= block.last)
        for time in times | own.keys()
    )


def blocks_of(graph: Graph) -> list[StorageBlock]:
    """The storages, the largest first; one that an operator ends may be written over by it."""
    alive = lifetimes(graph)
    blocks = {
        storage: StorageBlock((storage,), in_words(graph.values[storage].shape.size), *span)
        for storage, span in alive.items()
    }
    for number, operator in enumerate(graph.operators):
        if not isinstance(operator, IN_PLACE):
            continue
        target = graph.values[operator.output].storage
        for index in inputs_of(operator):
            source = graph.values[index].storage
            before, after = blocks[source], blocks[target]
            if before.last == number and after.first == number and before.size == after.size:
                joined = StorageBlock(
                    (*before.storages, *after.storages), before.size, before.first, after.last
                )
                blocks |= dict.fromkeys(joined.storages, joined)
                break
    return sorted(dict.fromkeys(blocks.values()), key=lambda block: -block.size)


def lifetimes(graph: Graph) -> dict[int, tuple[int, int]]:
    """The operators between which each storage is needed, the frame before the first."""
    spans = {graph.values[graph.input].storage: (-1, -1)}
    for number, operator in enumerate(graph.operators):
        for index in (*inputs_of(operator), operator.output):
            storage = graph.values[index].storage
            first, _ = spans.get(storage, (number, number))
            spans[storage] = (first, number)
    storage = graph.values[graph.output].storage
    spans[storage] = (spans[storage][0], len(graph.operators))
    return spans


def largest_value(graph: Graph) -> str:
    """The tensor that takes most of the arena."""
    values = [graph.values[index] for index in arena(graph).offsets]
    return f"tensor {max(values, key=lambda value: value.shape.size).name!r}"


def in_words(size: int) -> int:
    """A size filled up to whole words."""
    return -(-size // WORD) * WORD
