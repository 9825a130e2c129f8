"""The training loop that the float and the quantisation-aware step share (PyTorch)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from boardless_models.data import Dataset, Split

BATCH = 128
EVALUATION_BATCH = 1_000
SHIFT = 1


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    epochs: int
    peak_rate: float
    warm_up: float
    weight_decay: float


@dataclass(frozen=True)
class Outcome:
    """What training came to; the validation split alone decides."""

    validation_accuracy: float
    best_epoch: int


def frames_tensor(split: Split) -> Tensor:
    """Frames as [N,1,H,W] bytes."""
    return torch.from_numpy(split.images.copy())[:, None]


def labels_tensor(split: Split) -> Tensor:
    """Class indices as PyTorch wants them."""
    return torch.from_numpy(split.labels.astype("int64"))


def shifted(batch: Tensor) -> Tensor:
    """Each frame moved by up to one pixel either way, the gap filled with black."""
    count, _, height, width = batch.shape
    padded = nn.functional.pad(batch, (SHIFT, SHIFT, SHIFT, SHIFT))[:, 0]
    down = torch.randint(0, 2 * SHIFT + 1, (count, 1)) + torch.arange(height)
    right = torch.randint(0, 2 * SHIFT + 1, (count, 1)) + torch.arange(width)
    picked = torch.arange(count)[:, None, None]
    return padded[picked, down[:, :, None], right[:, None, :]][:, None]


def accuracy(model: nn.Module, frames: Tensor, labels: Tensor) -> float:
    """The share of frames whose highest logit is the labelled class."""
    model.eval()
    correct = 0
    with torch.no_grad():
        for start in range(0, len(frames), EVALUATION_BATCH):
            batch = frames[start : start + EVALUATION_BATCH].float() / 255.0
            winners = model(batch).argmax(1)
            correct += int((winners == labels[start : start + EVALUATION_BATCH]).sum())
    return correct / len(frames)


def train_epoch(
    model: nn.Module, frames: Tensor, labels: Tensor, step: Callable[[Tensor], None]
) -> None:
    """Every training frame once, in a new order; a last batch that is not full is left out."""
    model.train()
    order = torch.randperm(len(frames))
    for start in range(0, len(frames) - BATCH + 1, BATCH):
        picked = order[start : start + BATCH]
        logits = model(shifted(frames[picked].float() / 255.0))
        step(nn.functional.cross_entropy(logits, labels[picked]))


def fit(model: nn.Module, dataset: Dataset, schedule: Schedule) -> Outcome:
    """Train in place and leave the weights of the epoch that validated best."""
    frames, labels = frames_tensor(dataset.train), labels_tensor(dataset.train)
    held_frames = frames_tensor(dataset.validation)
    held_labels = labels_tensor(dataset.validation)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=schedule.peak_rate, weight_decay=schedule.weight_decay
    )
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        schedule.peak_rate,
        total_steps=schedule.epochs * (len(frames) // BATCH),
        pct_start=schedule.warm_up,
        final_div_factor=1e3,
    )

    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        rate.step()

    outcome = Outcome(0.0, 0)
    best = copy.deepcopy(model.state_dict())
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("training", total=schedule.epochs)
        for epoch in range(1, schedule.epochs + 1):
            train_epoch(model, frames, labels, step)
            reached = accuracy(model, held_frames, held_labels)
            if reached > outcome.validation_accuracy:
                outcome = Outcome(reached, epoch)
                best = copy.deepcopy(model.state_dict())
            progress.update(bar, advance=1, description=f"epoch {epoch}: validation {reached:.2%}")
    model.load_state_dict(best)
    return outcome
