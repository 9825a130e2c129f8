"""Step 2: teach the folded network the grid it will live on (PyTorch, straight-through)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from boardless_models.data.dataset import load_dataset
from boardless_models.int8.checkpoint import load_checkpoint, save_checkpoint
from boardless_models.training.options import recipe_options
from boardless_models.training.recipe import GRID, Recipe
from boardless_models.training.teacher import load_targets
from boardless_models.training.tune import Tuning, file_digest, tune
from boardless_sim.errors import BoardlessError


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--teacher", type=click.Path(path_type=Path, dir_okay=False))
@recipe_options(GRID)
def main(
    checkpoint: Path,
    output: Path,
    teacher: Path | None,
    dataset: Path,
    seed: int,
    recipe: Recipe,
) -> None:
    """Fine-tune CHECKPOINT on the grid of its layers' bits and write the checkpoint OUTPUT."""
    try:
        source = load_checkpoint(checkpoint)
        frames = load_dataset(dataset)
        targets = load_targets(teacher, frames) if teacher else None
        tuning = Tuning("qat", seed, recipe, file_digest(checkpoint), targets)
        state_file = tuning.state_file(output, source, frames)
        taught = tune(source, frames, tuning, grid=True, state_file=state_file)
        save_checkpoint(taught, output)
        state_file.remove()
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(f"{output}: {taught.record.verdict()}")


if __name__ == "__main__":
    main()
