"""Fine-tuning of a folded checkpoint: what pruning and the grid have in common (PyTorch)."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from boardless_models.data.dataset import Dataset
from boardless_models.data.network import network_to_json
from boardless_models.int8.calibrate import calibrated
from boardless_models.int8.checkpoint import Checkpoint, FloatLayer, TrainingRecord
from boardless_models.training.fit import Training, fit
from boardless_models.training.modules import folded_model
from boardless_models.training.recipe import Recipe
from boardless_models.training.resume import StateFile
from boardless_models.training.teacher import Targets
from boardless_models.training.train import folded_layers, soft_tensor, teacher_record
from boardless_sim.errors import ModelError
from boardless_sim.files import read_file


@dataclass(frozen=True)
class Tuning:
    """One fine-tuning run: its name in the record, its seed and recipe, and what it starts from."""

    step: str
    seed: int
    recipe: Recipe
    parent: str = ""
    targets: Targets | None = None
    method: str = ""

    def state_file(self, output: Path, source: Checkpoint, dataset: Dataset) -> StateFile:
        """Where this run keeps its state."""
        return StateFile.beside(
            output,
            step=self.step,
            method=self.method,
            seed=self.seed,
            recipe=asdict(self.recipe),
            parent=self.parent,
            network=network_to_json(source.network),
            dataset=dataset.sha256,
            teacher=teacher_record(self.targets),
        )


def file_digest(path: Path) -> str:
    """The sha256 of a step's input, by which its output names it."""
    return hashlib.sha256(read_file(path, "a checkpoint", ModelError)).hexdigest()


def tune(
    source: Checkpoint,
    dataset: Dataset,
    tuning: Tuning,
    grid: bool,
    state_file: StateFile | None = None,
) -> Checkpoint:
    """Teach the folded weights further; what was pruned stays zero.

    Off the grid every range is calibrated anew; on it the hidden ranges are the learned ones.
    """
    torch.manual_seed(tuning.seed)
    model = folded_model(source.network, source.layers, grid)
    soft = soft_tensor(tuning.targets, tuning.recipe)
    training = Training(model, dataset, tuning.recipe, soft)
    outcome = fit(training, state_file)
    learned = folded_layers(training.model)
    fresh = calibrated(source.network, learned, dataset, source.calibration)
    unseen = source.record.validation_accuracy is not None and not tuning.recipe.whole
    record = TrainingRecord(
        step=tuning.step,
        seed=tuning.seed,
        epochs=tuning.recipe.epochs,
        dataset_sha256=dataset.sha256,
        validation_accuracy=outcome.validation_accuracy if unseen else None,
        parent=tuning.parent,
        method=tuning.method,
        recipe=asdict(tuning.recipe),
        teacher=teacher_record(tuning.targets),
    )
    layers = ranged(fresh, learned) if grid else fresh
    return Checkpoint(source.network, layers, record, source.calibration)


def ranged(fresh: tuple[FloatLayer, ...], learned: list[FloatLayer]) -> tuple[FloatLayer, ...]:
    """The hidden layers with the ranges that they learned; the logits keep the calibrated one."""
    hidden = zip(fresh[:-1], learned[:-1], strict=True)
    kept = tuple(replace(a, minimum=b.minimum, maximum=b.maximum) for a, b in hidden)
    return (*kept, fresh[-1])
