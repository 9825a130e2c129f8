"""`boardless model train`: the float network, from the data set to a checkpoint (PyTorch)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from boardless.commands.model.options import network_option, recipe_options, teacher_option
from boardless.commands.options import PATH
from boardless_models.data.dataset import load_dataset
from boardless_models.data.network import Network, network_to_json
from boardless_models.int8.checkpoint import save_checkpoint
from boardless_models.training.recipe import FLOAT, Recipe
from boardless_models.training.resume import StateFile
from boardless_models.training.teacher import load_targets
from boardless_models.training.train import teacher_record, train


@click.command("train")
@click.argument("output", type=PATH)
@network_option
@teacher_option
@recipe_options(FLOAT)
def command(
    output: Path,
    network: Network,
    teacher: Path | None,
    dataset: Path,
    seed: int,
    recipe: Recipe,
) -> None:
    """Train the float network and write the checkpoint OUTPUT (.npz); goes on where it stopped."""
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
    click.echo(f"{output}: {checkpoint.record.verdict()}")
