"""`boardless model import`: a user's int8 .tflite as an artifact."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.options import PATH, Whole
from boardless_models.graph.artifact import save_artifact
from boardless_models.graph.cost import MODEL_BUDGET_BYTES
from boardless_models.graph.graph import TASKS, Task
from boardless_models.graph.kernels import RAM_BUDGET_BYTES
from boardless_models.int8.scaling import ROUNDING, ROUNDINGS, Rounding
from boardless_models.tflite.importing import import_file, summary
from boardless_sim.errors import ModelError


@click.command("import")
@click.argument("tflite", type=PATH)
@click.argument("output", type=PATH)
@click.option(
    "--rounding",
    type=click.Choice(ROUNDINGS),
    default=ROUNDING,
    show_default=True,
    help="single: LiteRT's usual; double: TensorFlow Lite's reference kernels.",
)
@click.option("--budget", type=Whole(1), default=MODEL_BUDGET_BYTES, show_default=True)
@click.option("--ram-budget", type=Whole(1), default=RAM_BUDGET_BYTES, show_default=True)
@click.option(
    "--input-range",
    metavar="LOW,HIGH",
    help="What the bytes 0 and 255 of a frame stand for, where the file leaves it open; or "
    "`tensor`: a byte is the input's int8 value plus 128.",
)
@click.option(
    "--task",
    type=click.Choice(TASKS),
    help="What the output says: which class, how far it is from the input (an autoencoder), or "
    "itself.  [default: by its size; classes behind a softmax]",
)
def command(
    tflite: Path,
    output: Path,
    rounding: Rounding,
    budget: int,
    ram_budget: int,
    input_range: str | None,
    task: Task | None,
) -> None:
    """Turn a full-int8 TFLITE file into the artifact OUTPUT (.npz, .sha256, .json).

    What is not supported is listed with operator and tensor. A softmax at the end becomes the
    score.
    """
    if output.suffix != ".npz":
        raise ModelError(f"{output}: expected a name that ends in .npz")
    graph, facts = import_file(tflite, rounding, budget, ram_budget, input_range, task)
    digest = save_artifact(graph, facts, output)
    click.echo(f"{output}: sha256 {digest}")
    for line in summary(graph):
        click.echo(line)
