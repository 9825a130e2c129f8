"""`boardless model train`: the float network, from the data set to a checkpoint (PyTorch)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

from boardless.commands.model.options import network_option, recipe_options, teacher_option
from boardless.commands.options import PATH, Whole
from boardless_models.data.dataset import Dataset
from boardless_models.data.network import Network, network_to_json
from boardless_models.data.networks import FASHION_MNIST_8K, default_network
from boardless_models.data.opening import open_dataset
from boardless_models.graph.chain import blank_graph
from boardless_models.graph.cost import MODEL_BUDGET_BYTES, check_budget, network_costs
from boardless_models.graph.fusing import fused
from boardless_models.graph.kernels import RAM_BUDGET_BYTES, fitted
from boardless_models.int8.checkpoint import save_checkpoint
from boardless_models.training.recipe import FLOAT, Recipe
from boardless_models.training.resume import StateFile
from boardless_models.training.teacher import load_targets
from boardless_models.training.train import teacher_record, train


@click.command("train")
@click.argument("output", type=PATH)
@network_option
@teacher_option
@click.option("--budget", type=Whole(1), default=MODEL_BUDGET_BYTES, show_default=True)
@click.option("--ram-budget", type=Whole(1), default=RAM_BUDGET_BYTES, show_default=True)
@recipe_options(FLOAT)
def command(
    output: Path,
    network: Network | None,
    teacher: Path | None,
    budget: int,
    ram_budget: int,
    dataset: Path,
    seed: int,
    recipe: Recipe,
) -> None:
    """Train the float network and write the checkpoint OUTPUT (.npz); goes on where it stopped."""
    frames = open_dataset(dataset, (network or FASHION_MNIST_8K).input, seed)
    network = network or default_network(frames.shape, len(frames.classes))
    frames.check_input(network)
    check_budget(network.name, network_costs(network), budget)
    fitted(fused(blank_graph(network)), ram_budget)
    click.echo(described(frames))
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


def described(frames: Dataset) -> str:
    """How many frames there are, of what, and how even the classes are."""
    counts = (len(split) for split in (frames.train, frames.validation, frames.test))
    train, choose, measure = counts
    each = np.bincount(frames.train.labels, minlength=len(frames.classes))
    balance = ", ".join(f"{name} {n}" for name, n in zip(frames.classes, each, strict=True))
    return (
        f"frames of {frames.shape.text}: {train} to train, {choose} to choose and {measure} to "
        f"measure by; to train: {balance}"
    )
