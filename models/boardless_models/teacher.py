"""Step 0: a network too large for any board, whose word on every training frame is kept (PyTorch).

The file holds its logits for the training frames, not its weights: that is all that a smaller
network learns from.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from boardless_models.checkpoint import Record, read_arrays
from boardless_models.data import DATASET_FOLDER, Dataset, load_dataset
from boardless_models.fit import EVALUATION_BATCH, Training, fit, frames_tensor
from boardless_models.recipe import TEACHER, Recipe
from boardless_models.resume import StateFile
from boardless_sim.errors import BoardlessError, ModelError

WIDTH = 32
DROPPED = 0.3
MOMENTUM = 0.9


@dataclass(frozen=True)
class Targets:
    """The teacher's logits [N,classes] for the training frames, and how it was taught."""

    logits: NDArray[np.float16]
    record: Record


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """3×3, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions, added to what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a = convolution(channels, channels)
        self.b = convolution(channels, channels)

    def forward(self, tensor: Tensor) -> Tensor:
        """[N,C,H,W] to the same shape."""
        return torch.add(tensor, self.b(self.a(tensor)))


class Teacher(nn.Module):
    """A small residual network: some 14 million MACs a frame."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(1, width),
            nn.MaxPool2d(2),
            convolution(width, 2 * width),
            nn.MaxPool2d(2),
            Residual(2 * width),
            convolution(2 * width, 4 * width),
            nn.MaxPool2d(2),
            Residual(4 * width),
        )
        self.drop = nn.Dropout(DROPPED)
        self.fc = nn.Linear(4 * width * 9, 10)

    def forward(self, tensor: Tensor) -> Tensor:
        """[N,1,28,28] to the logits [N,10]."""
        return torch.as_tensor(self.fc(self.drop(self.body(tensor).flatten(1))))


def descent(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Stochastic gradient descent: the larger network generalises better under it."""
    return torch.optim.SGD(
        model.parameters(),
        lr=recipe.peak_rate,
        momentum=MOMENTUM,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )


def logits_of(model: nn.Module, frames: Tensor) -> NDArray[np.float16]:
    """What the model says of every frame, as it stands."""
    model.eval()
    said: list[Tensor] = []
    with torch.no_grad():
        for start in range(0, len(frames), EVALUATION_BATCH):
            batch = frames[start : start + EVALUATION_BATCH].float() / 255.0
            said.append(model(batch.to(memory_format=torch.channels_last)))
    return np.asarray(torch.cat(said).numpy(), np.float16)


def raise_teacher(
    dataset: Dataset, seed: int, recipe: Recipe, width: int, state_file: StateFile | None = None
) -> Targets:
    """Train the teacher from a seed and ask it about every training frame."""
    torch.manual_seed(seed)
    training = Training(Teacher(width), dataset, recipe, optimizer=descent)
    outcome = fit(training, state_file)
    record = Record(
        step="teacher",
        seed=seed,
        epochs=recipe.epochs,
        dataset_sha256=dataset.sha256,
        calibration_seed=0,
        validation_accuracy=outcome.validation_accuracy,
        recipe=asdict(recipe),
    )
    return Targets(logits_of(training.model, frames_tensor(dataset.train)), record)


def save_targets(targets: Targets, path: Path) -> None:
    """Write the logits and the record as an .npz of plain arrays."""
    record = np.array(json.dumps(asdict(targets.record), sort_keys=True))
    np.savez_compressed(path, allow_pickle=False, logits=targets.logits, record=record)


def load_targets(path: Path, dataset: Dataset) -> Targets:
    """Read the logits and hold them against the data set that they are about."""
    arrays = read_arrays(path)
    try:
        record = Record(**json.loads(str(arrays["record"])))
        logits = np.asarray(arrays["logits"], np.float16)
    except (KeyError, TypeError, ValueError) as cause:
        raise ModelError(f"{path}: not a teacher's logits ({cause!r})") from cause
    if record.dataset_sha256 != dataset.sha256 or len(logits) != len(dataset.train):
        raise ModelError(
            f"{path}: {len(logits)} frames of data set {record.dataset_sha256[:12]}, "
            f"expected {len(dataset.train)} of {dataset.sha256[:12]}"
        )
    if logits.ndim != 2 or not np.isfinite(logits).all():
        raise ModelError(f"{path}: logits of shape {logits.shape}, expected finite [N,classes]")
    return Targets(logits, record)


@click.command()
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dataset", type=click.Path(path_type=Path), default=DATASET_FOLDER)
@click.option("--seed", type=int, default=101, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=TEACHER.epochs, show_default=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
def main(output: Path, dataset: Path, seed: int, epochs: int, threads: int) -> None:
    """Train the teacher and write its logits for the training frames to OUTPUT (.npz)."""
    torch.set_num_threads(threads)
    try:
        frames = load_dataset(dataset)
        recipe = Recipe(**{**asdict(TEACHER), "epochs": epochs})
        state_file = StateFile.beside(
            output, step="teacher", seed=seed, recipe=recipe, dataset=frames.sha256
        )
        targets = raise_teacher(frames, seed, recipe, WIDTH, state_file)
        save_targets(targets, output)
        state_file.remove()
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(f"{output}: validation {targets.record.validation_accuracy:.2%}")


if __name__ == "__main__":
    main()
