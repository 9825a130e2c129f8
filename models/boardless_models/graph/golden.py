"""Golden vectors: what the reference puts out, operator by operator, for a few test frames."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.archive import read_arrays
from boardless_models.data.dataset import Split
from boardless_models.graph.graph import Graph
from boardless_models.graph.reference import run_graph
from boardless_models.int8.score import decide
from boardless_sim.errors import ModelError
from boardless_sim.files import write_file

FRAMES_PER_CLASS = 2


@dataclass(frozen=True)
class Golden:
    """Frames [N,H,W], every operator's output [N,H,W,C], and what the network says of each."""

    sha256: str
    indices: NDArray[np.int32]
    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    scores: NDArray[np.uint8]
    outputs: tuple[NDArray[np.int8], ...]


def chosen_indices(labels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The first frames of each class, so that every class is seen."""
    first = [np.flatnonzero(labels == index)[:FRAMES_PER_CLASS] for index in np.unique(labels)]
    return np.sort(np.concatenate(first)).astype(np.int32)


def golden_vectors(graph: Graph, sha256: str, test: Split) -> Golden:
    """Run the reference on the chosen test frames."""
    indices = chosen_indices(test.labels)
    frames = test.images[indices]
    outputs = run_graph(graph, frames)
    decisions = [decide(logits.reshape(-1), graph.score_step) for logits in outputs[-1]]
    return Golden(
        sha256=sha256,
        indices=indices,
        frames=frames,
        labels=test.labels[indices],
        classes=np.array([decision.class_index for decision in decisions], np.uint8),
        scores=np.array([decision.score for decision in decisions], np.uint8),
        outputs=tuple(outputs),
    )


def save_golden(golden: Golden, path: Path) -> None:
    """Write the vectors as one compressed .npz."""
    outputs = {f"layer_{index}": output for index, output in enumerate(golden.outputs)}
    content = io.BytesIO()
    np.savez_compressed(
        content,
        allow_pickle=False,
        sha256=np.array(golden.sha256),
        indices=golden.indices,
        frames=golden.frames,
        labels=golden.labels,
        classes=golden.classes,
        scores=golden.scores,
        **outputs,
    )
    write_file(path, content.getvalue())


def load_golden(path: Path) -> Golden:
    """Read the vectors back."""
    arrays = read_arrays(path)
    try:
        count = sum(name.startswith("layer_") for name in arrays)
        return Golden(
            sha256=str(arrays["sha256"]),
            indices=np.asarray(arrays["indices"], np.int32),
            frames=np.asarray(arrays["frames"], np.uint8),
            labels=np.asarray(arrays["labels"], np.uint8),
            classes=np.asarray(arrays["classes"], np.uint8),
            scores=np.asarray(arrays["scores"], np.uint8),
            outputs=tuple(np.asarray(arrays[f"layer_{index}"], np.int8) for index in range(count)),
        )
    except (KeyError, TypeError, ValueError) as cause:
        raise ModelError(f"{path}: not golden vectors ({cause!r})") from cause
