"""Pruning: set the smallest weights to zero, or take the weakest channels out.

`magnitude` keeps the architecture: half of the weights of all layers together, the smallest, become
zero and stay zero. `channels` makes a smaller network: the output channels whose batch norm had the
least gain leave, and with them the next layer's inputs. What is left is fine-tuned (`tune.py`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Conv2d, Depthwise, Layer
from boardless_models.int8.checkpoint import Checkpoint, FloatLayer
from boardless_sim.errors import ModelError

# The kernels take the channels that go into a convolution in fours.
CHANNEL_STEP = 4

Kept = NDArray[np.intp]


def prune_magnitude(source: Checkpoint, share: float) -> Checkpoint:
    """The share of all weights, over every layer, that are smallest in magnitude set to zero."""
    magnitudes = np.concatenate([np.abs(layer.weight).reshape(-1) for layer in source.layers])
    count = int(share * len(magnitudes))
    if count == 0:
        return source
    threshold = np.partition(magnitudes, count - 1)[count - 1]
    layers = tuple(
        replace(layer, weight=np.where(np.abs(layer.weight) <= threshold, 0.0, layer.weight))
        for layer in source.layers
    )
    return replace(source, layers=tuple(as_float32(layer) for layer in layers))


def as_float32(layer: FloatLayer) -> FloatLayer:
    """The layer with its weights in the type that checkpoints hold."""
    return replace(layer, weight=layer.weight.astype(np.float32))


def sparsity(checkpoint: Checkpoint) -> float:
    """The share of the weights that are zero."""
    zeros = sum(int((layer.weight == 0).sum()) for layer in checkpoint.layers)
    return zeros / sum(layer.weight.size for layer in checkpoint.layers)


def strongest(layer: FloatLayer, share: float, index: int) -> Kept:
    """The output channels that stay: those of the greatest batch norm gain, a multiple of four."""
    if layer.gamma is None:
        raise ModelError(f"layer {index}: no batch norm gain; give the checkpoint of `train`")
    channels = len(layer.bias)
    wanted = round(channels * (1.0 - share) / CHANNEL_STEP) * CHANNEL_STEP
    count = min(max(wanted, CHANNEL_STEP), channels)
    order = np.argsort(-np.abs(layer.gamma), kind="stable")
    return np.sort(order[:count])


def narrowed(layer: FloatLayer, outputs: Kept, inputs: Kept | None) -> FloatLayer:
    """The layer with these output channels, and these input channels if it mixes them."""
    weight = layer.weight[outputs]
    if inputs is not None:
        weight = weight[..., inputs]
    gamma = None if layer.gamma is None else layer.gamma[outputs]
    return replace(
        layer, weight=np.ascontiguousarray(weight), bias=layer.bias[outputs], gamma=gamma
    )


def prune_channels(source: Checkpoint, share: float) -> Checkpoint:
    """A network that lacks about this share of every convolution's output channels."""
    layers: list[FloatLayer] = []
    kinds: list[Layer] = []
    kept: Kept = np.arange(source.network.input.channels)
    for index, (kind, layer) in enumerate(zip(source.network.layers, source.layers, strict=True)):
        match kind:
            case Conv2d():
                outputs = strongest(layer, share, index)
                layers.append(narrowed(layer, outputs, kept))
                kinds.append(replace(kind, out_channels=len(outputs)))
                kept = outputs
            case Depthwise():
                layers.append(narrowed(layer, kept, None))
                kinds.append(kind)
            case _:
                layers.append(narrowed(layer, np.arange(len(layer.bias)), kept))
                kinds.append(kind)
    network = replace(source.network, layers=tuple(kinds))
    return replace(source, network=network, layers=tuple(layers))


METHODS = {"magnitude": prune_magnitude, "channels": prune_channels}
