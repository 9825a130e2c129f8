from __future__ import annotations

import json

import pytest

from boardless_models.data.network import (
    Conv2d,
    Dense,
    Depthwise,
    Network,
    Shape,
    network_from_json,
    network_to_json,
    stages,
)
from boardless_models.data.networks import FASHION_MNIST_8K
from boardless_sim.errors import ModelError

SMALL = Network("small", Shape(7, 5, 1), (Conv2d(4, 3, 2), Depthwise(), Conv2d(2, 1), Dense(3)))


def test_shapes_follow_from_layer_to_layer() -> None:
    assert [stage.output for stage in stages(SMALL)] == [
        Shape(3, 2, 4),
        Shape(3, 2, 4),
        Shape(3, 2, 2),
        Shape(1, 1, 3),
    ]
    assert [stage.weight_shape for stage in stages(SMALL)] == [
        (4, 3, 3, 1),
        (4, 3, 3, 1),
        (2, 1, 1, 4),
        (3, 3, 2, 2),
    ]


def test_a_pooled_layer_costs_only_the_pixels_that_the_pool_reads() -> None:
    # 3 × 2 pooled pixels of four each, four channels of nine taps.
    assert stages(SMALL)[0].macs == 3 * 2 * 4 * 4 * 9
    assert [stage.macs for stage in stages(SMALL)[1:]] == [6 * 4 * 9, 6 * 2 * 4, 3 * 12]


@pytest.mark.parametrize("network", [SMALL, FASHION_MNIST_8K], ids=lambda network: network.name)
def test_json_gives_the_same_network_back(network: Network) -> None:
    assert network_from_json(network_to_json(network)) == network


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        json.dumps({"name": "n", "input": {"height": 1, "width": 1}, "layers": []}),
        json.dumps(
            {
                "name": "n",
                "input": {"height": 4, "width": 4, "channels": 1},
                "layers": [{"kind": "recurrent"}],
            }
        ),
        json.dumps(
            {
                "name": "n",
                "input": {"height": 4, "width": 4, "channels": 1},
                "layers": [{"kind": "dense", "out_channels": -1}],
            }
        ),
        json.dumps(
            {"name": "n", "input": {"height": 10**9, "width": 4, "channels": 1}, "layers": []}
        ),
    ],
)
def test_architecture_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="the architecture is not understood"):
        network_from_json(text)
