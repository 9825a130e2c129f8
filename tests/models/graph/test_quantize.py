from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless_models.data.dataset import dataset_sha256, load_dataset
from boardless_models.data.network import Conv2d, Dense, Network, Shape, stages
from boardless_models.graph.artifact import provenance_path
from boardless_models.graph.c_source import source_text
from boardless_models.graph.cost import network_bytes
from boardless_models.graph.graph import Graph
from boardless_models.graph.quantize import (
    output_scale_and_zero_point,
    quantize,
    weight_scales,
)
from boardless_models.int8.calibrate import CALIBRATION_COUNT, calibrated
from boardless_models.int8.checkpoint import (
    Checkpoint,
    FloatLayer,
    TrainingRecord,
    load_checkpoint,
    save_checkpoint,
)
from boardless_sim.errors import ModelError
from tests.models.convolutions import convolutions

ARTIFACTS = Path(__file__).parents[3] / "models" / "artifacts"
FILES = {"train": "float", "prune": "pruned", "qat": "qat"}
NETWORK = Network("tiny", Shape(4, 4, 1), (Conv2d(2, 3, 2), Dense(2)))
RECORD = TrainingRecord("train", 1, 1, "d" * 64, 0.5)


def tiny() -> Checkpoint:
    random = np.random.default_rng(11)
    layers = []
    for stage in stages(NETWORK):
        weight = random.normal(size=stage.weight_shape).astype(np.float32)
        bias = random.normal(size=stage.weight_shape[0]).astype(np.float32)
        layers.append(FloatLayer(weight, bias, -1.0, 4.0))
    return Checkpoint(NETWORK, tuple(layers), RECORD, np.arange(5, dtype=np.int32))


def test_checkpoint_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save_checkpoint(tiny(), tmp_path / "c.npz")
    found = load_checkpoint(tmp_path / "c.npz")
    assert (found.network, found.record) == (NETWORK, RECORD)
    for loaded, saved in zip(found.layers, tiny().layers, strict=True):
        assert np.array_equal(loaded.weight, saved.weight)
        assert np.array_equal(loaded.bias, saved.bias)
        assert (loaded.minimum, loaded.maximum) == (saved.minimum, saved.maximum)
    assert found.calibration.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("indices", [[], [-1, 3]])
def test_calibration_that_names_no_frame_is_refused(tmp_path: Path, indices: list[int]) -> None:
    save_checkpoint(replace(tiny(), calibration=np.array(indices, np.int32)), tmp_path / "c.npz")
    with pytest.raises(ModelError, match="expected indices of frames"):
        load_checkpoint(tmp_path / "c.npz")


@pytest.mark.parametrize(
    ("weight", "minimum", "message"),
    [
        (np.full((2, 3, 3, 1), np.nan, np.float32), 0.0, "layer 0: not finite"),
        (np.zeros((2, 3, 3, 1), np.float32), 4.0, "an empty range 4.0..4.0"),
        (np.zeros((2, 3, 3, 2), np.float32), 0.0, "expected (2, 3, 3, 1)"),
    ],
)
def test_checkpoint_that_cannot_be_used_is_refused(
    tmp_path: Path,
    weight: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    minimum: float,
    message: str,
) -> None:
    good = tiny()
    bad = FloatLayer(weight, good.layers[0].bias, minimum, 4.0)
    save_checkpoint(replace(good, layers=(bad, good.layers[1])), tmp_path / "c.npz")
    with pytest.raises(ModelError) as caught:
        load_checkpoint(tmp_path / "c.npz")
    assert message in str(caught.value)


def test_largest_weight_of_each_channel_is_127() -> None:
    layer = convolutions(quantize(tiny()))[0]
    assert np.abs(layer.weight.reshape(2, -1)).max(axis=1).tolist() == [127, 127]


def test_a_grid_from_zero_starts_at_the_least_int8() -> None:
    layer = FloatLayer(np.zeros(1, np.float32), np.zeros(1, np.float32), 0.0, 51.0)
    assert output_scale_and_zero_point(layer) == (float(np.float32(0.2)), -128)


def test_zero_point_stands_where_zero_falls() -> None:
    layer = FloatLayer(np.zeros(1, np.float32), np.zeros(1, np.float32), -25.5, 25.5)
    scale, zero_point = output_scale_and_zero_point(layer)
    assert scale == pytest.approx(0.2)
    assert zero_point in (-1, 0)


def test_bias_of_a_dead_channel_still_fits() -> None:
    scales = weight_scales(np.zeros((1, 3, 3, 1)), np.array([2.0]), 1 / 255)
    assert 2.0 * 255 / scales[0] <= 1 << 28


def test_each_layer_takes_the_zero_point_that_the_last_one_gave() -> None:
    first, *others = quantize(tiny()).values
    assert first.zero_point == -128
    assert {value.zero_point for value in others} == {-77}


def test_committed_weights_give_the_committed_artifact(artifact_path: Path, trained: Graph) -> None:
    found = quantize(load_checkpoint(artifact_path.with_name("fashion_mnist_8k.qat.npz")))
    assert source_text(found, "0" * 64) == source_text(trained, "0" * 64)
    assert found.values == trained.values


@pytest.mark.parametrize("facts_path", sorted(ARTIFACTS.glob("*.json")), ids=lambda path: path.stem)
def test_the_frames_of_every_calibration_are_committed(facts_path: Path) -> None:
    training = json.loads(facts_path.read_text())["training"]
    checkpoint = load_checkpoint(facts_path.with_suffix(f".{FILES[training['step']]}.npz"))
    assert checkpoint.record.seed == training["seed"]
    dataset, picked = load_dataset(), checkpoint.calibration
    assert len(picked) == len(set(picked.tolist())) == CALIBRATION_COUNT
    assert 0 <= picked.min() < picked.max() < len(dataset.train)
    again = calibrated(checkpoint.network, checkpoint.layers, dataset, picked)
    # A grid that was learned has an upper end of its own, near the one that these frames give.
    near = 1e-4 if training["step"] != "qat" else 0.35
    for kept, fresh in zip(checkpoint.layers[:-1], again[:-1], strict=True):
        assert kept.minimum == pytest.approx(fresh.minimum, abs=1e-6)
        assert kept.maximum == pytest.approx(fresh.maximum, rel=near)


def test_provenance_names_the_training(artifact_path: Path) -> None:
    facts = json.loads(provenance_path(artifact_path).read_text())
    assert facts["training"]["step"] == "qat"
    assert facts["training"]["teacher"]["step"] == "teacher"
    assert facts["training"]["dataset_sha256"] == dataset_sha256()
    assert facts["training"]["seed"] >= 0
    assert facts["int8_validation_accuracy"] >= 0.9


def test_a_model_over_its_budget_says_by_how_much_and_which_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tiny(), tmp_path / "c.npz")
    arguments = [str(tmp_path / "c.npz"), str(tmp_path / "a.npz"), "--budget", "200"]
    assert cli.main(["model", "quantize", *arguments]) == 2
    total = network_bytes(NETWORK)
    over = f"tiny: {total} bytes of model, {total - 200} over the budget of 200; tables alone takes"
    assert capsys.readouterr().err.startswith(f"boardless: {over}")
    assert not (tmp_path / "a.npz").exists()


def test_a_network_for_other_frames_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tiny(), tmp_path / "c.npz")
    assert cli.main(["model", "quantize", str(tmp_path / "c.npz"), str(tmp_path / "a.npz")]) == 2
    message = "boardless: tiny takes frames of 4x4x1, the data set's are 28x28x1\n"
    assert capsys.readouterr().err == message


def test_step_says_what_is_wrong_and_exits_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.npz").write_bytes(b"nothing")
    assert cli.main(["model", "quantize", str(tmp_path / "c.npz"), str(tmp_path / "a.npz")]) == 2
    assert "not a readable .npz" in capsys.readouterr().err
