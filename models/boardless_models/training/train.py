"""Step 1: train the float network, fold its batch norm, and write a checkpoint (PyTorch)."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
import torch
from torch import nn

from boardless_models.data.dataset import Dataset, load_dataset
from boardless_models.data.network import Network, network_to_json
from boardless_models.int8.calibrate import calibrated, calibration_indices
from boardless_models.int8.checkpoint import Checkpoint, FloatLayer, Record, save_checkpoint
from boardless_models.training.fit import Training, fit
from boardless_models.training.modules import FloatLayerModule, FoldedLayerModule, float_model
from boardless_models.training.options import network_option, recipe_options
from boardless_models.training.recipe import FLOAT, Recipe
from boardless_models.training.resume import StateFile
from boardless_models.training.teacher import Targets, load_targets
from boardless_sim.errors import BoardlessError


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
    record = Record(
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


@click.command()
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@network_option
@click.option("--teacher", type=click.Path(path_type=Path, dir_okay=False))
@recipe_options(FLOAT)
def main(
    output: Path,
    network: Network,
    teacher: Path | None,
    dataset: Path,
    seed: int,
    recipe: Recipe,
) -> None:
    """Train the float network and write the checkpoint OUTPUT (.npz); goes on where it stopped."""
    try:
        frames = load_dataset(dataset)
        targets = load_targets(teacher, frames) if teacher else None
        state_file = StateFile.beside(
            output,
            step="train",
            seed=seed,
            recipe=asdict(recipe),
            network=network_to_json(network),
            dataset=frames.sha256,
            teacher=teacher_record(targets),
        )
        checkpoint = train(network, frames, seed, recipe, targets, state_file)
        save_checkpoint(checkpoint, output)
        state_file.remove()
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(f"{output}: {checkpoint.record.verdict()}")


if __name__ == "__main__":
    main()
