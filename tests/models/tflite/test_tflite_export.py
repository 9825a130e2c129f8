from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless_models.graph.c_source import source_text
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph
from boardless_models.graph.reference import run_graph
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_models.tflite import file as tfl
from boardless_models.tflite.exporter import tflite_bytes, tflite_of
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from tests.models.tflite.tflite_cases import CASES, random_frames


def test_file_reads_back_as_it_was_written(trained: Graph) -> None:
    written = tflite_of(trained)
    found = tfl.read_tflite(tfl.write_tflite(written, "x"))
    assert [operator.name for operator in found.operators][-2:] == [
        "MAX_POOL_2D",
        "FULLY_CONNECTED",
    ]
    for before, after in zip(written.tensors, found.tensors, strict=True):
        assert (before.name, before.shape, before.kind) == (after.name, after.shape, after.kind)
        assert (before.data, before.axis) == (after.data, after.axis)
        assert np.array_equal(before.scales, after.scales)
        assert np.array_equal(before.zero_points, after.zero_points)
    for old, new in zip(written.operators, found.operators, strict=True):
        assert (old.code, old.inputs, old.outputs) == (new.code, new.inputs, new.outputs)
        assert (old.options.padding, old.options.activation) == (
            new.options.padding,
            new.options.activation,
        )


def same_graph(there: Graph, back: Graph) -> None:
    """But for names, which a file has its own of."""
    texts = [source_text(fused(graph), "0" * 64) for graph in (there, back)]
    first, second = (re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) for text in texts)
    assert first == second


def test_the_way_there_and_back_is_the_same_firmware(trained: Graph) -> None:
    file = tfl.read_tflite(tflite_bytes(trained, "0" * 64))
    same_graph(trained, graph_of(file, trained.name, "single"))


# What these add or scale is kept in the steps of the sum alone.
NOT_WRITTEN = {
    "constants added": "adds a constant",
    "leaky": "a slope without a scale",
    "products and differences": "adds a constant",
    "moves": "moves values",
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("way", ROUNDINGS)
def test_a_users_graph_comes_back(name: str, way: Rounding) -> None:
    for seed in range(4):
        there = fused(graph_of(CASES[name](seed), name, way))
        if name in NOT_WRITTEN:
            with pytest.raises(ModelError, match=NOT_WRITTEN[name]):
                tflite_of(there)
            continue
        file = tfl.read_tflite(tflite_bytes(there, "0" * 64))
        back = fused(graph_of(file, name, way))
        shape = there.values[there.input].shape
        frames = random_frames(seed, 8, shape.height, shape.width)
        pairs = zip(run_graph(there, frames), run_graph(back, frames), strict=True)
        assert all(np.array_equal(left, right) for left, right in pairs), seed


def test_an_artifact_without_scales_cannot_be_written(trained: Graph) -> None:
    bare = replace(trained, values=tuple(replace(v, scale=0.0) for v in trained.values))
    with pytest.raises(ModelError, match="tensor 'input' has no scale, expected an artifact"):
        tflite_bytes(bare, "0" * 64)


def test_step_writes_a_file(
    artifact_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "model.tflite"
    assert cli.main(["model", "export", str(artifact_path), str(output)]) == 0
    assert output.read_bytes()[4:8] == b"TFL3"
    gone = str(tmp_path / "gone" / "x.tflite")
    assert cli.main(["model", "export", str(artifact_path), gone]) == 2
    assert "no folder" in capsys.readouterr().err


def test_what_is_exported_can_be_imported_and_verified(
    artifact_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One form, one artifact: the way there and back ends where it began."""
    tflite, back = str(tmp_path / "m.tflite"), str(tmp_path / "back.npz")
    assert cli.main(["model", "export", str(artifact_path), tflite]) == 0
    assert cli.main(["model", "import", tflite, back]) == 0
    capsys.readouterr()
    assert cli.main(["model", "verify", back, "--floor", "92.59"]) == 0
    assert "92.59 % of 10000 test frames (floor 92.59)" in capsys.readouterr().out
