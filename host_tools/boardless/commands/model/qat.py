"""`boardless model qat`: teach a folded network the grid that it will live on (PyTorch)."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.model.options import recipe_options, teacher_option
from boardless.commands.options import PATH
from boardless_models.data.opening import open_dataset
from boardless_models.int8.checkpoint import load_checkpoint, save_checkpoint
from boardless_models.training.recipe import GRID, Recipe
from boardless_models.training.teacher import load_targets
from boardless_models.training.tune import Tuning, file_digest, tune


@click.command("qat")
@click.argument("checkpoint", type=PATH)
@click.argument("output", type=PATH)
@teacher_option
@recipe_options(GRID)
def command(
    checkpoint: Path,
    output: Path,
    teacher: Path | None,
    dataset: Path,
    seed: int,
    recipe: Recipe,
) -> None:
    """Fine-tune CHECKPOINT on the grid of its layers' bits and write the checkpoint OUTPUT."""
    source = load_checkpoint(checkpoint)
    frames = open_dataset(dataset, source.network.input)
    targets = load_targets(teacher, frames) if teacher else None
    tuning = Tuning("qat", seed, recipe, file_digest(checkpoint), targets)
    state_file = tuning.state_file(output, source, frames)
    taught = tune(source, frames, tuning, grid=True, state_file=state_file)
    save_checkpoint(taught, output)
    state_file.remove()
    click.echo(f"{output}: {taught.record.verdict()}")
