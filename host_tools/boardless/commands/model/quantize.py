"""`boardless model quantize`: float weights as the int8 artifact."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.model.options import dataset_option
from boardless.commands.options import PATH, Whole
from boardless_models.data.opening import open_dataset
from boardless_models.graph.artifact import save_artifact
from boardless_models.graph.cost import MODEL_BUDGET_BYTES, check_budget, network_costs
from boardless_models.graph.kernels import RAM_BUDGET_BYTES, fitted
from boardless_models.graph.quantize import provenance, quantize
from boardless_models.int8.checkpoint import load_checkpoint
from boardless_models.int8.scaling import ROUNDING, ROUNDINGS, Rounding


@click.command("quantize")
@click.argument("checkpoint", type=PATH)
@click.argument("artifact", type=PATH)
@dataset_option
@click.option("--rounding", type=click.Choice(ROUNDINGS), default=ROUNDING, show_default=True)
@click.option("--budget", type=Whole(1), default=MODEL_BUDGET_BYTES, show_default=True)
@click.option("--ram-budget", type=Whole(1), default=RAM_BUDGET_BYTES, show_default=True)
def command(
    checkpoint: Path,
    artifact: Path,
    dataset: Path,
    rounding: Rounding,
    budget: int,
    ram_budget: int,
) -> None:
    """Turn the float weights of CHECKPOINT into the int8 ARTIFACT (.npz, .sha256, .json)."""
    source = load_checkpoint(checkpoint)
    check_budget(source.network.name, network_costs(source.network), budget)
    frames = open_dataset(dataset, source.network.input)
    frames.check_input(source.network)
    graph = fitted(quantize(source, rounding, frames.classes), ram_budget)
    facts = provenance(source, graph, frames)
    digest = save_artifact(graph, facts, artifact)
    click.echo(f"{artifact}: sha256 {digest}")
    if "int8_validation_accuracy" in facts:
        click.echo(f"int8 validation {facts['int8_validation_accuracy']:.2%}")
