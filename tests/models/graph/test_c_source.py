from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boardless_models.data.dataset import Split
from boardless_models.graph.arrays import packed_weights
from boardless_models.graph.artifact import artifact_sha256
from boardless_models.graph.c_source import export
from boardless_models.graph.golden import golden_vectors, load_golden
from boardless_models.graph.graph import Graph

REPOSITORY = Path(__file__).parents[3]
GENERATED = REPOSITORY / "firmware" / "generated"
GOLDEN = REPOSITORY / "models" / "golden" / "fashion_mnist_8k.npz"


@pytest.mark.parametrize("name", ["model.c", "model.h"])
def test_committed_source_is_what_the_artifact_exports(
    artifact_path: Path, trained: Graph, tmp_path: Path, name: str
) -> None:
    export(trained, artifact_sha256(artifact_path), tmp_path)
    assert (tmp_path / name).read_text() == (GENERATED / name).read_text()


def test_committed_golden_vectors_are_what_the_reference_gives(
    artifact_path: Path, trained: Graph, test_split: Split
) -> None:
    kept = load_golden(GOLDEN)
    fresh = golden_vectors(trained, artifact_sha256(artifact_path), test_split)
    assert len(kept.frames) >= 20
    assert set(kept.labels.tolist()) == set(range(10))
    assert kept.sha256 == fresh.sha256
    assert np.array_equal(kept.indices, fresh.indices)
    assert np.array_equal(kept.frames, fresh.frames)
    assert np.array_equal(kept.classes, fresh.classes)
    assert np.array_equal(kept.scores, fresh.scores)
    for kept_layer, fresh_layer in zip(kept.outputs, fresh.outputs, strict=True):
        assert np.array_equal(kept_layer, fresh_layer)


def test_header_names_its_source(artifact_path: Path) -> None:
    for name in ("model.c", "model.h"):
        text = (GENERATED / name).read_text()
        assert artifact_sha256(artifact_path) in text
        assert "Do not edit" in text


def test_4bit_weights_stand_two_to_a_byte() -> None:
    packed = packed_weights(np.array([[-7, 7], [0, -1], [3, -8]], np.int8), bits=4)
    assert packed.view(np.uint8).tolist() == [0xF1, 0x78, 0x0B]
    assert packed_weights(np.array([1], np.int8), bits=4).tolist() == [9]
