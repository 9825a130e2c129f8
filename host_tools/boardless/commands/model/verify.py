"""`boardless model verify`: accuracy on the test frames, or every value against other kernels."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from boardless.commands.options import Finite
from boardless.running.layers import compare_firmware
from boardless_models.data.dataset import DATASET_FOLDER
from boardless_models.graph.graph import Convolve, Graph
from boardless_models.graph.graph_artifact import is_graph, load_graph
from boardless_models.graph.graph_reference import run_graph
from boardless_models.int8.artifact import load_artifact
from boardless_models.int8.verify import DEFAULT_FLOOR_PERCENT, batch_outputs
from boardless_models.int8.verify import main as accuracy_command
from boardless_models.tflite.peers import (
    PEERS,
    Comparison,
    compare,
    first_mismatch,
    frames_for,
    load_network,
    report,
)
from boardless_sim.errors import ModelError

_PATH = click.Path(path_type=Path)
REFERENCE, FIRMWARE, ALL = "reference", "firmware", "all"
NAMES = (REFERENCE, *(peer.name for peer in PEERS), FIRMWARE)
DEFAULT_ELF = Path("build/firmware/nn_golden.elf")


@click.command("verify")
@click.argument("network", type=_PATH)
@click.option("--dataset", type=_PATH, default=DATASET_FOLDER, metavar="DIR")
@click.option("--floor", type=Finite(0, 100), default=DEFAULT_FLOOR_PERCENT, show_default=True)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice([*NAMES, ALL]),
    help="Compare every value of every layer instead. Repeatable.",
)
@click.option("--frames", type=click.IntRange(0), default=200, show_default=True, metavar="N")
@click.option(
    "--random", "random_count", type=click.IntRange(0), default=500, show_default=True, metavar="N"
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--elf", type=_PATH, default=DEFAULT_ELF, show_default=True, metavar="FILE")
def main(
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
    if not peers:
        arguments = [str(network), "--dataset", str(dataset), "--floor", str(floor)]
        accuracy_command.main(args=arguments, standalone_mode=False)
        sys.exit(0)
    wanted = NAMES if ALL in peers else tuple(name for name in NAMES if name in peers)
    return compare_all(network, wanted, dataset, frames, random_count, seed, elf)


def compare_all(
    network: Path,
    wanted: tuple[str, ...],
    dataset: Path,
    frames: int,
    random_count: int,
    seed: int,
    elf: Path,
) -> int:
    """Every wanted peer in turn, a line each; 1 where a value differs."""
    if network.suffix == ".npz" and is_graph(network):
        graph, file = load_graph(network), None
    else:
        file, graph = load_network(network)
    inputs = frames_for(graph, dataset, frames, random_count, seed)
    differing = False
    for name in wanted:
        if name == REFERENCE:
            found = compare_reference(network, graph, inputs)
        elif name == FIRMWARE:
            found = compare_firmware(elf, network, inputs)
        elif file is None:
            raise ModelError(f"{network}: {name} takes a .tflite, expected the one imported")
        else:
            peer = next(peer for peer in PEERS if peer.name == name)
            found = compare(peer, file, graph, inputs)
        click.echo(report(found))
        differing = differing or found.mismatches > 0
    return 1 if differing else 0


def compare_reference(network: Path, graph: Graph, frames: NDArray[np.uint8]) -> Comparison:
    """The model line's own inference of a chain against that of the graph made from its .tflite."""
    if network.suffix != ".npz" or is_graph(network):
        raise ModelError(f"{network}: {REFERENCE} takes a trained artifact")
    quantized = load_artifact(network)
    chain = batch_outputs(quantized, frames[..., 0])
    whole = run_graph(graph, frames, quantized.rounding)
    ends = [
        number
        for number in range(len(graph.operators))
        if number + 1 == len(graph.operators) or isinstance(graph.operators[number + 1], Convolve)
    ]
    values = mismatches = 0
    first = None
    for layer, (number, found) in enumerate(zip(ends, chain, strict=True)):
        expected = whole[number].reshape(found.shape)
        values += found.size
        count = int((expected != found).sum())
        mismatches += count
        if count and first is None:
            first = first_mismatch(f"layer {layer}", expected, found)
    return Comparison(REFERENCE, quantized.rounding, len(frames), values, mismatches, first)
