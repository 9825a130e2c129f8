"""How many frames a network classifies as they are labelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.dataset import Dataset, Split
from boardless_models.graph.graph import Graph
from boardless_models.graph.reference import run_graph
from boardless_sim.errors import ModelError

BATCH = 250


def predict(graph: Graph, frames: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The class of every frame; the lowest index wins a tie."""
    winners = [
        run_graph(graph, frames[start : start + BATCH])[-1].reshape(-1, classes(graph))
        for start in range(0, len(frames), BATCH)
    ]
    return np.asarray(np.concatenate(winners).argmax(axis=1), np.int64)


def classes(graph: Graph) -> int:
    """How many classes the network tells apart."""
    return graph.values[graph.output].shape.size


def confusion(graph: Graph, dataset: Dataset) -> NDArray[np.int64]:
    """How many test frames of each class [row] were taken for each class [column]."""
    shape, count = graph.values[graph.input].shape, len(dataset.classes)
    if shape != dataset.shape or classes(graph) != count:
        raise ModelError(
            f"{graph.name} takes {shape.text} and tells {classes(graph)} classes apart, "
            f"the data set has {dataset.shape.text} and {count}"
        )
    found = np.zeros((count, count), np.int64)
    np.add.at(found, (dataset.test.labels, predict(graph, dataset.test.images)), 1)
    return found


def accuracy(graph: Graph, split: Split) -> float:
    """The share of frames whose class is the labelled one."""
    return float((predict(graph, split.images) == split.labels).mean())
