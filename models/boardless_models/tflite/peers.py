"""Other kernels as peers: tflite-micro and LiteRT, held value by value against the reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.dataset import load_test_split
from boardless_models.graph.graph import Graph
from boardless_models.graph.reference import Factored, Requantise, rounded_as, run_graph
from boardless_models.int8.scaling import Integers, Rounding
from boardless_models.tflite import file as tfl
from boardless_models.tflite.ends import without_ends
from boardless_models.tflite.file import TfliteFile
from boardless_sim.errors import ModelError

Int8 = NDArray[np.int8]
PeerRounding = Literal["single", "double", "float32"]
BATCH = 50
INSTALL = "pip install 'boardless[model]'"


@dataclass(frozen=True)
class Peer:
    """An implementation of the same operators, and the roundings that it keeps to.

    `float32` is XNNPACK's: sum and factor as float32, their product to the nearest, ties to even.
    It is `single` but for sums so near to a tie that a float32 cannot tell.
    """

    name: str
    rounding: PeerRounding
    dense_rounding: PeerRounding
    module: str
    resolver: str = ""


# LiteRT's reference kernels round twice, but for FULLY_CONNECTED, which rounds once.
PEERS = (
    Peer("tflite-micro", "double", "double", "tflite_micro.python.tflite_micro.runtime"),
    Peer("litert-reference", "double", "single", "ai_edge_litert.interpreter", "BUILTIN_REF"),
    Peer("litert", "float32", "float32", "ai_edge_litert.interpreter", "BUILTIN"),
)


class PeerSession(Protocol):
    """One loaded network."""

    def run(self, frame: Int8) -> list[Int8]:
        """Every output for one input [1,H,W,C]."""
        ...


@dataclass(frozen=True)
class Mismatch:
    """The first value that differs, with its place."""

    layer: str
    index: tuple[int, ...]
    expected: int
    found: int

    def __str__(self) -> str:
        place = f" [{','.join(str(number) for number in self.index)}]" if self.index else ""
        return f"{self.layer}{place}: reference {self.expected}, peer {self.found}"


@dataclass(frozen=True)
class PeerComparison:
    """One peer against the reference: how many values of how many, and the first that differs.

    `off_single` counts where float32 takes another way than `single`: a property of the rounding.
    """

    peer: str
    rounding: PeerRounding
    inputs: int
    values: int
    mismatches: int
    first: Mismatch | None
    off_single: int = 0


def observed(file: TfliteFile, graph: Graph) -> tuple[TfliteFile, tuple[int, ...]]:
    """The file with the output of every operator of the graph as an output, and their numbers.

    What is no operator of the graph is left out: a reshape, a border that a convolution takes, and
    the softmax at the end, which here is a score.
    """
    file = without_ends(file)
    numbers = {operator.name: number for number, operator in enumerate(graph.operators)}
    names = [f"op {number} {operator.name}" for number, operator in enumerate(file.operators)]
    kept = [number for number, name in enumerate(names) if name in numbers]
    outputs = tuple(file.operators[number].outputs[0] for number in kept)
    operators = tuple(item for item in file.operators if item.code != tfl.SOFTMAX)
    watched = replace(file, operators=operators, outputs=outputs)
    return watched, tuple(numbers[names[number]] for number in kept)


def imported(peer: Peer) -> Any:
    """The peer's package. Raises `ModelError` with how to install it."""
    try:
        return import_module(peer.module)
    except ImportError as cause:
        raise ModelError(f"{peer.name} is not installed; {INSTALL}") from cause


class MicroSession:
    """tflite-micro's interpreter."""

    def __init__(self, peer: Peer, content: bytes, outputs: int) -> None:
        self._interpreter = imported(peer).Interpreter.from_bytes(content)
        self._outputs = outputs

    def run(self, frame: Int8) -> list[Int8]:
        self._interpreter.set_input(frame, 0)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_output(at)) for at in range(self._outputs)]


class LiteSession:
    """LiteRT's interpreter, with its reference kernels or with what it takes by default."""

    def __init__(self, peer: Peer, file: TfliteFile, content: bytes) -> None:
        module = imported(peer)
        resolver = getattr(module.OpResolverType, peer.resolver)
        self._interpreter = module.Interpreter(
            model_content=content, experimental_op_resolver_type=resolver, num_threads=1
        )
        self._interpreter.allocate_tensors()
        numbers = {item["name"]: item["index"] for item in self._interpreter.get_output_details()}
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [numbers[file.tensors[index].name] for index in file.outputs]

    def run(self, frame: Int8) -> list[Int8]:
        self._interpreter.set_tensor(self._input, frame)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_tensor(number)) for number in self._outputs]


def session(peer: Peer, file: TfliteFile) -> PeerSession:
    """The file, as it is, in a peer. Raises `ModelError` where the peer refuses it."""
    # A tensor's name need not be its own in a user's file; here it must.
    named = tuple(replace(tensor, name=f"t{at}") for at, tensor in enumerate(file.tensors))
    unique = replace(file, tensors=named)
    content = tfl.write_tflite(unique, "observed")
    try:
        if peer.resolver:
            return LiteSession(peer, unique, content)
        return MicroSession(peer, content, len(file.outputs))
    except (RuntimeError, ValueError) as cause:
        reason = " ".join(str(cause).split())[:200]
        raise ModelError(f"{peer.name} refuses the network: {reason}") from cause


def compare(
    peer: Peer, file: TfliteFile, graph: Graph, frames: NDArray[np.uint8]
) -> PeerComparison:
    """Every value of every operator for every frame."""
    watched, numbers = observed(file, graph)
    running = session(peer, watched)
    mismatches = values = off_single = 0
    first: Mismatch | None = None
    way: Rounding = "double" if peer.rounding == "double" else "single"
    requantise = requantise_of(peer, graph)
    for start in range(0, len(frames), BATCH):
        batch = frames[start : start + BATCH]
        expected = run_graph(graph, batch, way, requantise)
        if peer.rounding == "float32":
            single = run_graph(graph, batch, "single")
            off_single += sum(int((expected[at] != single[at]).sum()) for at in numbers)
        extents = watched.tensors[watched.inputs[0]].shape
        for place, frame in enumerate(inputs_of_frames(extents, batch)):
            for at, found in zip(numbers, running.run(frame), strict=True):
                reference = expected[at][place]
                theirs = found.reshape(reference.shape)
                differs = reference != theirs
                values += differs.size
                count = int(differs.sum())
                mismatches += count
                if count and first is None:
                    name = f"frame {start + place}, {graph.operators[at].name}"
                    first = first_mismatch(name, reference, theirs)
    return PeerComparison(
        peer.name, peer.rounding, len(frames), values, mismatches, first, off_single
    )


def requantise_of(peer: Peer, graph: Graph) -> Requantise:
    """How this peer brings sums to int8."""
    factors = {
        operator.name: float_factor(graph, operator)
        for operator in graph.operators
        if isinstance(operator, Factored)
    }

    def requantise(operator: Factored, sums: Integers) -> Integers:
        dense = operator.name.endswith("FULLY_CONNECTED")
        way = peer.dense_rounding if dense else peer.rounding
        if way == "float32":
            product = sums.astype(np.float32) * factors[operator.name]
            return np.asarray(np.rint(product), np.int64)
        return rounded_as(way)(operator, sums)

    return requantise


def float_factor(graph: Graph, operator: Factored) -> NDArray[np.float32]:
    """input × weight / output, each step rounded to float32."""
    into = np.float32(graph.values[operator.input].scale)
    out = np.float32(graph.values[operator.output].scale)
    return np.asarray(into * operator.scales / out, np.float32)


def first_mismatch(name: str, expected: Int8, found: Int8) -> Mismatch:
    """The first place where two arrays differ."""
    place = tuple(int(number) for number in np.argwhere(expected != found)[0])
    return Mismatch(name, place, int(expected[place]), int(found[place]))


def inputs_of_frames(extents: tuple[int, ...], frames: NDArray[np.uint8]) -> Iterator[Int8]:
    """Frames as the network's input, of the extents that the file gives it."""
    for frame in frames:
        yield (frame.astype(np.int16) - 128).astype(np.int8).reshape(extents)


def frames_for(
    graph: Graph, dataset: Path, count: int, random_count: int, seed: int
) -> NDArray[np.uint8]:
    """Test frames where the input has their shape, then random ones; every third has two tones."""
    shape = graph.values[graph.input].shape
    extents = (shape.height, shape.width, shape.channels)
    random = np.random.default_rng(seed)
    made = random.integers(0, 256, (random_count, *extents), np.uint8)
    made[::3] = random.choice(np.array([0, 255], np.uint8), made[::3].shape)
    if extents != (28, 28, 1) or not count:
        return made
    return np.concatenate([load_test_split(dataset).images[:count, ..., None], made])


def report(comparison: PeerComparison) -> str:
    """One line, and a second where something differs."""
    line = (
        f"{comparison.peer} ({comparison.rounding}): {comparison.mismatches} of "
        f"{comparison.values} values differ on {comparison.inputs} inputs"
    )
    if comparison.rounding == "float32":
        line += f"\n  float32 and single differ on {comparison.off_single} of these values"
    return line if comparison.first is None else f"{line}\n  first: {comparison.first}"
