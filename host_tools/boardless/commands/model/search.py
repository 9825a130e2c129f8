"""`boardless model search`: networks within the limits, tried one by one (PyTorch)."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.model.options import recipe_options
from boardless.commands.options import PATH, Whole
from boardless_models.data.networks import FASHION_MNIST_8K
from boardless_models.data.opening import open_dataset
from boardless_models.training.recipe import SEARCH, Recipe
from boardless_models.training.search import read_log, search


@click.command("search")
@click.argument("log", type=PATH)
@click.option("--candidates", type=Whole(1), default=24, show_default=True)
@recipe_options(SEARCH)
def command(log: Path, candidates: int, dataset: Path, seed: int, recipe: Recipe) -> None:
    """Search, with one line of JSON a candidate in LOG (.jsonl); goes on where the log ends."""
    for trial in search(
        log, open_dataset(dataset, FASHION_MNIST_8K.input), seed, recipe, candidates
    ):
        click.echo(
            f"candidate {trial.candidate}: {trial.bytes} bytes, {trial.cycles} cycles, "
            f"validation {trial.validation_accuracy:.2%}"
        )
    best = max(read_log(log), key=lambda trial: trial.validation_accuracy)
    click.echo(f"best: candidate {best.candidate}, {best.validation_accuracy:.2%}: {best.network}")
