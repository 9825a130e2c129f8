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
from boardless_models.data.networks import FASHION_MNIST_8K, default_network
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
    with pytest.raises(ModelError, match=r"the architecture(:| is) not "):
        network_from_json(text)


def described(*layers: dict[str, object], height: int = 28, channels: int = 1) -> str:
    extents = {"height": height, "width": 28, "channels": channels}
    return json.dumps({"name": "n", "input": extents, "layers": layers})


CONV: dict[str, object] = {"kind": "conv2d", "out_channels": 4, "kernel": 3}
DENSE: dict[str, object] = {"kind": "dense", "out_channels": 10}
UNFIT: dict[str, tuple[str, str]] = {
    "nothing": (described(), "n: expected a dense layer as the last one"),
    "no dense": (described(CONV), "n: expected a dense layer as the last one"),
    "two dense": (described(DENSE, DENSE), "layer 0 (dense): expected as the last layer only"),
    "one class": (described({**DENSE, "out_channels": 1}), "1 classes, expected 2 to 256"),
    "too many": (described({**DENSE, "out_channels": 257}), "257 classes, expected 2 to 256"),
    "even": (described({**CONV, "kernel": 4}, DENSE), "layer 0 (conv2d): a kernel of 4, expected"),
    "wide": (described({**CONV, "kernel": 13}, DENSE), "a kernel of 13, expected an odd one"),
    "pool": (described({**CONV, "pool": 3}, DENSE), "a pool of 3, expected 1 (none) or 2"),
    "pooled away": (
        described({**CONV, "pool": 2}, DENSE, height=1),
        "a pool of 2 leaves nothing of 1x28x1",
    ),
    "halves": (
        described({"kind": "depthwise", "bits": 4}, DENSE),
        "layer 0 (depthwise): weights of 4 bits, expected 8",
    ),
    "large": (described(DENSE, height=97), "an input of 97x28x1, expected at most 96x96"),
    "channels": (described(DENSE, channels=2), "28x28x2, expected at most 96x96 and 1 or 3"),
    "text": (json.dumps({"name": "n", "input": {}, "layers": ["conv2d"]}), "not understood"),
    "deep": ("[" * 100_000, "the architecture: nested too deep"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_network_is_checked_whole_when_it_is_read(name: str) -> None:
    text, message = UNFIT[name]
    with pytest.raises(ModelError) as caught:
        network_from_json(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_of_another_size_takes_the_layers_of_the_one_that_ships() -> None:
    assert default_network(Shape(28, 28, 1), 10) == FASHION_MNIST_8K
    other = default_network(Shape(16, 16, 3), 4)
    assert (other.input, stages(other)[-1].output.size) == (Shape(16, 16, 3), 4)
    with pytest.raises(ModelError, match="leaves nothing"):
        default_network(Shape(7, 7, 1), 4)
