"""`boardless model prune`: fewer weights or channels, and what is left fine-tuned (PyTorch)."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.model.options import recipe_options, teacher_option
from boardless.commands.options import PATH, Finite
from boardless_models.data.opening import open_dataset
from boardless_models.int8.checkpoint import load_checkpoint, save_checkpoint
from boardless_models.training.prune import METHODS, sparsity
from boardless_models.training.recipe import SPARSE, Recipe
from boardless_models.training.teacher import load_targets
from boardless_models.training.tune import Tuning, file_digest, tune


@click.command("prune")
@click.argument("checkpoint", type=PATH)
@click.argument("output", type=PATH)
@click.option("--method", type=click.Choice(list(METHODS)), default="magnitude", show_default=True)
@click.option("--share", type=Finite(0.0, 0.95), default=0.5, show_default=True)
@teacher_option
@recipe_options(SPARSE)
def command(
    checkpoint: Path,
    output: Path,
    method: str,
    share: float,
    teacher: Path | None,
    dataset: Path,
    seed: int,
    recipe: Recipe,
) -> None:
    """Prune CHECKPOINT, fine-tune what is left, and write the checkpoint OUTPUT."""
    source = METHODS[method](load_checkpoint(checkpoint), share)
    frames = open_dataset(dataset, source.network.input)
    targets = load_targets(teacher, frames) if teacher else None
    digest = file_digest(checkpoint)
    tuning = Tuning("prune", seed, recipe, digest, targets, f"{method} {share}")
    state_file = tuning.state_file(output, source, frames)
    pruned = tune(source, frames, tuning, grid=False, state_file=state_file)
    save_checkpoint(pruned, output)
    state_file.remove()
    click.echo(f"{output}: {pruned.record.verdict()}, {sparsity(pruned):.1%} of the weights zero")
