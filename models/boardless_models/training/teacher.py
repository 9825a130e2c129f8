"""A network too large for any board, whose word on every training frame is kept (PyTorch).

The file holds its logits for the training frames, not its weights: that is all that a smaller
network learns from.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from boardless_models.data.archive import read_arrays, write_arrays
from boardless_models.data.dataset import Dataset
from boardless_models.int8.checkpoint import TrainingRecord
from boardless_models.training.augment import moved, view_count
from boardless_models.training.fit import EVALUATION_BATCH, Training, fit, frames_tensor
from boardless_models.training.recipe import Recipe
from boardless_models.training.resume import StateFile
from boardless_sim.errors import ModelError
from boardless_sim.json_text import parse_json

WIDTH = 32
DROPPED = 0.3
MOMENTUM = 0.9
# How far what the teacher is asked about is moved.
TAUGHT_SHIFT = 1
LARGEST_TARGETS_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Targets:
    """The teacher's logits [views,N,classes], N being the training and then the validation frames.

    The views are those of `augment.moved` with this shift, mirrored ones last: what is learned from
    a moved frame is what the teacher says of that very frame.
    """

    logits: NDArray[np.float16]
    shift: int
    record: TrainingRecord

    def check_views(self, recipe: Recipe) -> None:
        """Refuse a recipe that draws views which the teacher was not asked about."""
        drawn = view_count(recipe.shift, recipe.flip)
        if recipe.shift != self.shift or drawn > len(self.logits):
            raise ModelError(
                f"the teacher knows {len(self.logits)} views of up to {self.shift} pixels, the "
                f"recipe draws {drawn} of up to {recipe.shift}"
            )


def convolution(inputs: int, outputs: int, pool: int = 1) -> nn.Sequential:
    """3×3, max-pool, batch norm, ReLU: the pool comes first because the rest then costs less."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(pool) if pool > 1 else nn.Identity(),
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
    """A small residual network: some 47 million MACs a frame."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(1, width, pool=2),
            convolution(width, 2 * width),
            Residual(2 * width),
            convolution(2 * width, 4 * width, pool=2),
            Residual(4 * width),
            nn.MaxPool2d(2),
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


def logits_of(model: nn.Module, frames: Tensor, recipe: Recipe) -> NDArray[np.float16]:
    """What the model says of every view of every frame, as it stands."""
    model.eval()
    said: list[Tensor] = []
    for number in range(view_count(TAUGHT_SHIFT, flip=True)):
        for start in range(0, len(frames), EVALUATION_BATCH):
            batch = frames[start : start + EVALUATION_BATCH].float() / 255.0
            views = torch.full((len(batch),), number)
            shown = moved(batch, views, TAUGHT_SHIFT).to(memory_format=torch.channels_last)
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
                said.append(model(shown).float())
    logits = torch.cat(said).numpy().astype(np.float16)
    return np.asarray(logits.reshape(-1, len(frames), logits.shape[-1]), np.float16)


def raise_teacher(
    dataset: Dataset, seed: int, recipe: Recipe, width: int, state_file: StateFile | None = None
) -> Targets:
    """Train the teacher from a seed and ask it about every frame but the test's."""
    torch.manual_seed(seed)
    training = Training(Teacher(width), dataset, recipe, optimizer=descent)
    outcome = fit(training, state_file)
    record = TrainingRecord(
        step="teacher",
        seed=seed,
        epochs=recipe.epochs,
        dataset_sha256=dataset.sha256,
        validation_accuracy=outcome.validation_accuracy,
        recipe=asdict(recipe),
    )
    frames = torch.cat([frames_tensor(dataset.train), frames_tensor(dataset.validation)])
    logits = logits_of(training.model, frames, recipe)
    return Targets(logits, TAUGHT_SHIFT, record)


def save_targets(targets: Targets, path: Path) -> None:
    """Write the logits and the record as an .npz of plain arrays."""
    record = np.array(json.dumps(asdict(targets.record), sort_keys=True))
    shift = np.array(targets.shift, np.int32)
    write_arrays(path, {"logits": targets.logits, "shift": shift, "record": record})


def load_targets(path: Path, dataset: Dataset) -> Targets:
    """Read the logits and hold them against the data set that they are about."""
    arrays = read_arrays(path, LARGEST_TARGETS_BYTES)
    try:
        record = TrainingRecord(
            **parse_json(str(arrays["record"]), "record", "a training's", ModelError)
        )
        logits = np.asarray(arrays["logits"], np.float16)
        shift = int(arrays["shift"])
    except (KeyError, TypeError, ValueError) as cause:
        raise ModelError(f"{path}: not a teacher's logits ({cause!r})") from cause
    if logits.ndim != 3 or not np.isfinite(logits).all():
        raise ModelError(
            f"{path}: logits of shape {logits.shape}, expected finite [views,N,classes]"
        )
    expected = len(dataset.train) + len(dataset.validation)
    if record.dataset_sha256 != dataset.sha256 or logits.shape[1] != expected:
        raise ModelError(
            f"{path}: {logits.shape[1]} frames of data set {record.dataset_sha256[:12]}, "
            f"expected {expected} of {dataset.sha256[:12]}"
        )
    return Targets(logits, shift, record)
