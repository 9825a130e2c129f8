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
from boardless_models.graph.artifact import Artifact, load_artifact
from boardless_models.tflite.exporter import tflite_of
from boardless_models.tflite.peers import PEERS, PeerComparison, compare, frames_for, report
from boardless_models.tflite.reader import graph_of
from boardless_models.tflite.tensors import file_in, read_file
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
    frames: int,
    random_count: int,
    seed: int,
    elf: Path,
) -> int:
    """Measure the accuracy of NETWORK, or hold it against other kernels (--peer).

    NETWORK is an artifact; with --peer a .tflite too. Exit 1 where a value differs, or below the
    floor.
    """
    artifact = None if network.suffix == ".tflite" else load_artifact(network)
    if not peers:
        if artifact is None:
            raise ModelError(f"{network}: expected an artifact; `boardless model import` makes one")
        return measure(artifact, dataset, floor)
    wanted = NAMES if ALL in peers else tuple(name for name in NAMES if name in peers)
    if artifact is None:
        file = file_in(read_file(network), network)
    else:
        file = tflite_of(artifact.graph)
    try:
        graph = graph_of(file, network.stem, "double")
    except ModelError as cause:
        raise ModelError(f"{network}: {cause}") from cause
    inputs = frames_for(graph, dataset, frames, random_count, seed)
    differing = False
    for name in wanted:
        if name == FIRMWARE:
            found = on_firmware(network, artifact, elf, inputs)
        else:
            peer = next(peer for peer in PEERS if peer.name == name)
            found = compare(peer, file, graph, inputs)
        click.echo(report(found))
        differing = differing or found.mismatches > 0
    return ExitCode.FAILED if differing else ExitCode.PASSED


def measure(artifact: Artifact, dataset: Path, floor_percent: float) -> int:
    """The accuracy on the test frames, and what is taken for what; 1 below the floor."""
    graph = artifact.graph
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
