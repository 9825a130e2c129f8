"""A user's int8 .tflite as an artifact: a graph of operators."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import click

from boardless_models.graph.c_source import slow_lines
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph
from boardless_models.graph.graph_artifact import save_graph
from boardless_models.graph.kernels import scratch_bytes
from boardless_models.graph.model_cost import check_model_budget, graph_costs, largest_value
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_models.tflite.reader import graph_of
from boardless_models.tflite.tensors import read_file
from boardless_sim.errors import BoardlessError, ModelError

MODEL_BUDGET = 8 * 1024
RAM_BUDGET = 112 * 1024


def import_file(path: Path, rounding: Rounding, budget: int, ram_budget: int) -> Graph:
    """Read, check and budget a .tflite. Raises `ModelError`."""
    file = read_file(path)
    try:
        graph = fused(graph_of(file, path.stem[:64], rounding))
        check_model_budget(graph_costs(graph), budget)
        check_ram(graph, ram_budget)
    except ModelError as cause:
        raise ModelError(f"{path}: {cause}") from cause
    return graph


def check_ram(graph: Graph, budget: int) -> None:
    """Refuse what does not fit the memory: by how much, and which tensor is the largest."""
    needed = scratch_bytes(graph, "m4")
    over = needed - budget
    if over > 0:
        raise ModelError(
            f"{needed} bytes of RAM, {over} over the budget of {budget}; "
            f"the largest is {largest_value(graph)}"
        )


def save_imported(graph: Graph, source: Path, output: Path) -> str:
    """Write the artifact and return its digest."""
    facts: dict[str, Any] = {
        "imported": {
            "file": source.name,
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        },
        "macs": sum(cost.macs for cost in graph_costs(graph)),
    }
    try:
        return save_graph(graph, facts, output)
    except OSError as cause:
        raise ModelError(f"{output}: {cause.strerror or cause}") from cause


def summary(graph: Graph) -> list[str]:
    """What became of it: a line, and one for each operator that no fast kernel takes."""
    costs = graph_costs(graph)
    model, macs = sum(cost.model_bytes for cost in costs), sum(cost.macs for cost in costs)
    sizes = f"{model} bytes of model, {scratch_bytes(graph, 'm4')} bytes of RAM"
    return [
        f"{len(graph.operators)} operators: {sizes}, {macs} multiplications",
        *slow_lines(graph),
    ]


@click.command()
@click.argument("tflite", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--rounding",
    type=click.Choice(ROUNDINGS),
    default="single",
    show_default=True,
    help="single: LiteRT's usual; double: TensorFlow Lite's reference kernels.",
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
        graph = import_file(tflite, rounding, budget, ram_budget)
        digest = save_imported(graph, tflite, output)
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(f"{output}: sha256 {digest}")
    for line in summary(graph):
        click.echo(line)


if __name__ == "__main__":
    main()
