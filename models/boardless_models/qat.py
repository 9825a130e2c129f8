"""Step 2: teach the folded network the int8 grid it will live on (PyTorch, straight-through)."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from boardless_models.checkpoint import (
    Checkpoint,
    FloatLayer,
    Record,
    load_checkpoint,
    save_checkpoint,
)
from boardless_models.data import DATASET_FOLDER, Dataset, load_dataset
from boardless_models.fit import Schedule, fit
from boardless_models.network import Stage, stages
from boardless_models.rounding import INT8_MAXIMUM, INT8_MINIMUM
from boardless_models.train import calibrated_layers, to_layout
from boardless_sim.errors import BoardlessError

PEAK_RATE = 1.5e-3
WEIGHT_DECAY = 1e-5
WARM_UP = 0.1
STEPS = INT8_MAXIMUM - INT8_MINIMUM


def on_grid(value: Tensor, scale: Tensor, low: int, high: int) -> Tensor:
    """Round to a grid on the way forward; the gradient passes where nothing was clamped."""
    steps = (value / scale).clamp(low, high)
    return (steps + (steps.round() - steps).detach()) * scale


class GridLayerModule(nn.Module):
    """One folded stage whose weights and output stand on their int8 grids."""

    def __init__(self, stage: Stage, layer: FloatLayer) -> None:
        super().__init__()
        self.stage = stage
        self.weight = nn.Parameter(torch.from_numpy(layer.weight.transpose(0, 3, 1, 2).copy()))
        self.bias = nn.Parameter(torch.from_numpy(layer.bias.copy()))
        self.output_scale = torch.tensor(layer.maximum / STEPS)

    def forward(self, tensor: Tensor) -> Tensor:
        """[N,C,H,W] to the layer's output on its grid; the logits stay as they are."""
        largest = self.weight.detach().abs().amax((1, 2, 3), keepdim=True)
        scale = largest.clamp_min(1e-8) / INT8_MAXIMUM
        weight = on_grid(self.weight, scale, -INT8_MAXIMUM, INT8_MAXIMUM)
        if self.stage.is_last:
            return nn.functional.conv2d(tensor, weight, self.bias).flatten(1)
        groups = len(weight) if self.stage.kind == "depthwise" else 1
        border = self.stage.weight_shape[1] // 2
        tensor = nn.functional.conv2d(tensor, weight, self.bias, padding=border, groups=groups)
        tensor = on_grid(nn.functional.relu(tensor), self.output_scale, 0, STEPS)
        if self.stage.pool > 1:
            tensor = nn.functional.max_pool2d(tensor, self.stage.pool)
        return tensor

    def learned(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights [out,rows,columns,in] and bias, off the grid."""
        return to_layout(self.weight.detach()), np.array(self.bias.detach().numpy(), np.float32)


def teach(
    checkpoint: Checkpoint, dataset: Dataset, seed: int, epochs: int, parent: str
) -> Checkpoint:
    """Fine-tune on the grid; hidden ranges stay, the logits' range is calibrated again."""
    torch.manual_seed(seed)
    placed = stages(checkpoint.network)
    model = nn.Sequential(
        *(GridLayerModule(*pair) for pair in zip(placed, checkpoint.layers, strict=True))
    )
    outcome = fit(model, dataset, Schedule(epochs, PEAK_RATE, WARM_UP, WEIGHT_DECAY))
    weights = [layer.learned() for layer in model if isinstance(layer, GridLayerModule)]
    fresh = calibrated_layers(
        checkpoint.network, weights, dataset, checkpoint.record.calibration_seed
    )
    kept = tuple(
        FloatLayer(new.weight, new.bias, old.minimum, old.maximum)
        for new, old in zip(fresh[:-1], checkpoint.layers[:-1], strict=True)
    )
    record = Record(
        step="qat",
        seed=seed,
        epochs=epochs,
        dataset_sha256=dataset.sha256,
        calibration_seed=checkpoint.record.calibration_seed,
        validation_accuracy=outcome.validation_accuracy,
        parent=parent,
    )
    return Checkpoint(checkpoint.network, (*kept, fresh[-1]), record)


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dataset", type=click.Path(path_type=Path), default=DATASET_FOLDER)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=12, show_default=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
def main(
    checkpoint: Path, output: Path, dataset: Path, seed: int, epochs: int, threads: int
) -> None:
    """Fine-tune the float CHECKPOINT on the int8 grid and write the checkpoint OUTPUT."""
    torch.set_num_threads(threads)
    try:
        source = load_checkpoint(checkpoint)
        parent = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
        taught = teach(source, load_dataset(dataset), seed, epochs, parent)
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    save_checkpoint(taught, output)
    click.echo(f"{output}: validation {taught.record.validation_accuracy:.2%}")


if __name__ == "__main__":
    main()
