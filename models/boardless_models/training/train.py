"""Train the float network and fold its batch norm (PyTorch)."""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import nn

from boardless_models.data.dataset import Dataset
from boardless_models.data.network import Network
from boardless_models.int8.calibrate import calibrated, calibration_indices
from boardless_models.int8.checkpoint import Checkpoint, FloatLayer, TrainingRecord
from boardless_models.training.fit import Training, fit
from boardless_models.training.modules import FloatLayerModule, FoldedLayerModule, float_model
from boardless_models.training.recipe import Recipe
from boardless_models.training.resume import StateFile
from boardless_models.training.teacher import Targets


def soft_tensor(targets: Targets | None, recipe: Recipe) -> torch.Tensor | None:
    """The teacher's logits as PyTorch wants them; every view that the recipe draws is there."""
    if targets is None:
        return None
    targets.check_views(recipe)
    return torch.from_numpy(targets.logits)


def teacher_record(targets: Targets | None) -> dict[str, object]:
    """What the provenance says of the teacher: its seed and how well it validates."""
    return {} if targets is None else asdict(targets.record)


def folded_layers(model: nn.Module) -> list[FloatLayer]:
    """Every layer of a trained model, folded; the ranges are as they were."""
    layers: list[FloatLayer] = []
    for layer in model.children():
        if isinstance(layer, FloatLayerModule):
            layers.append(layer.folded())
        elif isinstance(layer, FoldedLayerModule):
            layers.append(layer.learned())
    return layers


def train(
    network: Network,
    dataset: Dataset,
    seed: int,
    recipe: Recipe,
    targets: Targets | None = None,
    state_file: StateFile | None = None,
) -> Checkpoint:
    """Train from a seed; the validation split picks the epoch that is kept."""
    dataset.check_input(network)
    torch.manual_seed(seed)
    training = Training(float_model(network), dataset, recipe, soft_tensor(targets, recipe))
    outcome = fit(training, state_file)
    record = TrainingRecord(
        step="train",
        seed=seed,
        epochs=recipe.epochs,
        dataset_sha256=dataset.sha256,
        validation_accuracy=None if recipe.whole else outcome.validation_accuracy,
        recipe=asdict(recipe),
        teacher=teacher_record(targets),
    )
    calibration = calibration_indices(seed, len(dataset.train))
    layers = calibrated(network, folded_layers(training.model), dataset, calibration)
    return Checkpoint(network, layers, record, calibration)
