"""`boardless model export`: an artifact of either kind as C source, or as a .tflite."""

from __future__ import annotations

from pathlib import Path

import click

from boardless_models.data.dataset import DATASET_FOLDER, load_test_split
from boardless_models.graph.c_source import HEADER_NAME, SOURCE_NAME, export_artifact, slow_lines
from boardless_models.graph.graph_artifact import is_graph
from boardless_models.int8.artifact import artifact_sha256, load_artifact
from boardless_models.int8.golden import golden_vectors, save_golden
from boardless_models.tflite.exporter import tflite_bytes
from boardless_sim.errors import ModelError

_PATH = click.Path(path_type=Path)


@click.command("export")
@click.argument("artifact", type=_PATH)
@click.argument("output", type=_PATH)
@click.option("--golden", type=_PATH, metavar="FILE", help="Write golden vectors too.")
@click.option("--dataset", type=_PATH, default=DATASET_FOLDER, metavar="DIR")
def main(artifact: Path, output: Path, golden: Path | None, dataset: Path) -> None:
    """Write ARTIFACT as model.c and model.h into the folder OUTPUT, or as OUTPUT.tflite."""
    digest = artifact_sha256(artifact)
    try:
        if output.suffix == ".tflite":
            write_tflite(artifact, digest, output)
        else:
            graph = export_artifact(artifact, output)
            click.echo(f"{output}: {SOURCE_NAME}, {HEADER_NAME}")
            for line in slow_lines(graph):
                click.echo(line)
        if golden is not None:
            quantized = load_artifact(artifact)
            save_golden(golden_vectors(quantized, digest, load_test_split(dataset)), golden)
            click.echo(f"{golden}: golden vectors")
    except OSError as cause:
        raise ModelError(f"{output}: {cause.strerror or cause}, expected to write there") from cause


def write_tflite(artifact: Path, digest: str, output: Path) -> None:
    """The .tflite of a chain; a graph came from one."""
    if is_graph(artifact):
        raise ModelError(f"{artifact}: was imported from a .tflite, expected a trained artifact")
    content = tflite_bytes(load_artifact(artifact), digest)
    output.write_bytes(content)
    click.echo(f"{output}: {len(content)} bytes")
