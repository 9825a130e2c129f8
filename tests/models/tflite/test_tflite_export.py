from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from boardless_models.graph.c_source import source_text
from boardless_models.graph.chain import graph_of_chain
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph_reference import run_graph
from boardless_models.int8.artifact import QuantizedNetwork
from boardless_models.int8.reference import infer
from boardless_models.tflite import file as tfl
from boardless_models.tflite.exporter import main, tflite_bytes, tflite_of
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError


def test_file_reads_back_as_it_was_written(quantized: QuantizedNetwork) -> None:
    written = tflite_of(quantized)
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


def test_the_way_there_and_back_is_the_same_firmware(quantized: QuantizedNetwork) -> None:
    file = tfl.read_tflite(tflite_bytes(quantized, "0" * 64))
    back = fused(graph_of(file, quantized.network.name, "single"))
    texts = [source_text(graph, "0" * 64) for graph in (fused(graph_of_chain(quantized)), back)]
    there, again = (re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) for text in texts)
    assert there == again


def test_graph_of_the_file_infers_what_the_artifact_infers(quantized: QuantizedNetwork) -> None:
    graph = graph_of(tflite_of(quantized), "x", "single")
    frames = np.random.default_rng(5).integers(0, 256, (2, 28, 28), np.uint8)
    outputs = run_graph(graph, frames)
    ends = [
        number
        for number, operator in enumerate(graph.operators)
        if operator.output == graph.output or graph.values[operator.output].name[-1].isdigit()
    ]
    for number, frame in enumerate(frames):
        expected = infer(quantized, frame).outputs
        assert len(expected) == len(ends)
        for layer, end in zip(expected, ends, strict=True):
            assert np.array_equal(outputs[end][number].reshape(layer.shape), layer)


def test_an_artifact_without_scales_cannot_be_written(quantized: QuantizedNetwork) -> None:
    bare = replace(
        quantized, layers=tuple(replace(layer, scales=None) for layer in quantized.layers)
    )
    with pytest.raises(ModelError, match="layer 0: no scales, expected an artifact quantised"):
        tflite_bytes(bare, "0" * 64)


def test_step_writes_a_file(artifact_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.tflite"
    result = CliRunner().invoke(main, [str(artifact_path), str(output)])
    assert result.exit_code == 0, result.output
    assert output.read_bytes()[4:8] == b"TFL3"
    result = CliRunner().invoke(main, [str(artifact_path), str(tmp_path / "gone" / "x.tflite")])
    assert (result.exit_code, "No such file" in result.output) == (2, True)
