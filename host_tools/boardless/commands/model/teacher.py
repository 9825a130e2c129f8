"""`boardless model teacher`: what others distil from (PyTorch)."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click
import torch

from boardless.commands.model.options import dataset_option
from boardless.commands.options import PATH, Whole
from boardless_models.data.networks import FASHION_MNIST_8K
from boardless_models.data.opening import open_dataset
from boardless_models.training.recipe import TEACHER
from boardless_models.training.resume import StateFile
from boardless_models.training.teacher import WIDTH, raise_teacher, save_targets


@click.command("teacher")
@click.argument("output", type=PATH)
@dataset_option
@click.option("--seed", type=Whole(0), default=101, show_default=True)
@click.option("--epochs", type=Whole(1), default=TEACHER.epochs, show_default=True)
@click.option("--threads", type=Whole(1), default=1, show_default=True)
def command(output: Path, dataset: Path, seed: int, epochs: int, threads: int) -> None:
    """Train the teacher and write its logits for the training frames to OUTPUT (.npz)."""
    torch.set_num_threads(threads)
    frames = open_dataset(dataset, FASHION_MNIST_8K.input)
    recipe = replace(TEACHER, epochs=epochs)
    state_file = StateFile.beside(
        output, step="teacher", seed=seed, recipe=asdict(recipe), dataset=frames.sha256
    )
    targets = raise_teacher(frames, seed, recipe, WIDTH, state_file)
    save_targets(targets, output)
    state_file.remove()
    click.echo(f"{output}: {targets.record.verdict()}")
