"""`boardless model verify`: accuracy on the test frames, or every value against other kernels."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from boardless.commands.exit_codes import ExitCode
from boardless.commands.model.options import dataset_option
from boardless.commands.options import PATH, Finite, Whole
from boardless.running.layers import compare_firmware
from boardless_models.data.dataset import DATASET_FOLDER
from boardless_models.data.opening import open_dataset
from boardless_models.graph.accuracy import confusion
from boardless_models.graph.answer import answers
from boardless_models.graph.artifact import Artifact, load_artifact
from boardless_models.graph.graph import Graph
from boardless_models.tflite.exporter import tflite_of
from boardless_models.tflite.file import TfliteFile
from boardless_models.tflite.peers import PEERS, PeerComparison, compare, frames_for, report
from boardless_models.tflite.reader import graph_of
from boardless_models.tflite.tensors import file_in, read_file
from boardless_sim.camera.tensor import open_tensors
from boardless_sim.errors import ModelError

FIRMWARE, ALL = "firmware", "all"
NAMES = (*(peer.name for peer in PEERS), FIRMWARE)
DEFAULT_FLOOR_PERCENT = 90.0
DEFAULT_ELF = Path("build/firmware/nn_golden.elf")


@click.command("verify")
@click.argument("network", type=PATH)
@dataset_option
@click.option("--floor", type=Finite(0, 100), default=DEFAULT_FLOOR_PERCENT, show_default=True)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice([*NAMES, ALL]),
    help="Compare every value of every layer instead. Repeatable.",
)
@click.option(
    "--tensors",
    type=PATH,
    metavar="FILE",
    help="Inputs of your own, .npy of int8 or uint8 [N,...]: what the network says of each; with "
    "--peer, instead of frames.",
)
@click.option("--frames", type=Whole(0), default=200, show_default=True, metavar="N")
@click.option(
    "--random", "random_count", type=Whole(0), default=500, show_default=True, metavar="N"
)
@click.option("--seed", type=Whole(0), default=1, show_default=True)
@click.option("--elf", type=PATH, default=DEFAULT_ELF, show_default=True, metavar="FILE")
def command(
    network: Path,
    dataset: Path,
    floor: float,
    peers: tuple[str, ...],
    tensors: Path | None,
    frames: int,
    random_count: int,
    seed: int,
    elf: Path,
) -> int:
    """Measure the accuracy of NETWORK, or hold it against other kernels (--peer).

    With --tensors and no peer: what it says of each input, as the firmware prints it.

    NETWORK is an artifact; with --peer a .tflite too. Exit 1 where a value differs, or below the
    floor.
    """
    artifact = None if network.suffix == ".tflite" else load_artifact(network)
    if not peers:
        if artifact is None:
            raise ModelError(f"{network}: expected an artifact; `boardless model import` makes one")
        if tensors is not None:
            for said in answers(artifact.graph, inputs_in(tensors, artifact.graph)):
                click.echo(said)
            return ExitCode.PASSED
        return measure(artifact, dataset, floor)
    wanted = NAMES if ALL in peers else tuple(name for name in NAMES if name in peers)
    file, graph = file_of(network, artifact, wanted)
    if tensors is not None:
        inputs = inputs_in(tensors, graph)
    else:
        inputs = frames_for(graph, dataset, frames, random_count, seed)
    differing = False
    for name in wanted:
        if file is None or name == FIRMWARE:
            found = on_firmware(network, artifact, elf, inputs)
        else:
            peer = next(peer for peer in PEERS if peer.name == name)
            found = compare(peer, file, graph, inputs)
        click.echo(report(found))
        differing = differing or found.mismatches > 0
    return ExitCode.FAILED if differing else ExitCode.PASSED


def file_of(
    network: Path, artifact: Artifact | None, wanted: tuple[str, ...]
) -> tuple[TfliteFile | None, Graph]:
    """What the peers run, where one is wanted, and its graph."""
    if artifact is not None and set(wanted) == {FIRMWARE}:
        return None, artifact.graph
    if artifact is None:
        file = file_in(read_file(network), network)
    else:
        file = tflite_of(artifact.graph)
    try:
        return file, graph_of(file, network.stem, "double")
    except ModelError as cause:
        raise ModelError(f"{network}: {cause}") from cause


def inputs_in(path: Path, graph: Graph) -> NDArray[np.uint8]:
    """The rows of an .npy as the network's inputs."""
    shape = graph.values[graph.input].shape
    rows = np.stack([tensor.luma.reshape(-1) for tensor in open_tensors(path)])
    if rows.shape[1] != shape.size:
        raise ModelError(f"{path}: {rows.shape[1]} values in a row, expected {shape.size}")
    return rows.reshape(len(rows), shape.height, shape.width, shape.channels)


def measure(artifact: Artifact, dataset: Path, floor_percent: float) -> int:
    """The accuracy on the test frames, and what is taken for what; 1 below the floor."""
    graph = artifact.graph
    if graph.task != "classes":
        raise ModelError(
            f"{artifact.path}: its output is no class but {graph.task}, expected --tensors or "
            "--peer"
        )
    frames = open_dataset(dataset, graph.values[graph.input].shape)
    found = confusion(graph, frames)
    percent = 100.0 * float(np.trace(found)) / len(frames.test)
    measured = f"{percent:.2f} % of {len(frames.test)} test frames"
    click.echo(f"{artifact.path}: {measured} (floor {floor_percent})")
    if dataset != DATASET_FOLDER:
        for line in confusion_lines(found, frames.classes):
            click.echo(line)
    return ExitCode.PASSED if percent >= floor_percent else ExitCode.FAILED


def confusion_lines(found: NDArray[np.int64], classes: tuple[str, ...]) -> list[str]:
    """One line a class: how many of its frames were taken for each class."""
    wide = max(len(name) for name in classes)
    heads = [f"{'':{wide}}  {' '.join(f'{index:>5}' for index in range(len(classes)))}"]
    return heads + [
        f"{name:{wide}}  {' '.join(f'{int(count):>5}' for count in row)}"
        for name, row in zip(classes, found, strict=True)
    ]


def on_firmware(
    network: Path, artifact: Artifact | None, elf: Path, inputs: NDArray[np.uint8]
) -> PeerComparison:
    """The artifact's graph in the firmware that was built with it."""
    if artifact is None:
        raise ModelError(f"{network}: the firmware takes an artifact, expected .npz")
    return compare_firmware(elf, artifact, inputs)
