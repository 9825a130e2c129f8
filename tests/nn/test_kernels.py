from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from boardless_models.data.network import Conv2d, Dense, Depthwise, Layer, Network, Shape, stages
from boardless_models.graph.c_source import export
from boardless_models.graph.chain import QuantizedLayer, graph_of_layers
from boardless_models.graph.fusing import fused
from boardless_models.graph.golden import Golden
from boardless_models.graph.graph import Graph
from boardless_models.graph.kernels import scratch_bytes
from boardless_models.graph.reference import run_graph
from boardless_models.int8.scaling import ROUNDINGS, Rounding, largest_weight
from boardless_models.int8.score import decide
from tests.nn.host import GENERATED, REPOSITORY, HostNn, HostRun, build

SCRATCH_SIZE, SCRATCH_ALIGNMENT = -1, -2


def same_as_reference(graph: Graph, frame: NDArray[np.uint8], run: HostRun) -> None:
    expected = run_graph(graph, frame[None])
    assert run.status == 0
    assert len(run.outputs) == len(expected)
    for layer, (found, output) in enumerate(zip(run.outputs, expected, strict=True)):
        assert found == output.tobytes(), f"layer {layer}"
    decision = decide(expected[-1].reshape(-1), graph.score_step)
    assert (run.class_index, run.score) == (decision.class_index, decision.score)


def test_every_layer_equals_the_golden_vectors(nn: HostNn, golden: Golden) -> None:
    for index, frame in enumerate(golden.frames):
        run = nn.run(frame)
        assert run.status == 0
        for layer, (found, outputs) in enumerate(zip(run.outputs, golden.outputs, strict=True)):
            assert found == outputs[index].tobytes(), f"frame {index}, layer {layer}"
        assert (run.class_index, run.score) == (golden.classes[index], golden.scores[index])


def test_model_carries_the_hash_of_its_artifact(nn: HostNn, golden: Golden) -> None:
    assert nn.symbol("model_hash", 32).hex() == golden.sha256


@pytest.mark.parametrize("seed", range(4))
def test_random_frames_equal_the_reference(nn: HostNn, trained: Graph, seed: int) -> None:
    random = np.random.default_rng(seed)
    frame = random.integers(0, 256, (28, 28), np.uint8)
    same_as_reference(trained, frame, nn.run(frame))
    frame = random.choice(np.array([0, 255], np.uint8), (28, 28))
    same_as_reference(trained, frame, nn.run(frame))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255])
def test_flat_frames_equal_the_reference(nn: HostNn, trained: Graph, value: int) -> None:
    frame = np.full((28, 28), value, np.uint8)
    same_as_reference(trained, frame, nn.run(frame))


def test_an_observer_changes_nothing(nn: HostNn, golden: Golden) -> None:
    seen, unseen = (nn.run(golden.frames[0], observed=observed) for observed in (True, False))
    assert (unseen.status, unseen.outputs) == (0, ())
    assert (unseen.class_index, unseen.score) == (seen.class_index, seen.score)


def test_scratch_is_as_large_as_the_header_says(nn: HostNn, trained: Graph) -> None:
    assert nn.scratch_bytes == scratch_bytes(trained, "plain")


def test_scratch_too_small_is_refused(nn: HostNn, golden: Golden) -> None:
    run = nn.run(golden.frames[0], scratch_bytes=nn.scratch_bytes - 4)
    assert (run.status, run.outputs) == (SCRATCH_SIZE, ())


def test_scratch_out_of_line_is_refused(nn: HostNn, golden: Golden) -> None:
    run = nn.run(golden.frames[0], misalignment=2)
    assert (run.status, run.outputs) == (SCRATCH_ALIGNMENT, ())


_MISALIGNED = """
import sys
from pathlib import Path
from boardless_models.graph.golden import load_golden
from tests.nn.host import HostNn
frame = load_golden(Path(sys.argv[2])).frames[0]
HostNn(Path(sys.argv[1])).run(frame, misalignment=int(sys.argv[3]))
"""


@pytest.mark.parametrize(("misalignment", "ends"), [(0, 0), (2, -signal.SIGILL)])
def test_misaligned_scratch_stops_a_debug_build(
    tmp_path: Path, misalignment: int, ends: int
) -> None:
    build(tmp_path, GENERATED, "-DNN_DEBUG=1")
    golden = REPOSITORY / "models" / "golden" / "fashion_mnist_8k.npz"
    arguments = [str(tmp_path / "nn.so"), str(golden), str(misalignment)]
    command = [sys.executable, "-c", _MISALIGNED, *arguments]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == ends


NETWORKS: dict[str, tuple[Shape, tuple[Layer, ...]]] = {
    "one pixel": (Shape(1, 1, 1), (Conv2d(4, 3), Dense(2))),
    "odd rows and columns": (Shape(5, 7, 1), (Conv2d(4, 3), Conv2d(6, 3), Dense(4))),
    "one column": (Shape(6, 1, 1), (Conv2d(4, 3), Conv2d(4, 3), Depthwise(), Dense(2))),
    "pools that drop a row": (
        Shape(11, 13, 1),
        (Conv2d(8, 3, 2), Conv2d(4, 1, 2), Depthwise(), Dense(6)),
    ),
    "point convolutions": (
        Shape(6, 9, 1),
        (Conv2d(12, 3), Conv2d(8, 1), Conv2d(20, 1), Depthwise(), Dense(10)),
    ),
    "4-bit weights": (
        Shape(9, 10, 1),
        (Conv2d(8, 3, 2, bits=4), Conv2d(12, 1, bits=4), Conv2d(4, 3, bits=4), Dense(10, bits=4)),
    ),
    "4-bit and 8-bit weights": (
        Shape(8, 8, 1),
        (Conv2d(4, 3, 2), Conv2d(6, 3, bits=4), Depthwise(), Dense(4, bits=4)),
    ),
    "dense alone after the first": (Shape(4, 4, 1), (Conv2d(2, 3), Dense(10))),
}


def random_layer(
    weight_shape: tuple[int, int, int, int],
    input_zero_point: int,
    output_zero_point: int,
    random: np.random.Generator,
    bits: int = 8,
) -> QuantizedLayer:
    """A layer whose weights reach both ends and whose sums reach past both ends of int8."""
    outputs = weight_shape[0]
    fan_in = int(np.prod(weight_shape[1:]))
    largest = largest_weight(bits)
    extremes = random.choice(np.array([-largest, 0, largest]), weight_shape)
    spread = random.integers(-largest, largest + 1, weight_shape)
    weight = np.where(random.random(weight_shape) < 0.3, extremes, spread).astype(np.int8)
    # The spread of the sums, brought down to about the spread of int8.
    extra = max(0, int(np.log2(fan_in) / 2) + (5 if bits == 8 else 1))
    return QuantizedLayer(
        weight=weight,
        bias=random.integers(-30_000, 30_000, outputs).astype(np.int32),
        multiplier=random.integers(1 << 30, 1 << 31, outputs).astype(np.int32),
        exponent=(-2 - extra - random.integers(0, 3, outputs)).astype(np.int8),
        input_zero_point=input_zero_point,
        output_zero_point=output_zero_point,
    )


def random_network(name: str, seed: int, way: Rounding = "single") -> Graph:
    shape, layers = NETWORKS[name]
    network = Network("random", shape, layers)
    random = np.random.default_rng(seed)
    points = [-128, *(int(point) for point in random.integers(-128, 128, len(layers)))]
    made = tuple(
        random_layer(stage.weight_shape, points[index], points[index + 1], random, stage.layer.bits)
        for index, stage in enumerate(stages(network))
    )
    return fused(graph_of_layers(network, made, 700, way))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", [1, 2])
def test_other_shapes_equal_the_reference(
    tmp_path: Path, generated: Path, name: str, seed: int
) -> None:
    graph = random_network(name, seed)
    export(graph, "00" * 32, generated)
    nn = build(tmp_path, generated)
    assert nn.scratch_bytes == scratch_bytes(graph, "plain")
    random = np.random.default_rng(seed)
    for _ in range(5):
        frame = random.integers(0, 256, shape_of(graph), np.uint8)
        same_as_reference(graph, frame, nn.run(frame))


def shape_of(graph: Graph) -> tuple[int, int]:
    shape = graph.values[graph.input].shape
    return shape.height, shape.width


@pytest.mark.parametrize("name", ["pools that drop a row", "4-bit and 8-bit weights"])
def test_double_rounding_equals_the_reference(tmp_path: Path, generated: Path, name: str) -> None:
    once, twice = (random_network(name, 3, way) for way in ROUNDINGS)
    export(twice, "00" * 32, generated)
    nn = build(tmp_path, generated)
    random = np.random.default_rng(3)
    differing = 0
    for _ in range(20):
        frame = random.integers(0, 256, shape_of(once), np.uint8)
        same_as_reference(twice, frame, nn.run(frame))
        pairs = zip(run_graph(once, frame[None]), run_graph(twice, frame[None]), strict=True)
        differing += sum(int((a != b).sum()) for a, b in pairs)
    assert differing > 0
