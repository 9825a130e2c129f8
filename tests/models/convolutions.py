"""The layers of a graph that have weights."""

from __future__ import annotations

from boardless_models.graph.graph import Convolve, Graph


def convolutions(graph: Graph) -> list[Convolve]:
    return [operator for operator in graph.operators if isinstance(operator, Convolve)]
