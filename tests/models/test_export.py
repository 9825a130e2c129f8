from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from boardless_models.artifact import QuantizedNetwork, artifact_sha256
from boardless_models.data import Split
from boardless_models.export import main
from boardless_models.golden import golden_vectors, load_golden
from boardless_models.layout import check_supported, packed_weights
from boardless_models.network import Conv2d, Dense, Depthwise, Layer, Network, Shape
from boardless_sim.errors import ModelError

REPOSITORY = Path(__file__).parents[2]
GENERATED = REPOSITORY / "firmware" / "generated"
GOLDEN = REPOSITORY / "models" / "golden" / "fashion_mnist_8k.npz"


@pytest.mark.parametrize("name", ["model.c", "model.h"])
def test_committed_source_is_what_the_artifact_exports(
    artifact_path: Path, tmp_path: Path, name: str
) -> None:
    result = CliRunner().invoke(main, [str(artifact_path), str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / name).read_text() == (GENERATED / name).read_text()


def test_committed_golden_vectors_are_what_the_reference_gives(
    artifact_path: Path, quantized: QuantizedNetwork, test_split: Split
) -> None:
    kept = load_golden(GOLDEN)
    fresh = golden_vectors(quantized, artifact_sha256(artifact_path), test_split)
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


def test_weights_are_stored_pair_by_pair() -> None:
    weight = np.arange(8, dtype=np.int8).reshape(4, 2)
    assert packed_weights(weight, is_first=False).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_first_layer_is_filled_up_to_twelve_taps() -> None:
    weight = np.arange(18, dtype=np.int8).reshape(2, 9)
    packed = packed_weights(weight, is_first=True).reshape(12, 2)
    assert packed[:9].T.tolist() == weight.tolist()
    assert not packed[9:].any()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((Conv2d(4, 3),), "layer 0 (conv2d): the last layer, and no other, is dense"),
        ((Dense(2), Dense(2)), "layer 0 (dense): the last layer, and no other, is dense"),
        ((Conv2d(4, 1), Dense(2)), "layer 0 (conv2d): the first is a 3x3 conv2d of grey"),
        ((Depthwise(), Dense(2)), "layer 0 (depthwise): an even number of channels"),
        ((Conv2d(4, 3), Conv2d(4, 5), Dense(2)), "layer 1 (conv2d): kernel 5, pool 1"),
        ((Conv2d(4, 3), Conv2d(4, 3, 3), Dense(2)), "layer 1 (conv2d): kernel 3, pool 3"),
        ((Conv2d(6, 3), Conv2d(4, 3), Dense(2)), "layer 1 (conv2d): 6 input channels"),
        ((Conv2d(4, 3), Depthwise(5), Dense(2)), "layer 1 (depthwise): kernel 5, expected 3"),
        ((Conv2d(4, 3), Conv2d(5, 3), Dense(2)), "layer 1 (conv2d): an even number"),
        ((Conv2d(256, 3), Dense(2)), "layer 0 (conv2d): 1 to 255 channels"),
    ],
)
def test_network_that_the_kernels_cannot_run_is_refused(
    layers: tuple[Layer, ...], message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        check_supported(Network("n", Shape(8, 8, 1), layers))
    assert message in str(caught.value)


def test_step_says_what_is_wrong_and_exits_two(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "a.npz"), str(tmp_path)])
    assert result.exit_code == 2
    assert "artifact or checksum cannot be read" in result.output
