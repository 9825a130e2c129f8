from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from boardless_models.data import Dataset, Split, load_dataset
from boardless_models.network import Conv2d, Dense, Depthwise, Network, Shape

pytest.importorskip("torch", reason="the training steps need PyTorch (boardless[train])")

NETWORK = Network("tiny", Shape(28, 28, 1), (Conv2d(4, 3, 2), Depthwise(), Conv2d(4, 1), Dense(10)))


@pytest.fixture(scope="module")
def few() -> Dataset:
    whole = load_dataset()
    return Dataset(
        train=Split(whole.train.images[:1_024], whole.train.labels[:1_024]),
        validation=Split(whole.validation.images[:256], whole.validation.labels[:256]),
        test=Split(whole.test.images[:0], whole.test.labels[:0]),
        sha256=whole.sha256,
    )


def test_the_same_seed_trains_the_same_network(few: Dataset) -> None:
    from boardless_models.train import train

    first, second = (train(NETWORK, few, seed=3, epochs=1) for _ in range(2))
    for left, right in zip(first.layers, second.layers, strict=True):
        assert np.array_equal(left.weight, right.weight)
        assert (left.minimum, left.maximum) == (right.minimum, right.maximum)


def test_a_folded_network_says_what_the_trained_one_said(few: Dataset) -> None:
    import torch

    from boardless_models.forward import layer_outputs
    from boardless_models.network import stages
    from boardless_models.train import FloatLayerModule, float_model

    torch.manual_seed(1)
    model = float_model(NETWORK)
    frames = torch.from_numpy(few.train.images[:64].copy())[:, None].float() / 255.0
    model(frames)  # gives the batch norms a mean and a variance
    model.eval()
    with torch.no_grad():
        expected = model(frames).numpy()
    folded = [layer.folded() for layer in model if isinstance(layer, FloatLayerModule)]
    wide = tuple((weight.astype(np.float64), bias.astype(np.float64)) for weight, bias in folded)
    found = layer_outputs(stages(NETWORK), wide, few.train.images[:64])[-1]
    np.testing.assert_allclose(found.reshape(64, 10), expected, atol=1e-4)


def test_a_taught_network_keeps_its_hidden_ranges(few: Dataset) -> None:
    from boardless_models.qat import teach
    from boardless_models.train import train

    source = train(NETWORK, few, seed=3, epochs=1)
    taught = teach(source, few, seed=4, epochs=1, parent="p" * 64)
    assert taught.record.step == "qat"
    assert taught.record.parent == "p" * 64
    for before, after in zip(source.layers[:-1], taught.layers[:-1], strict=True):
        assert (before.minimum, before.maximum) == (after.minimum, after.maximum)
        assert not np.array_equal(before.weight, after.weight)


def test_on_grid_rounds_forward_and_passes_the_gradient_inside() -> None:
    import torch

    from boardless_models.qat import on_grid

    value = torch.tensor([0.26, -9.0, 0.9], requires_grad=True)
    result = on_grid(value, torch.tensor(0.5), -2, 2)
    torch.autograd.backward(result.sum())
    assert result.tolist() == [0.5, -1.0, 1.0]
    assert value.grad is not None
    assert value.grad.tolist() == [1.0, 0.0, 1.0]


def test_missing_data_set_exits_two(tmp_path: Path) -> None:
    from boardless_models.train import main

    result = CliRunner().invoke(main, [str(tmp_path / "c.npz"), "--dataset", str(tmp_path)])
    assert result.exit_code == 2
    assert "dataset-fashion-mnist" in result.output
