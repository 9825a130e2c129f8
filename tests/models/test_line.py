"""The whole line as a user runs it: each step a command, one file in and one file out."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
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
from boardless_models.graph.artifact import load_artifact, provenance_path
from boardless_models.graph.graph import Convolve
from boardless_models.graph.reference import run_graph
from boardless_models.graph.stage_table import rows_of
from boardless_models.int8.checkpoint import load_checkpoint
from boardless_models.int8.score import decide
from boardless_models.tflite.reader import graph_of
from boardless_models.tflite.tensors import file_in, read_file
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
        classes=whole.classes,
    )


def step(name: str, *arguments: object) -> None:
    assert cli.main(["model", name, *map(str, arguments)]) == 0


def show(frames: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few frames take the place of the whole data set."""
    for name in STEPS:
        module = import_module(f"boardless.commands.model.{name}")
        monkeypatch.setattr(module, "open_dataset", lambda *_: frames)


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
    show(frames, monkeypatch)
    first, pruned, taught = (tmp_path / f"tiny.{name}.npz" for name in ("float", "pruned", "qat"))
    artifact = tmp_path / "tiny.npz"

    step("train", first, "--network", network_file(tmp_path, activation), *ONE_EPOCH)
    step("prune", first, pruned, "--method", "channels", "--share", "0.5", *ONE_EPOCH)
    step("qat", pruned, taught, *ONE_EPOCH)
    step("quantize", taught, artifact)

    graph = load_artifact(artifact).graph
    layers = [found for found in graph.operators if isinstance(found, Convolve)]
    assert [len(layer.bias) for layer in layers] == [4, 4, 4, 10]
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
    (*_, expected) = run_graph(graph, frames.test.images[:8])
    for frame, logits in zip(frames.test.images, expected, strict=False):
        run = kernels.run(frame)
        assert run.outputs[-1] == logits.tobytes()
        decision = decide(logits.reshape(-1), graph.score_step)
        assert (run.class_index, run.score) == (decision.class_index, decision.score)

    tflite = tmp_path / "tiny.tflite"
    step("export", artifact, tflite)
    assert len(graph_of(file_in(read_file(tflite), tflite), "tiny", "single").values) > len(layers)


def test_a_network_for_other_frames_is_not_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = tmp_path / "small.json"
    network.write_text(network_to_json(Network("small", Shape(8, 8, 1), (Dense(10),))))
    arguments = [str(tmp_path / "c.npz"), "--network", str(network)]
    assert cli.main(["model", "train", *arguments]) == 2
    message = "boardless: small takes frames of 8x8x1, the data set's are 28x28x1\n"
    assert capsys.readouterr().err == message


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
    from boardless_models.training import fit

    show(few(), monkeypatch)
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
    assert cli.main(["model", "train", *cut]) == ExitCode.INTERRUPTED
    assert not (tmp_path / "cut.npz").exists()
    assert (tmp_path / "cut.npz.partial").exists()
    step("train", *cut)
    assert epochs == [0, 1, 1]
    assert not (tmp_path / "cut.npz.partial").exists()
    for name in ("weight_0", "weight_3", "range_1"):
        left, right = (np.load(tmp_path / f"{file}.npz")[name] for file in ("whole", "cut"))
        assert np.array_equal(left, right), name
