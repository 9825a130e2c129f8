"""The cmsis back end against the reference, with a CMSIS-NN that somebody has built.

CMSIS_NN_INC names its headers; CMSIS_NN_LIB a library with CMSIS_NN_USE_SINGLE_ROUNDING,
CMSIS_NN_LIB_DOUBLE one without. Nothing of it is in this project.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.c_source import export
from boardless_models.graph.kernels import scratch_bytes
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from tests.nn.cortex_m4 import CmsisNn, CortexM4, compile_kernels, link, same_as_reference
from tests.nn.host import REPOSITORY
from tests.nn.random_graphs import random_graph

LIBRARIES: dict[Rounding, str] = {"single": "CMSIS_NN_LIB", "double": "CMSIS_NN_LIB_DOUBLE"}


def built(rounding: Rounding) -> CmsisNn:
    named = [os.environ.get(name, "") for name in ("CMSIS_NN_INC", LIBRARIES[rounding])]
    if not all(named):
        pytest.skip(f"no CMSIS-NN: CMSIS_NN_INC and {LIBRARIES[rounding]} name what you have built")
    return CmsisNn(Path(named[0]), Path(named[1]))


@pytest.fixture(scope="module", params=ROUNDINGS)
def rounding(request: pytest.FixtureRequest) -> Rounding:
    chosen: Rounding = request.param
    return chosen


@pytest.fixture(scope="module")
def objects(rounding: Rounding, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp(f"cmsis-{rounding}")
    return compile_kernels(folder, "cmsis", rounding, built(rounding))


@pytest.mark.parametrize("seed", range(30))
def test_any_shape_equals_the_reference(
    tmp_path: Path, objects: list[Path], rounding: Rounding, seed: int
) -> None:
    graph = export(random_graph(seed, rounding), "5a" * 32, tmp_path / "generated")
    generated = tmp_path / "generated"
    board = CortexM4(link(tmp_path, objects, generated, backend="cmsis", rounding=rounding))
    same_as_reference(board, graph, seed)
    assert board.call("harness_scratch_bytes") <= scratch_bytes(graph, "cmsis")
    assert all(board.kernel(index).startswith("cmsis ") for index in range(len(graph.operators)))


@pytest.mark.parametrize("rounding", ["single"], indirect=True)  # that of the committed models
@pytest.mark.parametrize("name", ["fashion_mnist_8k", "fashion_mnist_8bit"])
def test_a_trained_model_equals_the_reference(
    tmp_path: Path, objects: list[Path], name: str
) -> None:
    artifact = load_artifact(REPOSITORY / "models" / "artifacts" / f"{name}.npz")
    graph = export(artifact.graph, artifact.sha256, tmp_path / "generated")
    board = CortexM4(link(tmp_path, objects, tmp_path / "generated", backend="cmsis"))
    same_as_reference(board, graph, seed=1)
