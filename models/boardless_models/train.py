"""Step 1: train the float network, fold its batch norm, and write a checkpoint (PyTorch)."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from boardless_models.calibrate import calibration_indices, output_ranges
from boardless_models.checkpoint import Checkpoint, FloatLayer, Record, save_checkpoint
from boardless_models.data import DATASET_FOLDER, Dataset, load_dataset
from boardless_models.fit import Schedule, fit
from boardless_models.forward import layer_outputs
from boardless_models.network import FASHION_MNIST_8K, Network, Stage, stages
from boardless_sim.errors import BoardlessError

PEAK_RATE = 8e-3
WEIGHT_DECAY = 1e-4
WARM_UP = 0.15


class FloatLayerModule(nn.Module):
    """One stage while it is trained: convolution, batch norm, ReLU, pool."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        outputs, rows, _, channels = stage.weight_shape
        self.stage = stage
        if stage.is_last:
            # The dense layer is a convolution whose window is the whole tensor.
            self.conv = nn.Conv2d(channels, outputs, (rows, stage.weight_shape[2]))
            return
        groups = outputs if stage.kind == "depthwise" else 1
        self.conv = nn.Conv2d(
            channels * groups, outputs, rows, padding=rows // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, tensor: Tensor) -> Tensor:
        """[N,C,H,W] to the layer's output, or to the logits [N,out]."""
        tensor = self.conv(tensor)
        if self.stage.is_last:
            return tensor.flatten(1)
        tensor = nn.functional.relu(self.norm(tensor))
        if self.stage.pool > 1:
            tensor = nn.functional.max_pool2d(tensor, self.stage.pool)
        return tensor

    def folded(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights [out,rows,columns,in] and bias with the batch norm multiplied in."""
        weight = self.conv.weight.detach()
        if self.stage.is_last:
            bias = self.conv.bias
            assert bias is not None
            return to_layout(weight), np.array(bias.detach().numpy(), np.float32)
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        gain = self.norm.weight.detach() / torch.sqrt(variance + self.norm.eps)
        bias = self.norm.bias.detach() - mean * gain
        folded = to_layout(weight * gain[:, None, None, None])
        return folded, np.array(bias.numpy(), np.float32)


def to_layout(weight: Tensor) -> NDArray[np.float32]:
    """PyTorch's [out,in,rows,columns] as [out,rows,columns,in]."""
    return np.array(weight.permute(0, 2, 3, 1).numpy(), np.float32, order="C")


def float_model(network: Network) -> nn.Sequential:
    """The network with fresh weights."""
    return nn.Sequential(*(FloatLayerModule(stage) for stage in stages(network)))


def calibrated_layers(
    network: Network,
    weights: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
    dataset: Dataset,
    seed: int,
) -> tuple[FloatLayer, ...]:
    """The folded weights with the output ranges that the calibration frames give."""
    picked = calibration_indices(seed, len(dataset.train))
    wide = tuple((weight.astype(np.float64), bias.astype(np.float64)) for weight, bias in weights)
    placed = stages(network)
    ranges = output_ranges(placed, layer_outputs(placed, wide, dataset.train.images[picked]))
    return tuple(
        FloatLayer(weight, bias, low, high)
        for (weight, bias), (low, high) in zip(weights, ranges, strict=True)
    )


def train(network: Network, dataset: Dataset, seed: int, epochs: int) -> Checkpoint:
    """Train from a seed; the validation split picks the epoch that is kept."""
    torch.manual_seed(seed)
    model = float_model(network)
    outcome = fit(model, dataset, Schedule(epochs, PEAK_RATE, WARM_UP, WEIGHT_DECAY))
    model.eval()
    weights = [layer.folded() for layer in model if isinstance(layer, FloatLayerModule)]
    return Checkpoint(
        network=network,
        layers=calibrated_layers(network, weights, dataset, seed),
        record=Record(
            step="train",
            seed=seed,
            epochs=epochs,
            dataset_sha256=dataset.sha256,
            calibration_seed=seed,
            validation_accuracy=outcome.validation_accuracy,
        ),
    )


@click.command()
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dataset", type=click.Path(path_type=Path), default=DATASET_FOLDER)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=40, show_default=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
def main(output: Path, dataset: Path, seed: int, epochs: int, threads: int) -> None:
    """Train the float network and write the checkpoint OUTPUT (.npz)."""
    torch.set_num_threads(threads)
    try:
        checkpoint = train(FASHION_MNIST_8K, load_dataset(dataset), seed, epochs)
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    save_checkpoint(checkpoint, output)
    click.echo(f"{output}: validation {checkpoint.record.validation_accuracy:.2%}")


if __name__ == "__main__":
    main()
