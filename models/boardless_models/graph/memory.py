"""Where the values of a graph stand in the arena."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from boardless_models.graph.graph import Add, Graph, Lookup, Prelu, inputs_of

WORD = 4
ORDERS = 200  # that are tried beside the largest first
# These read a value's byte before they write the one at its place, in every back end.
IN_PLACE = (Add, Lookup, Prelu)


@dataclass(frozen=True)
class Block:
    """Storages at one place, one after the other: how many bytes, and from when to when."""

    storages: tuple[int, ...]
    size: int
    first: int
    last: int

    def meets(self, other: Block) -> bool:
        """Whether both are needed at the same time."""
        return self.first <= other.last and other.first <= self.last


def arena(graph: Graph) -> tuple[dict[int, int], int]:
    """Where each storage begins, and the bytes of all.

    First fit, the largest first; where that takes more than what is needed at any one time, other
    orders are tried, always the same ones.
    """
    blocks = blocks_of(graph)
    offsets, best = placed(blocks)
    least = least_bytes(blocks)
    for order in orders(len(blocks)):
        if best == least:
            break
        found, total = placed([blocks[number] for number in order])
        if total < best:
            offsets, best = found, total
    return offsets, best


def orders(count: int) -> Iterator[list[int]]:
    """Some orders of so many blocks."""
    random = np.random.default_rng(1)
    for _ in range(ORDERS):
        yield random.permutation(count).tolist()


def placed(blocks: list[Block]) -> tuple[dict[int, int], int]:
    """Each block, in turn, at the first place that is free as long as it is needed."""
    taken: list[tuple[Block, int]] = []
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


def least_bytes(blocks: list[Block]) -> int:
    """What is needed at the fullest time: no plan takes less."""
    times = {time for block in blocks for time in (block.first, block.last)}
    return max(
        sum(block.size for block in blocks if block.first <= time <= block.last) for time in times
    )


def blocks_of(graph: Graph) -> list[Block]:
    """The storages, the largest first; one that an operator ends may be written over by it."""
    alive = lifetimes(graph)
    blocks = {
        storage: Block((storage,), in_words(graph.values[storage].shape.size), *span)
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
                joined = Block(
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
    offsets, _ = arena(graph)
    values = [graph.values[index] for index in offsets]
    return f"tensor {max(values, key=lambda value: value.shape.size).name!r}"


def in_words(size: int) -> int:
    """A size filled up to whole words."""
    return -(-size // WORD) * WORD
