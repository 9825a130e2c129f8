"""The committed artifacts are of format 1: they load, whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from boardless_models.data.dataset import CLASS_NAMES
from boardless_models.graph.artifact import checksum_path, load_artifact, save_artifact
from boardless_models.graph.c_source import source_text
from boardless_models.graph.graph import Graph
from boardless_sim.errors import ModelError


def test_saved_as_it_was_read_it_is_the_same_firmware(artifact_path: Path, tmp_path: Path) -> None:
    kept = load_artifact(artifact_path)
    save_artifact(kept.graph, {}, tmp_path / "a.npz")
    again = load_artifact(tmp_path / "a.npz")
    assert again.graph.classes == CLASS_NAMES
    assert source_text(again.graph, kept.sha256) == source_text(kept.graph, kept.sha256)


def sealed(
    path: Path, arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]
) -> None:
    """Write an .npz whose checksum is right, so that only its content is at fault."""
    np.savez(path, allow_pickle=True, **arrays)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    checksum_path(path).write_text(f"{digest}  {path.name}\n")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("weight_0", np.zeros((16, 3, 3, 1), np.float32), "weight_0: float32"),
        ("weight_0", np.zeros((16, 3, 3, 2), np.int8), "expected int8 (16, 3, 3, 1)"),
        ("weight_1", np.full((16, 3, 3, 16), -8, np.int8), "weights -8 to -8, expected -7 to 7"),
        ("bias_0", np.full(16, 2**31 - 1, np.int32), "expected less than 2^31"),
        ("multiplier_0", np.full(16, -1, np.int32), "expected none below 0"),
        ("shift_0", np.full(16, 8, np.uint8), "exponents 23 to 23"),
        ("rounding", np.array("triple"), "rounding 'triple'"),
        ("format_version", np.array(9, np.int32), "format 9"),
        ("network", np.array("{}"), "the architecture is not understood"),
        ("score_step", np.array("many"), "not an artifact"),
        ("weight_1", np.array([{}], object), "not a readable .npz"),
    ],
)
def test_content_that_a_kernel_cannot_take_is_refused(
    artifact_path: Path,
    tmp_path: Path,
    name: str,
    value: np.ndarray[tuple[int, ...], np.dtype[np.generic]],
    message: str,
) -> None:
    with np.load(artifact_path) as content:
        arrays = {key: content[key] for key in content.files}
    sealed(tmp_path / "a.npz", {**arrays, name: value})
    with pytest.raises(ModelError) as caught:
        load_artifact(tmp_path / "a.npz")
    assert message in str(caught.value)


def test_missing_array_is_refused(artifact_path: Path, tmp_path: Path) -> None:
    with np.load(artifact_path) as content:
        arrays = {key: content[key] for key in content.files if key != "bias_2"}
    sealed(tmp_path / "a.npz", arrays)
    with pytest.raises(ModelError, match="not an artifact"):
        load_artifact(tmp_path / "a.npz")


def test_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    checksum_path(path).write_text(hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ModelError, match=r"not a readable \.npz"):
        load_artifact(path)


def test_scales_are_not_needed(artifact_path: Path, trained: Graph, tmp_path: Path) -> None:
    with np.load(artifact_path) as content:
        arrays = {key: content[key] for key in content.files if "scale" not in key}
    sealed(tmp_path / "a.npz", arrays)
    bare = load_artifact(tmp_path / "a.npz").graph
    assert source_text(bare, "0" * 64) == source_text(trained, "0" * 64)
