"""Step 4: accuracy on the 10,000 test frames, by a fast path equal to the reference."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from boardless_models.data.dataset import DATASET_FOLDER, Split, load_test_split
from boardless_models.int8.artifact import QuantizedNetwork, load_artifact
from boardless_models.int8.forward import accumulate, max_pool
from boardless_models.int8.reference import INPUT_ZERO_POINT, infer
from boardless_models.int8.rounding import INT8_MINIMUM, requantise
from boardless_sim.errors import BoardlessError, ModelError

BATCH = 500
DEFAULT_FLOOR_PERCENT = 90.0

Int8 = NDArray[np.int8]


def batch_outputs(quantized: QuantizedNetwork, frames: NDArray[np.uint8]) -> list[Int8]:
    """Every layer's int8 output [N,H,W,C] for frames [N,H,W]."""
    tensor = (frames.astype(np.int16) + INPUT_ZERO_POINT).astype(np.int8)[..., None]
    outputs: list[Int8] = []
    for stage, layer in quantized.staged():
        centred = tensor.astype(np.float64) - layer.input_zero_point
        sums = accumulate(stage, centred, layer.weight.astype(np.float64)) + layer.bias
        if layer.activation is None:
            # The requantise step never falls as its sum grows, so the pool may come first.
            sums = max_pool(sums, stage.pool)
        tensor = requantise(
            sums.astype(np.int64),
            layer.multiplier,
            layer.shift,
            layer.sums_zero_point,
            quantized.rounding,
        )
        if layer.activation is not None:
            entries = layer.activation.entries(layer.output_zero_point)
            shaped = entries[tensor.astype(np.int64) - INT8_MINIMUM].astype(np.float64)
            tensor = max_pool(shaped, stage.pool).astype(np.int8)
        elif not stage.is_last:
            tensor = np.maximum(tensor, np.int8(layer.output_zero_point))
        outputs.append(tensor)
    return outputs


def predict(quantized: QuantizedNetwork, frames: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The class of every frame; the lowest index wins a tie."""
    winners = [
        batch_outputs(quantized, frames[start : start + BATCH])[-1].reshape(-1, classes(quantized))
        for start in range(0, len(frames), BATCH)
    ]
    return np.asarray(np.concatenate(winners).argmax(axis=1), np.int64)


def classes(quantized: QuantizedNetwork) -> int:
    """How many classes the network tells apart."""
    return len(quantized.layers[-1].bias)


def accuracy(quantized: QuantizedNetwork, split: Split) -> float:
    """The share of frames whose class is the labelled one."""
    return float((predict(quantized, split.images) == split.labels).mean())


def compare_paths(quantized: QuantizedNetwork, frames: NDArray[np.uint8]) -> None:
    """Hold the fast path against the reference, layer by layer."""
    fast = batch_outputs(quantized, frames)
    for index, frame in enumerate(frames):
        for number, output in enumerate(infer(quantized, frame).outputs):
            if not np.array_equal(output, fast[number][index]):
                raise ModelError(f"frame {index}, layer {number}: fast path and reference differ")


@click.command()
@click.argument("artifact", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dataset", type=click.Path(path_type=Path), default=DATASET_FOLDER)
@click.option("--floor", "floor_percent", type=float, default=DEFAULT_FLOOR_PERCENT)
@click.option("--compare", "compared", type=click.IntRange(0), default=3, show_default=True)
def main(artifact: Path, dataset: Path, floor_percent: float, compared: int) -> None:
    """Measure ARTIFACT on the test frames; exit 1 below the floor, 2 when it cannot be measured."""
    try:
        quantized = load_artifact(artifact)
        test = load_test_split(dataset)
        if compared:
            compare_paths(quantized, test.images[:compared])
        percent = 100.0 * accuracy(quantized, test)
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(f"{artifact}: {percent:.2f} % of {len(test)} test frames (floor {floor_percent})")
    sys.exit(0 if percent >= floor_percent else 1)


if __name__ == "__main__":
    main()
