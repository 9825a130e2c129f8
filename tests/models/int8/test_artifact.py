from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless_models.data.archive import read_arrays
from boardless_models.int8.artifact import (
    QuantizedNetwork,
    artifact_sha256,
    checksum_path,
    load_artifact,
    provenance_path,
    save_artifact,
)
from boardless_sim.errors import ModelError


def same(left: QuantizedNetwork, right: QuantizedNetwork) -> bool:
    return (left.network, left.score_step) == (right.network, right.score_step) and all(
        np.array_equal(a.weight, b.weight)
        and np.array_equal(a.bias, b.bias)
        and np.array_equal(a.multiplier, b.multiplier)
        and np.array_equal(a.shift, b.shift)
        and (a.input_zero_point, a.output_zero_point) == (b.input_zero_point, b.output_zero_point)
        for a, b in zip(left.layers, right.layers, strict=True)
    )


def test_artifact_comes_back_as_it_was_saved(quantized: QuantizedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    digest = save_artifact(quantized, {"seed": 5}, path)
    assert same(load_artifact(path), quantized)
    assert json.loads(provenance_path(path).read_text()) == {
        "sha256": digest,
        "rounding": "single",
        "seed": 5,
    }


def test_saving_twice_gives_the_same_bytes(quantized: QuantizedNetwork, tmp_path: Path) -> None:
    first = save_artifact(quantized, {}, tmp_path / "a.npz")
    assert save_artifact(quantized, {}, tmp_path / "b.npz") == first


def test_changed_artifact_is_refused(quantized: QuantizedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_artifact(quantized, {}, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"sha256 [0-9a-f]{64}, expected [0-9a-f]{64}"):
        load_artifact(path)


def test_artifact_without_a_checksum_is_refused(
    quantized: QuantizedNetwork, tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    save_artifact(quantized, {}, path)
    checksum_path(path).unlink()
    with pytest.raises(ModelError, match=r"artifact or checksum cannot be read"):
        artifact_sha256(path)


def test_empty_checksum_is_refused(quantized: QuantizedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_artifact(quantized, {}, path)
    checksum_path(path).write_text("")
    with pytest.raises(ModelError, match="expected nothing"):
        artifact_sha256(path)


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
        (
            "weight_0",
            np.full((16, 3, 3, 1), -128, np.int8),
            "weights -128 to -128, expected -127",
        ),
        ("bias_0", np.full(16, 2**31 - 1, np.int32), "expected less than 2^31"),
        ("multiplier_0", np.ones(16, np.int32), "multiplier below 2^30"),
        ("shift_0", np.full(16, 32, np.uint8), "shift outside 33 to 62"),
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


def test_archive_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", network=np.zeros(20 * 1024 * 1024, np.uint8))
    with pytest.raises(ModelError, match="bytes unpacked, expected at most 16777216"):
        read_arrays(tmp_path / "a.npz")


def test_layers_are_paired_with_their_stages(quantized: QuantizedNetwork) -> None:
    for stage, layer in quantized.staged():
        assert layer.weight.shape == stage.weight_shape
    with pytest.raises(ValueError, match="zip"):
        replace(quantized, layers=quantized.layers[:-1]).staged()
