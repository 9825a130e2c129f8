"""`boardless model export`: an artifact as C source, or as a .tflite."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.model.options import dataset_option
from boardless.commands.options import PATH
from boardless_models.data.opening import open_dataset
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.c_source import HEADER_NAME, SOURCE_NAME, export, slow_lines
from boardless_models.graph.golden import golden_vectors, save_golden
from boardless_models.tflite.exporter import tflite_bytes
from boardless_sim.errors import ModelError
from boardless_sim.files import write_file


@click.command("export")
@click.argument("artifact", type=PATH)
@click.argument("output", type=PATH)
@click.option("--golden", type=PATH, metavar="FILE", help="Write golden vectors too.")
@dataset_option
def command(artifact: Path, output: Path, golden: Path | None, dataset: Path) -> None:
    """Write ARTIFACT as model.c and model.h into the folder OUTPUT, or as OUTPUT.tflite."""
    opened = load_artifact(artifact)
    try:
        if output.suffix == ".tflite":
            content = tflite_bytes(opened.graph, opened.sha256)
            write_file(output, content)
            click.echo(f"{output}: {len(content)} bytes")
        else:
            graph = export(opened.graph, opened.sha256, output)
            click.echo(f"{output}: {SOURCE_NAME}, {HEADER_NAME}")
            for line in slow_lines(graph):
                click.echo(line)
        if golden is not None:
            shape = opened.graph.values[opened.graph.input].shape
            test = open_dataset(dataset, shape).test
            save_golden(golden_vectors(opened.graph, opened.sha256, test), golden)
            click.echo(f"{golden}: golden vectors")
    except OSError as cause:
        raise ModelError(f"{output}: {cause.strerror or cause}, expected to write there") from cause
