from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless_models.data.dataset import Dataset, Split, load_dataset
from boardless_models.data.network import Conv2d, Dense, Depthwise, Network, Shape
from boardless_models.graph.cost import network_bytes, network_macs
from boardless_models.training.recipe import FLOAT, GRID, SPARSE
from boardless_sim.errors import ModelError
from tests.models.convolutions import convolutions

pytest.importorskip("torch", reason="the training steps need PyTorch (boardless[train])")

NETWORK = Network(
    "tiny",
    Shape(28, 28, 1),
    (Conv2d(8, 3, 2), Conv2d(8, 3, 2, bits=4), Depthwise(), Conv2d(12, 1), Dense(10, bits=4)),
)


@pytest.fixture(scope="module")
def few() -> Dataset:
    whole = load_dataset()
    return Dataset(
        train=Split(whole.train.images[:1_024], whole.train.labels[:1_024]),
        validation=Split(whole.validation.images[:256], whole.validation.labels[:256]),
        test=Split(whole.test.images[:8], whole.test.labels[:8]),
        sha256=whole.sha256,
        classes=whole.classes,
    )


def test_half_of_the_weights_are_zero_and_stay_zero_on_the_grid(few: Dataset) -> None:
    from boardless_models.graph.quantize import quantize
    from boardless_models.training.prune import prune_magnitude, sparsity
    from boardless_models.training.train import train
    from boardless_models.training.tune import Tuning, tune

    source = train(NETWORK, few, 3, replace(FLOAT, epochs=1))
    pruned = prune_magnitude(source, 0.5)
    assert sparsity(pruned) == pytest.approx(0.5, abs=0.001)
    tuned = tune(pruned, few, Tuning("prune", 3, replace(SPARSE, epochs=1)), grid=False)
    taught = tune(tuned, few, Tuning("qat", 3, replace(GRID, epochs=1)), grid=True)
    integers = convolutions(quantize(taught))
    for before, after, layer in zip(pruned.layers, taught.layers, integers, strict=True):
        zeros = before.weight == 0
        assert not after.weight[zeros].any()
        assert not layer.weight.reshape(zeros.shape)[zeros].any()
        assert not np.array_equal(before.weight, after.weight)


def test_a_network_without_its_weakest_channels_is_smaller_and_runs_as_before(
    few: Dataset, tmp_path: Path
) -> None:
    from boardless_models.data.network import stages
    from boardless_models.graph.quantize import quantize
    from boardless_models.int8.forward import layer_outputs
    from boardless_models.training.prune import prune_channels
    from boardless_models.training.train import train
    from boardless_models.training.tune import Tuning, tune
    from tests.nn.host import build
    from tests.nn.test_kernels import same_as_reference

    source = train(NETWORK, few, 3, replace(FLOAT, epochs=1))
    pruned = prune_channels(source, 0.5)
    widths = [stage.output.channels for stage in stages(pruned.network)]
    assert widths == [4, 4, 4, 8, 10]
    assert network_bytes(pruned.network) < network_bytes(source.network)
    assert network_macs(pruned.network) < network_macs(source.network)

    # The channels that stayed say in the first layer what they said before.
    gains = source.layers[0].gamma
    assert gains is not None
    kept = np.sort(np.argsort(-np.abs(gains), kind="stable")[:4])
    frames = few.test.images
    before = layer_outputs(stages(source.network), source.layers, frames)[0]
    after = layer_outputs(stages(pruned.network), pruned.layers, frames)[0]
    np.testing.assert_array_equal(before[..., kept], after)

    tuned = tune(pruned, few, Tuning("prune", 3, replace(SPARSE, epochs=1)), grid=False)
    integers = quantize(tuned)
    from boardless_models.graph.c_source import export

    export(integers, "00" * 32, tmp_path)
    nn = build(tmp_path, tmp_path)
    for frame in frames[:3]:
        same_as_reference(integers, frame, nn.run(frame))


def test_channels_cannot_be_ranked_without_their_gain(few: Dataset) -> None:
    from boardless_models.training.prune import prune_channels
    from boardless_models.training.train import train

    source = train(NETWORK, few, 3, replace(FLOAT, epochs=1))
    bare = replace(source, layers=tuple(replace(layer, gamma=None) for layer in source.layers))
    with pytest.raises(ModelError, match="layer 0: no batch norm gain"):
        prune_channels(bare, 0.5)
