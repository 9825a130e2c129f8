"""Where the values of a graph stand in the arena."""

from __future__ import annotations

from boardless_models.graph.graph import Graph, inputs_of

WORD = 4


def arena(graph: Graph) -> tuple[dict[int, int], int]:
    """Where each storage begins, and the bytes of all: first fit, by the time of use."""
    alive = lifetimes(graph)
    placed: list[tuple[int, int, int]] = []
    offsets: dict[int, int] = {}
    for storage in sorted(alive, key=lambda index: -graph.values[index].shape.size):
        size = in_words(graph.values[storage].shape.size)
        first, last = alive[storage]
        rivals = sorted(
            (offsets[other], offsets[other] + bytes_taken)
            for other, bytes_taken, _ in placed
            if alive[other][0] <= last and first <= alive[other][1]
        )
        offset = 0
        for start, end in rivals:
            if start - offset >= size:
                break
            offset = max(offset, end)
        offsets[storage] = offset
        placed.append((storage, size, offset))
    return offsets, max(offset + size for _, size, offset in placed)


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
