"""The whole line as a user runs it: each step a command, one file in and one file out."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from boardless_models.data.dataset import Dataset, Split, load_dataset
from boardless_models.data.network import (
    Conv2d,
    Dense,
    Depthwise,
    Network,
    Shape,
    network_to_json,
    stages,
)
from boardless_models.graph.chain import graph_of_chain
from boardless_models.graph.fusing import fused
from boardless_models.graph.stage_table import rows_of
from boardless_models.int8.artifact import load_artifact, provenance_path
from boardless_models.int8.checkpoint import load_checkpoint
from boardless_models.int8.reference import infer
from boardless_models.tflite.peers import load_network
from tests.nn.host import build

pytest.importorskip("torch", reason="the training steps need PyTorch (boardless[train])")

STEPS = ("train", "prune", "qat", "quantize")
ONE_EPOCH = ("--epochs", "1", "--seed", "3")


def few() -> Dataset:
    whole = load_dataset()
    return Dataset(
        train=Split(whole.train.images[:2_048], whole.train.labels[:2_048]),
        validation=Split(whole.validation.images[:256], whole.validation.labels[:256]),
        test=Split(whole.test.images[:256], whole.test.labels[:256]),
        sha256=whole.sha256,
    )


def step(name: str, *arguments: object) -> str:
    main = import_module(f"boardless_models.{name}").main
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def network_file(folder: Path, activation: str) -> Path:
    layers = (
        Conv2d(8, 3, 2, activation=activation),
        Depthwise(activation=activation),
        Conv2d(8, 3, 2, bits=4, activation=activation),
        Dense(10),
    )
    path = folder / "tiny.json"
    path.write_text(network_to_json(Network("tiny", Shape(28, 28, 1), layers)))
    return path


@pytest.mark.parametrize("activation", ["relu", "prelu", "hard-swish"])
def test_every_step_from_frames_to_the_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, activation: str
) -> None:
    frames = few()
    for name in STEPS:
        module = import_module(f"boardless_models.{name}")
        monkeypatch.setattr(module, "load_dataset", lambda *_: frames)
    first, pruned, taught = (tmp_path / f"tiny.{name}.npz" for name in ("float", "pruned", "qat"))
    artifact = tmp_path / "tiny.npz"

    step("train", first, "--network", network_file(tmp_path, activation), *ONE_EPOCH)
    step("prune", first, pruned, "--method", "channels", "--share", "0.5", *ONE_EPOCH)
    step("qat", pruned, taught, *ONE_EPOCH)
    said = step("quantize", taught, artifact)
    assert "int8 validation" in said

    quantized = load_artifact(artifact)
    assert [len(layer.bias) for layer in quantized.layers] == [4, 4, 4, 10]
    facts = json.loads(provenance_path(artifact).read_text())
    assert facts["training"]["step"] == "qat"
    assert facts["training"]["seed"] == 3
    assert facts["training"]["dataset_sha256"] == frames.sha256
    assert len(load_checkpoint(taught).calibration) == 1_000
    # Without any training it is right once in ten times.
    assert facts["int8_test_accuracy"] > 0.3
    (row,) = [row for row in rows_of(tmp_path) if row.stage == "QAT"]
    assert row.model_bytes == facts["model_bytes"]

    step("export", artifact, tmp_path / "generated")
    kernels = build(tmp_path, tmp_path / "generated")
    last = len(fused(graph_of_chain(quantized)).operators) - 1
    for frame in frames.test.images[:8]:
        run, expected = kernels.run(frame), infer(quantized, frame)
        assert run.outputs[last] == expected.outputs[-1].tobytes()
        decision = expected.decision
        assert (run.class_index, run.score) == (decision.class_index, decision.score)

    step("tflite_export", artifact, tmp_path / "tiny.tflite")
    assert len(load_network(tmp_path / "tiny.tflite")[1].values) > len(quantized.layers)


def test_a_network_for_other_frames_is_not_trained(tmp_path: Path) -> None:
    network = tmp_path / "small.json"
    network.write_text(network_to_json(Network("small", Shape(8, 8, 1), (Dense(10),))))
    main = import_module("boardless_models.training.train").main
    result = CliRunner().invoke(main, [str(tmp_path / "c.npz"), "--network", str(network)])
    message = "small takes frames of 8x8x1, the data set's are 28x28x1"
    assert (result.exit_code, message in result.output) == (2, True), result.output


def test_a_slope_is_never_below_zero() -> None:
    """What int8 holds of a PReLU, and its pool before it, both need a layer that only rises."""
    import torch

    from boardless_models.training.modules import Activation

    stage = stages(Network("x", Shape(4, 4, 1), (Conv2d(2, 3, activation="prelu"), Dense(2))))[0]
    activation = Activation(stage, slope=-0.25)
    assert activation(torch.tensor([-2.0, 3.0])).tolist() == [-0.5, 3.0]
    assert activation.learned_slope() == 0.25


def test_training_that_is_killed_goes_on_to_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second epoch never ends the first time."""
    from boardless_models.training import fit, train

    frames = few()
    monkeypatch.setattr(train, "load_dataset", lambda *_: frames)
    arguments = ("--network", network_file(tmp_path, "relu"), "--epochs", "2", "--seed", "3")
    step("train", tmp_path / "whole.npz", *arguments)

    one_epoch = fit.Training.one_epoch
    epochs: list[int] = []

    def killed(training: fit.Training) -> float:
        epochs.append(training.epoch)
        if len(epochs) == 2:
            raise KeyboardInterrupt
        return one_epoch(training)

    monkeypatch.setattr(fit.Training, "one_epoch", killed)
    cut = [str(tmp_path / "cut.npz"), *map(str, arguments)]
    result = CliRunner().invoke(train.main, cut)
    assert result.exit_code != 0
    assert not (tmp_path / "cut.npz").exists()
    assert (tmp_path / "cut.npz.partial").exists()
    step("train", *cut)
    assert epochs == [0, 1, 1]
    assert not (tmp_path / "cut.npz.partial").exists()
    for name in ("weight_0", "weight_3", "range_1"):
        left, right = (np.load(tmp_path / f"{file}.npz")[name] for file in ("whole", "cut"))
        assert np.array_equal(left, right), name
