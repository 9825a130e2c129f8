"""The plain kernels on graphs, on the host and as the target's compiler lays them out."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from boardless_models.data.networks import FASHION_MNIST_8K
from boardless_models.graph.c_source import export
from boardless_models.graph.cost import graph_costs, model_bytes, network_bytes
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph
from boardless_models.graph.reference import run_graph
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_models.int8.score import decide
from boardless_models.tflite.reader import graph_of
from tests.models.graph.activation_cases import ACTIVATIONS, quantized_of
from tests.models.tflite.tflite_cases import CASES, random_frames
from tests.nn.host import KERNELS, HostNn, build

SCRATCH_SIZE, UNKNOWN_OPERATOR = -1, -3
FRAMES = 24


def host(graph: Graph, folder: Path) -> HostNn:
    export(graph, "5a" * 32, folder / "generated")
    return build(folder, folder / "generated")


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("name", CASES)
def test_every_operator_equals_the_reference(tmp_path: Path, name: str, way: Rounding) -> None:
    graph = fused(graph_of(CASES[name](7), name, way))
    shape = graph.values[graph.input].shape
    frames = random_frames(7, FRAMES, shape.height, shape.width)
    expected = run_graph(graph, frames)
    nn = host(graph, tmp_path)
    for number, frame in enumerate(frames):
        run = nn.run(frame)
        assert run.status == 0
        for operator, found, outputs in zip(graph.operators, run.outputs, expected, strict=True):
            assert found == outputs[number].tobytes(), f"frame {number}, {operator.name}"
        decision = decide(expected[-1][number].reshape(-1), graph.score_step)
        assert (run.class_index, run.score) == (decision.class_index, decision.score)


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_equals_the_reference(
    tmp_path: Path, activation: str, way: Rounding
) -> None:
    graph = quantized_of(activation, 2, way)
    nn, frames = host(graph, tmp_path), random_frames(7, FRAMES, 9, 10)
    expected = run_graph(graph, frames)
    for number, frame in enumerate(frames):
        assert nn.run(frame).outputs == tuple(output[number].tobytes() for output in expected)


def test_the_two_roundings_are_not_the_same() -> None:
    graph = graph_of(CASES["residual"](7), "residual", "double")
    frames = random_frames(7, FRAMES, 8, 8)
    pairs = zip(run_graph(graph, frames), run_graph(graph, frames, "single"), strict=True)
    assert sum(int((a != b).sum()) for a, b in pairs) > 100


def test_scratch_too_small_is_refused(tmp_path: Path) -> None:
    graph = graph_of(CASES["residual"](1), "residual", "double")
    nn = host(graph, tmp_path)
    run = nn.run(np.zeros((8, 8), np.uint8), scratch_bytes=nn.scratch_bytes - 4)
    assert (run.status, run.outputs) == (SCRATCH_SIZE, ())


def test_an_operator_that_is_not_known_is_refused(tmp_path: Path) -> None:
    graph = graph_of(CASES["residual"](1), "residual", "double")
    export(graph, "5a" * 32, tmp_path / "generated")
    source = tmp_path / "generated" / "model.c"
    source.write_text(source.read_text().replace(".kind = NN_ADD", ".kind = 99", 1))
    nn = build(tmp_path, source.parent)
    assert nn.run(np.zeros((8, 8), np.uint8)).status == UNKNOWN_OPERATOR


def section_bytes(folder: Path) -> dict[str, int]:
    output = folder / "model.o"
    subprocess.run(
        [
            *("arm-none-eabi-gcc", "-std=c11", "-O2", "-mcpu=cortex-m4", "-mthumb"),
            *("-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wundef", "-I", str(KERNELS)),
            *("-c", str(folder / "model.c"), "-o", str(output)),
        ],
        check=True,
    )
    with output.open("rb") as stream:
        elf = ELFFile(stream)
        return {section.name: section["sh_size"] for section in elf.iter_sections()}


@pytest.mark.parametrize("name", CASES)
def test_model_section_has_the_bytes_that_the_budget_counts(tmp_path: Path, name: str) -> None:
    graph = export(graph_of(CASES[name](3), name, "double"), "5a" * 32, tmp_path)
    sizes = section_bytes(tmp_path)
    assert sizes[".model"] == sum(cost.model_bytes for cost in graph_costs(graph))
    assert sum(sizes.get(name, 0) for name in (".data", ".bss", ".rodata", ".data.rel.ro")) == 0


def test_a_trained_network_has_the_bytes_that_were_counted_before(
    tmp_path: Path, trained: Graph
) -> None:
    counted = model_bytes(export(trained, "5a" * 32, tmp_path))
    assert section_bytes(tmp_path)[".model"] == counted == network_bytes(FASHION_MNIST_8K)


def test_a_name_cannot_leave_its_comment(tmp_path: Path) -> None:
    graph = graph_of(CASES["residual"](1), "residual", "double")
    spiteful = replace(graph.operators[0], name="*/ #error é \\")
    graph = replace(graph, operators=(spiteful, *graph.operators[1:]))
    assert host(graph, tmp_path).run(np.zeros((8, 8), np.uint8)).status == 0
