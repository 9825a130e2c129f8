"""Small networks with activations that are no clamp, quantised from random weights."""

from __future__ import annotations

import numpy as np

from boardless_models.data.network import Conv2d, Dense, Depthwise, Network, Shape, stages
from boardless_models.graph.graph import Graph
from boardless_models.graph.quantize import quantize
from boardless_models.int8.checkpoint import Checkpoint, FloatLayer, TrainingRecord
from boardless_models.int8.forward import layer_outputs
from boardless_models.int8.scaling import Rounding

ACTIVATIONS = ("prelu", "hard-swish")
RECORD = TrainingRecord("train", 1, 1, "d" * 64, 0.5)
SLOPES = (0.3, 0.0, 1.5, 0.01)


def network_of(activation: str) -> Network:
    """Pools before and behind the activation, an odd extent, a depthwise layer, 4-bit weights."""
    return Network(
        f"tiny {activation}",
        Shape(9, 10, 1),
        (
            Conv2d(4, 3, 2, activation=activation),
            Depthwise(activation=activation),
            Conv2d(8, 3, bits=4),
            Conv2d(4, 3, 2, activation=activation),
            Dense(3),
        ),
    )


def checkpoint_of(activation: str, seed: int) -> Checkpoint:
    """Random weights, and the ranges that random frames give."""
    random = np.random.default_rng(seed)
    network = network_of(activation)
    placed = stages(network)
    layers: list[FloatLayer] = []
    frames = random.integers(0, 256, (20, 9, 10), np.uint8)
    for index, stage in enumerate(placed):
        weight = random.normal(size=stage.weight_shape, scale=2.0 / np.sqrt(stage.fan_in))
        bias = random.normal(size=stage.weight_shape[0], scale=0.2)
        slope = SLOPES[(index + seed) % len(SLOPES)] if stage.activation == "prelu" else 0.0
        floats = weight.astype(np.float32), bias.astype(np.float32)
        bare = FloatLayer(*floats, 0.0, 1.0, slope=slope)
        seen = layer_outputs(placed[: index + 1], (*layers, bare), frames)[-1]
        low, high = min(0.0, float(seen.min())), max(0.1, float(seen.max()))
        layers.append(FloatLayer(*floats, low, high, slope=slope))
    return Checkpoint(network, tuple(layers), RECORD, np.arange(5, dtype=np.int32))


def quantized_of(activation: str, seed: int, rounding: Rounding = "single") -> Graph:
    """The network in integers."""
    return quantize(checkpoint_of(activation, seed), rounding)
