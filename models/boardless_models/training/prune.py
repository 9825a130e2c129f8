"""Optional step: set the smallest weights to zero, or take the weakest channels out (PyTorch).

`magnitude` keeps the architecture: half of the weights of all layers together, the smallest, become
zero and stay zero. `channels` makes a smaller network: the output channels whose batch norm had the
least gain leave, and with them the next layer's inputs. Both fine-tune what is left.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from boardless_models.data.dataset import load_dataset
from boardless_models.data.network import Conv2d, Depthwise, Layer
from boardless_models.int8.checkpoint import (
    Checkpoint,
    FloatLayer,
    load_checkpoint,
    save_checkpoint,
)
from boardless_models.training.options import recipe_options
from boardless_models.training.recipe import SPARSE, Recipe
from boardless_models.training.teacher import load_targets
from boardless_models.training.tune import Tuning, file_digest, tune
from boardless_sim.errors import BoardlessError, ModelError

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


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--method", type=click.Choice(list(METHODS)), default="magnitude", show_default=True)
@click.option("--share", type=click.FloatRange(0.0, 0.95), default=0.5, show_default=True)
@click.option("--teacher", type=click.Path(path_type=Path, dir_okay=False))
@recipe_options(SPARSE)
def main(
    checkpoint: Path,
    output: Path,
    method: str,
    share: float,
    teacher: Path | None,
    dataset: Path,
    seed: int,
    recipe: Recipe,
) -> None:
    """Prune CHECKPOINT, fine-tune what is left, and write the checkpoint OUTPUT."""
    try:
        source = METHODS[method](load_checkpoint(checkpoint), share)
        frames = load_dataset(dataset)
        targets = load_targets(teacher, frames) if teacher else None
        tuning = Tuning(
            "prune", seed, recipe, file_digest(checkpoint), targets, f"{method} {share}"
        )
        state_file = tuning.state_file(output, source, frames)
        pruned = tune(source, frames, tuning, grid=False, state_file=state_file)
        save_checkpoint(pruned, output)
        state_file.remove()
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(f"{output}: {pruned.record.verdict()}, {sparsity(pruned):.1%} of the weights zero")


if __name__ == "__main__":
    main()
