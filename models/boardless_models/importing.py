"""A user's int8 .tflite as an artifact: the fast kernels' chain where it is one, else a graph."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from boardless_models.artifact import QuantizedNetwork, save_artifact
from boardless_models.graph import Graph
from boardless_models.graph_artifact import save_graph
from boardless_models.graph_chain import chain_of
from boardless_models.layout import scratch_bytes
from boardless_models.model_cost import (
    Cost,
    arena,
    chain_costs,
    check_model_budget,
    graph_costs,
    largest_value,
)
from boardless_models.network import network_to_json
from boardless_models.scaling import ROUNDINGS, Rounding
from boardless_models.tflite_import import graph_of
from boardless_models.tflite_tensors import read_file
from boardless_sim.errors import BoardlessError, ModelError

MODEL_BUDGET = 8 * 1024
RAM_BUDGET = 112 * 1024


@dataclass(frozen=True)
class Imported:
    """The graph; the chain that it is, or why it is none."""

    graph: Graph
    chain: QuantizedNetwork | None
    reason: str

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What each part takes."""
        return graph_costs(self.graph) if self.chain is None else chain_costs(self.chain)

    @property
    def ram_bytes(self) -> int:
        """The scratch that inference takes."""
        if self.chain is None:
            return arena(self.graph)[1]
        return scratch_bytes(self.chain.network)


def import_file(path: Path, rounding: Rounding, budget: int, ram_budget: int) -> Imported:
    """Read, check and budget a .tflite. Raises `ModelError`."""
    file = read_file(path)
    try:
        imported = chained(graph_of(file, path.stem[:64], rounding))
        check_model_budget(imported.costs, budget)
        check_ram(imported, ram_budget)
    except ModelError as cause:
        raise ModelError(f"{path}: {cause}") from cause
    return imported


def chained(graph: Graph) -> Imported:
    """The graph with the chain that it is, or with why it is none."""
    try:
        return Imported(graph, chain_of(graph), "")
    except ModelError as cause:
        return Imported(graph, None, str(cause))


def check_ram(imported: Imported, budget: int) -> None:
    """Refuse what does not fit the memory: by how much, and which tensor is the largest."""
    over = imported.ram_bytes - budget
    if over > 0:
        raise ModelError(
            f"{imported.ram_bytes} bytes of RAM, {over} over the budget of {budget}; "
            f"the largest is {largest_value(imported.graph)}"
        )


def save_imported(imported: Imported, source: Path, output: Path) -> str:
    """Write the artifact and return its digest."""
    macs = sum(cost.macs for cost in imported.costs)
    facts: dict[str, Any] = {
        "imported": {
            "file": source.name,
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        },
        "macs": macs,
    }
    try:
        if imported.chain is None:
            return save_graph(imported.graph, facts, output)
        facts["network"] = network_to_json(imported.chain.network)
        return save_artifact(imported.chain, facts, output)
    except OSError as cause:
        raise ModelError(f"{output}: {cause.strerror or cause}") from cause


def summary(imported: Imported) -> list[str]:
    """What became of it, in a line or two."""
    model = sum(cost.model_bytes for cost in imported.costs)
    macs = sum(cost.macs for cost in imported.costs)
    sizes = f"{model} bytes of model, {imported.ram_bytes} bytes of RAM, {macs} multiplications"
    if imported.chain is not None:
        return [f"fast kernels, {len(imported.chain.layers)} layers: {sizes}"]
    return [
        f"plain kernels, {len(imported.graph.operators)} operators: {sizes}",
        f"not the fast kernels: {imported.reason}",
    ]


@click.command()
@click.argument("tflite", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--rounding",
    type=click.Choice(ROUNDINGS),
    default="single",
    show_default=True,
    help="single: the fast kernels where they can; double: TensorFlow Lite's reference kernels.",
)
@click.option("--budget", type=click.IntRange(1), default=MODEL_BUDGET, show_default=True)
@click.option("--ram-budget", type=click.IntRange(1), default=RAM_BUDGET, show_default=True)
def main(tflite: Path, output: Path, rounding: Rounding, budget: int, ram_budget: int) -> None:
    """Turn a full-int8 TFLITE file into the artifact OUTPUT (.npz, .sha256, .json).

    What is not supported is listed with operator and tensor. A softmax at the end becomes the
    score.
    """
    try:
        if output.suffix != ".npz":
            raise ModelError(f"{output}: expected a name that ends in .npz")
        imported = import_file(tflite, rounding, budget, ram_budget)
        digest = save_imported(imported, tflite, output)
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(f"{output}: sha256 {digest}")
    for line in summary(imported):
        click.echo(line)


if __name__ == "__main__":
    main()
