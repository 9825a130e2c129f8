from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless_models.data.dataset import Dataset, Split, load_dataset
from boardless_models.data.network import Conv2d, Dense, Depthwise, Network, Shape
from boardless_models.training.recipe import FLOAT, GRID, Recipe
from boardless_sim.errors import ModelError
from tests.models.convolutions import convolutions

pytest.importorskip("torch", reason="the training steps need PyTorch (boardless[train])")

NETWORK = Network(
    "tiny", Shape(28, 28, 1), (Conv2d(4, 3, 2), Depthwise(), Conv2d(4, 1, bits=4), Dense(10))
)
ONCE = replace(FLOAT, epochs=1)


@pytest.fixture(scope="module")
def few() -> Dataset:
    whole = load_dataset()
    return Dataset(
        train=Split(whole.train.images[:1_024], whole.train.labels[:1_024]),
        validation=Split(whole.validation.images[:256], whole.validation.labels[:256]),
        test=Split(whole.test.images[:64], whole.test.labels[:64]),
        sha256=whole.sha256,
        classes=whole.classes,
    )


def test_the_same_seed_trains_the_same_network(few: Dataset) -> None:
    from boardless_models.training.train import train

    first, second = (train(NETWORK, few, 3, ONCE) for _ in range(2))
    for left, right in zip(first.layers, second.layers, strict=True):
        assert np.array_equal(left.weight, right.weight)
        assert (left.minimum, left.maximum) == (right.minimum, right.maximum)


RECIPES = [
    replace(FLOAT, epochs=3),
    replace(FLOAT, epochs=3, average=0.9, flip=True, erase=0.5, label_smoothing=0.1, grid=0.4),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=["plain", "everything"])
def test_interrupted_training_goes_on_to_the_same_network(
    few: Dataset, tmp_path: Path, recipe: Recipe
) -> None:
    import torch

    from boardless_models.training.fit import Training, fit
    from boardless_models.training.modules import float_model
    from boardless_models.training.resume import StateFile
    from boardless_models.training.train import train

    whole = train(NETWORK, few, 3, recipe)

    state_file = StateFile.beside(tmp_path / "c.npz", seed=3)
    torch.manual_seed(3)
    training = Training(float_model(NETWORK), few, recipe)
    training.one_epoch()
    state_file.save(training.state())
    torch.manual_seed(99)
    again = train(NETWORK, few, 3, recipe, state_file=state_file)

    assert again.record == whole.record
    for left, right in zip(again.layers, whole.layers, strict=True):
        assert np.array_equal(left.weight, right.weight)

    other = StateFile.beside(tmp_path / "c.npz", seed=4)
    with pytest.raises(ModelError, match="the state of another training"):
        fit(training, other)


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    from boardless_models.training.resume import StateFile

    state_file = StateFile.beside(tmp_path / "c.npz")
    state_file.path.write_bytes(b"PK\x03\x04 not a state")
    with pytest.raises(ModelError, match="not the state of a training"):
        state_file.load()
    state_file.remove()
    assert state_file.load() is None


@pytest.mark.parametrize("activation", ["relu", "relu6", "prelu", "hard-swish"])
def test_a_folded_network_says_what_the_trained_one_said(few: Dataset, activation: str) -> None:
    import torch

    from boardless_models.data.network import stages
    from boardless_models.int8.forward import layer_outputs
    from boardless_models.training.modules import float_model
    from boardless_models.training.train import folded_layers

    first = Conv2d(4, 3, 2, activation=activation)
    network = replace(NETWORK, layers=(first, Depthwise(activation=activation), Dense(10)))
    torch.manual_seed(1)
    model = float_model(network)
    frames = torch.from_numpy(few.train.images[:64].copy())[:, None].float() / 255.0
    model(frames)  # gives the batch norms a mean and a variance
    model.eval()
    with torch.no_grad():
        expected = model(frames).numpy()
    layers = tuple(folded_layers(model))
    found = layer_outputs(stages(network), layers, few.train.images[:64])[-1]
    np.testing.assert_allclose(found.reshape(64, 10), expected, atol=1e-4)


def test_on_grid_rounds_forward_and_passes_the_gradient_inside() -> None:
    import torch

    from boardless_models.training.modules import on_grid

    value = torch.tensor([0.26, -9.0, 0.9], requires_grad=True)
    result = on_grid(value, torch.tensor(0.5), -2, 2)
    torch.autograd.backward(result.sum())
    assert result.tolist() == [0.5, -1.0, 1.0]
    assert value.grad is not None
    assert value.grad.tolist() == [1.0, 0.0, 1.0]


def test_a_taught_network_quantises_to_itself(few: Dataset) -> None:
    """What the grid taught is what the integers are: no weight moves when it is quantised."""
    from boardless_models.graph.quantize import quantize
    from boardless_models.training.train import train
    from boardless_models.training.tune import Tuning, tune

    source = train(NETWORK, few, 3, ONCE)
    tuning = Tuning("qat", 4, replace(GRID, epochs=1), parent="p" * 64)
    taught = tune(source, few, tuning, grid=True)
    assert (taught.record.step, taught.record.parent) == ("qat", "p" * 64)
    for layer, learned in zip(convolutions(quantize(taught)), taught.layers, strict=True):
        stored = layer.weight * layer.scales[:, None, None, None]
        np.testing.assert_allclose(stored.reshape(learned.weight.shape), learned.weight, atol=1e-6)
        assert np.abs(layer.weight).max() == (7 if layer.bits == 4 else 127)


def test_weights_that_end_on_the_grid_quantise_to_themselves(few: Dataset) -> None:
    """To fold the norm is to scale the grid: the integers are those that were trained with."""
    from boardless_models.graph.quantize import quantize
    from boardless_models.training.train import train

    trained = train(NETWORK, few, 3, replace(FLOAT, epochs=2, grid=0.5, average=0.9))
    for layer, folded in zip(convolutions(quantize(trained)), trained.layers, strict=True):
        stored = layer.weight * layer.scales[:, None, None, None]
        np.testing.assert_allclose(stored.reshape(folded.weight.shape), folded.weight, atol=1e-6)


def test_an_epoch_before_the_grid_is_none_to_keep(few: Dataset) -> None:
    from boardless_models.training.fit import Training
    from boardless_models.training.modules import float_model

    training = Training(float_model(NETWORK), few, replace(FLOAT, epochs=3, grid=0.4))
    assert [bool(training.one_epoch() and training.outcome.best_epoch) for _ in range(3)] == [
        False,
        False,
        True,
    ]


def test_a_teacher_is_heard(few: Dataset, tmp_path: Path) -> None:
    from boardless_models.training.recipe import TEACHER
    from boardless_models.training.teacher import load_targets, raise_teacher, save_targets
    from boardless_models.training.train import train

    targets = raise_teacher(few, 5, replace(TEACHER, epochs=1), width=4)
    save_targets(targets, tmp_path / "t.npz")
    loaded = load_targets(tmp_path / "t.npz", few)
    taught = train(NETWORK, few, 3, replace(ONCE, distilled=0.5), loaded)
    alone = train(NETWORK, few, 3, ONCE)
    assert taught.record.teacher["seed"] == 5
    assert not np.array_equal(taught.layers[0].weight, alone.layers[0].weight)
    fewer = replace(few, train=Split(few.train.images[:100], few.train.labels[:100]))
    with pytest.raises(ModelError, match="1280 frames of data set"):
        load_targets(tmp_path / "t.npz", fewer)
    with pytest.raises(ModelError, match="18 views of up to 1 pixels, the recipe draws 25"):
        train(NETWORK, few, 3, replace(ONCE, shift=2), loaded)


def test_what_is_taught_of_a_view_is_what_the_teacher_says_of_it(few: Dataset) -> None:
    import torch

    from boardless_models.training.augment import moved
    from boardless_models.training.recipe import TEACHER
    from boardless_models.training.teacher import Teacher, logits_of

    torch.manual_seed(1)
    teacher = Teacher(width=4).eval()
    frames = torch.from_numpy(few.train.images[:16].copy())[:, None]
    known = logits_of(teacher, frames, replace(TEACHER, bfloat16=False))
    views = torch.arange(16)
    shown = moved(frames.float() / 255.0, views, shift=1)
    with torch.no_grad():
        said = teacher(shown).numpy()
    np.testing.assert_allclose(known[views, np.arange(16)], said, atol=1e-3)
    assert not np.allclose(known[0], known[1], atol=1e-3)


def test_views_are_all_that_a_frame_can_be_moved_to() -> None:
    import torch

    from boardless_models.training.augment import moved, view_count

    frame = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    count = view_count(shift=1, flip=True)
    shown = moved(frame.expand(count, -1, -1, -1), torch.arange(count), shift=1)
    assert count == 18
    assert len({tuple(view.flatten().tolist()) for view in shown}) == count
    assert torch.equal(shown[4], frame[0])
    assert torch.equal(shown[9 + 4], frame[0].flip(2))
    assert shown[0, 0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 4, 5]]


def test_the_whole_is_trained_on_and_the_last_epoch_kept(few: Dataset) -> None:
    import torch

    from boardless_models.training.fit import Training, fit
    from boardless_models.training.modules import float_model

    torch.manual_seed(1)
    training = Training(float_model(NETWORK), few, replace(ONCE, epochs=2, whole=True))
    assert len(training.frames) == len(few.train) + len(few.validation)
    assert torch.equal(training.labels[len(few.train) :], training.held[1])
    training.outcome = replace(training.outcome, validation_accuracy=1.0)
    assert fit(training).best_epoch == 2


def test_a_network_trained_on_the_whole_has_no_validation_from_then_on(few: Dataset) -> None:
    from boardless_models.graph.quantize import provenance, quantize
    from boardless_models.training.train import train
    from boardless_models.training.tune import Tuning, tune

    whole = train(NETWORK, few, 3, replace(ONCE, whole=True))
    tuned = tune(whole, few, Tuning("qat", 4, replace(GRID, epochs=1)), grid=True)
    assert (whole.record.validation_accuracy, tuned.record.validation_accuracy) == (None, None)
    assert tuned.record.verdict() == "no validation: trained on the whole"
    facts = provenance(tuned, quantize(tuned), few)
    assert "int8_test_accuracy" in facts
    assert "int8_validation_accuracy" not in facts


def test_a_pool_before_the_norm_gives_what_one_after_it_gives() -> None:
    import torch

    from boardless_models.data.network import stages
    from boardless_models.training.modules import FloatLayerModule, pools_first

    stage = stages(replace(NETWORK, layers=(Conv2d(4, 3, 2), Dense(10))))[0]
    torch.manual_seed(1)
    layer = FloatLayerModule(stage).eval()
    with torch.no_grad():
        layer.norm.weight.copy_(torch.tensor([1.0, -1.0, 0.5, 0.0]))
        layer.norm.bias.copy_(torch.tensor([0.0, 0.1, -0.1, 0.2]))
        frames = torch.randn(2, 1, 28, 28)
        after = torch.nn.functional.max_pool2d(layer.activation(layer.norm(layer.conv(frames))), 2)
        assert pools_first(stage)
        assert torch.equal(layer(frames), after)


@pytest.mark.parametrize("step", ["train", "teacher"])
def test_a_folder_that_is_no_data_set_exits_two(
    tmp_path: Path, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "c.npz"), "--dataset", str(tmp_path)]
    assert cli.main(["model", step, *arguments]) == 2
    said = capsys.readouterr().err
    assert "no pictures, expected a folder for each class" in said
