"""The kernels on a Cortex-M4: the m4 back end is made for no other core."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.c_source import export
from boardless_models.graph.golden import Golden
from boardless_models.graph.graph import Convolve, Graph, macs_of
from boardless_models.graph.kernels import m4_kernel, scratch_bytes, slow_reason
from boardless_models.graph.reference import run_graph
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_models.tflite.reader import graph_of
from tests.models.graph.activation_cases import ACTIVATIONS, quantized_of
from tests.models.tflite.tflite_cases import CASES
from tests.nn.cortex_m4 import FRAMES, CortexM4, compile_kernels, link, same_as_reference
from tests.nn.host import GENERATED, REPOSITORY
from tests.nn.random_graphs import random_frames, random_graph, strided_graph, wide_graph

# What one inference of this model may cost; emulation and battery pay by the instruction.
INSTRUCTION_BUDGET = 1_250_000
Objects = dict[Rounding, list[Path]]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return {way: compile_kernels(tmp_path_factory.mktemp(way), "m4", way) for way in ROUNDINGS}


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory, objects: Objects) -> Path:
    return link(tmp_path_factory.mktemp("m4"), objects["single"])


@pytest.fixture
def board(elf: Path) -> CortexM4:
    # Fresh for each test: a hook sees no code that Unicorn translated before it was added.
    return CortexM4(elf)


def test_every_layer_equals_the_golden_vectors(board: CortexM4, golden: Golden) -> None:
    for index, frame in enumerate(golden.frames):
        board.write("harness_frame", frame.tobytes())
        assert board.call("harness_observe") == 0
        expected = b"".join(outputs[index].tobytes() for outputs in golden.outputs)
        assert int.from_bytes(board.read("harness_output_bytes", 4), "little") == len(expected)
        assert board.read("harness_outputs", len(expected)) == expected, f"frame {index}"
        decision = (golden.classes[index], golden.scores[index])
        assert board.result() == decision


def test_one_inference_stays_within_its_instructions(
    board: CortexM4, golden: Golden, trained: Graph
) -> None:
    board.write("harness_frame", golden.frames[0].tobytes())
    executed = board.count("harness_run")
    # No instruction does more than two multiplications, of which a tile saves 20 of 36.
    macs = sum(macs_of(trained, operator) for operator in trained.operators)
    assert macs * 16 // 36 // 2 < executed
    assert executed <= INSTRUCTION_BUDGET


def test_the_8_bit_network_equals_the_reference(tmp_path: Path, objects: Objects) -> None:
    artifact = load_artifact(REPOSITORY / "models" / "artifacts" / "fashion_mnist_8bit.npz")
    graph = export(artifact.graph, artifact.sha256, tmp_path / "generated")
    board = CortexM4(link(tmp_path, objects["single"], tmp_path / "generated"))
    same_as_reference(board, graph, seed=1)


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_any_activation_equals_the_reference(
    tmp_path: Path, objects: Objects, activation: str, way: Rounding
) -> None:
    graph = export(quantized_of(activation, 1, way), "5a" * 32, tmp_path / "generated")
    board = CortexM4(link(tmp_path, objects[way], tmp_path / "generated", rounding=way))
    same_as_reference(board, graph, seed=1)
    kernels = [board.kernel(index) for index in range(len(graph.operators))]
    assert kernels.count("m4 conv2d") == 3
    assert ("plain prelu" if activation == "prelu" else "plain look-up") in kernels


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("name", CASES)
def test_a_users_graph_equals_the_reference(
    tmp_path: Path, objects: Objects, name: str, way: Rounding
) -> None:
    graph = export(graph_of(CASES[name](5), name, way), "5a" * 32, tmp_path / "generated")
    board = CortexM4(link(tmp_path, objects[way], tmp_path / "generated", rounding=way))
    same_as_reference(board, graph, seed=5)


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("seed", range(30))
def test_any_shape_equals_the_reference(
    tmp_path: Path, objects: Objects, seed: int, way: Rounding
) -> None:
    graph = export(random_graph(seed, way), "5a" * 32, tmp_path / "generated")
    board = CortexM4(link(tmp_path, objects[way], tmp_path / "generated", rounding=way))
    same_as_reference(board, graph, seed)
    for index, operator in enumerate(graph.operators):
        slow = board.kernel(index).startswith("plain ")
        assert slow == bool(slow_reason(graph, operator)), (board.kernel(index), operator)
    assert board.call("harness_scratch_bytes") == scratch_bytes(graph, "m4")


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("seed", range(30))
def test_any_window_equals_the_reference(
    tmp_path: Path, objects: Objects, seed: int, way: Rounding
) -> None:
    graph = export(strided_graph(seed, way), "5a" * 32, tmp_path / "generated")
    board = CortexM4(link(tmp_path, objects[way], tmp_path / "generated", rounding=way))
    same_as_reference(board, graph, seed)
    for index, operator in enumerate(graph.operators):
        chosen = m4_kernel(graph, operator)
        assert (chosen == "plain") == board.kernel(index).startswith("plain ")
        assert chosen == "plain" or board.kernel(index) == f"m4 {chosen}"
    assert board.call("harness_scratch_bytes") == scratch_bytes(graph, "m4")


def test_windows_of_every_kind_are_drawn() -> None:
    """Steps, borders or none, tails of every length, 4-bit weights, channels that are no group."""
    seen: set[tuple[str, object]] = set()
    for seed in range(30):
        graph = strided_graph(seed, "single")
        for operator in graph.operators:
            assert isinstance(operator, Convolve)
            kernel = m4_kernel(graph, operator)
            window, source = operator.window, graph.values[operator.input].shape
            tail = window.columns * source.channels % 4
            groups = graph.values[operator.output].shape.channels % 4
            seen |= {(kernel, ("stride", window.stride_rows)), (kernel, ("top", window.top > 0))}
            seen |= {(kernel, ("tail", tail)), (kernel, ("group", groups))}
            seen |= {(kernel, ("bits", operator.bits)), (kernel, ("clamp", operator.least > -128))}
    gathered = [
        *(("stride", step) for step in (1, 2, 3)),
        *(("top", border) for border in (True, False)),
        *(("tail", left) for left in range(4)),
        *(("group", left) for left in range(4)),
        *(("bits", bits) for bits in (4, 8)),
        *(("clamp", clamped) for clamped in (True, False)),
    ]
    planes = [("stride", 1), ("stride", 2), ("top", True), ("top", False), ("clamp", True)]
    assert {("gather", kind) for kind in gathered} <= seen
    assert {("depthwise", kind) for kind in planes} <= seen


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("channels", [8, 12, 16, 20, 24, 28])
@pytest.mark.parametrize("seed", range(3))
def test_convolutions_by_tiles_equal_the_reference(
    tmp_path: Path, objects: Objects, seed: int, channels: int, way: Rounding
) -> None:
    graph = export(wide_graph(seed, channels, way), "5a" * 32, tmp_path / "generated")
    board = CortexM4(link(tmp_path, objects[way], tmp_path / "generated", rounding=way))
    same_as_reference(board, graph, seed)
    for index, operator in enumerate(graph.operators):
        assert board.kernel(index) == f"m4 {m4_kernel(graph, operator)}"
    assert board.call("harness_scratch_bytes") == scratch_bytes(graph, "m4")


def test_convolutions_by_tiles_are_of_every_kind() -> None:
    """Both widths of weights, with and without a pool, even and odd, at both ends of int16."""
    kinds = {
        (operator.bits, operator.pool, graph.values[operator.input].shape.width % 2)
        for channels in (8, 12, 16, 20, 24, 28)
        for seed in range(3)
        for graph in [wide_graph(seed, channels, "single")]
        for operator in graph.operators
        if isinstance(operator, Convolve)
        if m4_kernel(graph, operator) == "winograd"
    }
    assert len(kinds) == 8, kinds


def test_random_graphs_reach_every_kernel_and_its_fallback() -> None:
    drawn = [random_graph(seed, "single") for seed in range(30)]
    fast = [
        (operator.depthwise, operator.window.rows, operator.pool, operator.bits)
        for graph in drawn
        for operator in graph.operators
        if isinstance(operator, Convolve) and not slow_reason(graph, operator)
    ]
    pairs = [(rows, pool) for depthwise, rows, pool, _ in fast if not depthwise]
    assert {(1, 1), (1, 2), (3, 1), (3, 2)} <= {*pairs}
    assert any(depthwise for depthwise, *_ in fast)
    assert any(bits == 4 for *_, bits in fast)
    reasons = {
        " ".join(reason.split()[:2])
        for graph in drawn
        for operator in graph.operators
        if (reason := slow_reason(graph, operator))
    }
    assert {"a window", "a pool"} <= reasons


def test_a_model_of_the_other_rounding_does_not_compile(tmp_path: Path, objects: Objects) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        link(tmp_path, objects["double"], GENERATED, rounding="double")


def test_outputs_differ_where_the_rounding_does() -> None:
    differing = 0
    for seed in range(30):
        frames = random_frames(seed, FRAMES, random_graph(seed, "single").values[0].shape)
        once, twice = (run_graph(random_graph(seed, way), frames) for way in ROUNDINGS)
        differing += any(not np.array_equal(a, b) for a, b in zip(once, twice, strict=True))
    assert differing > 5
