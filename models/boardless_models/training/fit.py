"""The training loop that every step shares: resumable, judged by the validation split (PyTorch)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from boardless_models.data.dataset import Dataset, Split
from boardless_models.training.augment import augmented, drawn_views
from boardless_models.training.loss import Lesson, loss_of
from boardless_models.training.modules import FloatLayerModule
from boardless_models.training.recipe import Recipe
from boardless_models.training.resume import StateFile

BATCH = 128
EVALUATION_BATCH = 1_000
LAST_RATE = 1e-3

Optimizer = Callable[[nn.Module, Recipe], torch.optim.Optimizer]


@dataclass(frozen=True)
class TrainingOutcome:
    """What training came to; the validation split alone decides."""

    validation_accuracy: float
    best_epoch: int


def frames_tensor(split: Split) -> Tensor:
    """Frames as [N,C,H,W] bytes."""
    frames = torch.from_numpy(split.images.copy())
    return frames[:, None] if frames.ndim == 3 else frames.permute(0, 3, 1, 2).contiguous()


def labels_tensor(split: Split) -> Tensor:
    """Class indices as PyTorch wants them."""
    return torch.from_numpy(split.labels.astype("int64"))


def adam(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser of every step but the teacher's."""
    return torch.optim.AdamW(
        model.parameters(), lr=recipe.peak_rate, weight_decay=recipe.weight_decay
    )


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


class Training:
    """One run: the model, its running mean, and what decides where it stands."""

    def __init__(
        self,
        model: nn.Module,
        dataset: Dataset,
        recipe: Recipe,
        soft: Tensor | None = None,
        optimizer: Optimizer = adam,
        after_step: Callable[[], None] | None = None,
    ) -> None:
        self.recipe, self.soft, self.after_step = recipe, soft, after_step
        # Channels last is the layout that the convolutions of small networks are fastest in.
        self.model = model.to(memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.model) if recipe.average else self.model
        taught = (dataset.train, dataset.validation) if recipe.whole else (dataset.train,)
        self.frames = torch.cat([frames_tensor(split) for split in taught])
        self.labels = torch.cat([labels_tensor(split) for split in taught])
        # A small set is one batch: what is left of a batch is left out, and must not be all.
        self.batch = min(BATCH, len(self.frames))
        self.held = frames_tensor(dataset.validation), labels_tensor(dataset.validation)
        self.optimizer = optimizer(self.model, recipe)
        self.rate = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            recipe.peak_rate,
            total_steps=recipe.epochs * (len(self.frames) // self.batch),
            pct_start=recipe.warm_up,
            final_div_factor=1 / LAST_RATE,
        )
        self.epoch, self.outcome = 0, TrainingOutcome(0.0, 0)
        self.best = copy.deepcopy(self.mean.state_dict())

    def step(self, batch: Tensor, lesson: Lesson) -> None:
        """One batch: forward, backward, and the running mean."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            logits = self.model(batch)
        loss = loss_of(logits.float(), lesson, self.recipe)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.rate.step()
        if self.after_step:
            self.after_step()
        if self.recipe.average:
            self.follow()

    def follow(self) -> None:
        """Move the running mean a little towards the weights."""
        with torch.no_grad():
            ours, theirs = self.mean.state_dict(), self.model.state_dict()
            for name, value in theirs.items():
                if value.is_floating_point():
                    ours[name].lerp_(value, 1.0 - self.recipe.average)
                else:
                    ours[name].copy_(value)

    def on_grid(self) -> bool:
        """Whether the weights are on their grid in the epoch to come, or once it is all over."""
        share = self.recipe.grid
        return share > 0.0 and self.epoch >= (1.0 - share) * self.recipe.epochs

    def set_grid(self) -> None:
        """Put the weights of layers that train with their norm on their grid, or leave them off."""
        for layer in (*self.model.children(), *self.mean.children()):
            if isinstance(layer, FloatLayerModule):
                layer.grid = self.on_grid()

    def one_epoch(self) -> float:
        """Every training frame once, in a new order; a last batch not full is left out.

        Where the run ends on the grid an epoch before that is none to keep.
        """
        kept = self.on_grid() or not self.recipe.grid
        self.set_grid()
        self.model.train()
        order = torch.randperm(len(self.frames))
        for start in range(0, len(self.frames) - self.batch + 1, self.batch):
            picked = order[start : start + self.batch]
            views = drawn_views(self.batch, self.recipe)
            batch = augmented(self.frames[picked].float() / 255.0, views, self.recipe)
            soft = None if self.soft is None else self.soft[views, picked].float()
            self.step(
                batch.to(memory_format=torch.channels_last), Lesson(self.labels[picked], soft)
            )
        self.epoch += 1
        reached = accuracy(self.mean, *self.held)
        if kept and (self.recipe.whole or reached > self.outcome.validation_accuracy):
            self.outcome = TrainingOutcome(reached, self.epoch)
            self.best = copy.deepcopy(self.mean.state_dict())
        return reached

    def state(self) -> dict[str, Any]:
        """Everything that the next epoch depends on, except the random numbers."""
        return {
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "rate": self.rate.state_dict(),
            "epoch": self.epoch,
            "accuracy": self.outcome.validation_accuracy,
            "best_epoch": self.outcome.best_epoch,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Stand where the state was taken."""
        self.model.load_state_dict(state["model"])
        self.mean.load_state_dict(state["mean"])
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.rate.load_state_dict(state["rate"])
        self.epoch = state["epoch"]
        self.outcome = TrainingOutcome(state["accuracy"], state["best_epoch"])

    def run(self) -> Iterator[float]:
        """The validation accuracy after each epoch that is still to come."""
        while self.epoch < self.recipe.epochs:
            yield self.one_epoch()


def fit(training: Training, state_file: StateFile | None = None) -> TrainingOutcome:
    """Train in place and leave the weights of the epoch that validated best."""
    state = state_file.load() if state_file else None
    if state:
        training.restore(state)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("training", total=training.recipe.epochs, completed=training.epoch)
        for reached in training.run():
            if state_file:
                state_file.save(training.state())
            said = f"epoch {training.epoch}: validation {reached:.2%}"
            progress.update(bar, advance=1, description=said)
            progress.console.print(said)
    training.model.load_state_dict(training.best)
    training.set_grid()
    training.model.eval()
    return training.outcome
