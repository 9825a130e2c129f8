from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless_models.graph.artifact import provenance_path, save_artifact
from boardless_models.graph.quantize import quantize
from boardless_models.graph.stage_table import rows_of
from boardless_models.int8.checkpoint import save_checkpoint
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from boardless_sim.timing_basis import ERROR_PERCENT
from tests.models.graph.activation_cases import checkpoint_of
from tests.models.tflite.tflite_cases import residual


def test_committed_artifact_has_a_float_and_an_int8_stage(artifact_path: Path) -> None:
    facts = json.loads(provenance_path(artifact_path).read_text())
    rows = [row for row in rows_of(artifact_path.parent) if row.artifact == artifact_path.stem]
    before, after = rows[-2:]
    assert (before.test, after.test) == (facts["float_test_accuracy"], facts["int8_test_accuracy"])
    assert before.model_bytes > 2 * after.model_bytes
    assert after.model_bytes <= 8_192
    assert before.macs == after.macs == facts["macs"]
    assert (before.ram_bytes, before.cycles) == (None, None)


def test_a_graph_is_a_row_too(tmp_path: Path) -> None:
    facts = {"imported": {"file": "user.tflite"}}
    save_artifact(graph_of(residual(1), "user", "double"), facts, tmp_path / "user.npz")
    (row,) = rows_of(tmp_path)
    assert (row.artifact, row.stage, row.test) == ("user", "imported", None)
    assert row.ram_bytes
    # Six channels: its convolutions are left to the plain kernels, which nobody has estimated.
    assert row.cycles is None


def test_every_stage_that_has_a_file_is_a_row(tmp_path: Path) -> None:
    checkpoint = checkpoint_of("relu", 1)
    for step, name in (("qat", "qat"), ("train", "float"), ("prune", "pruned")):
        record = replace(checkpoint.record, step=step, validation_accuracy=0.75)
        save_checkpoint(replace(checkpoint, record=record), tmp_path / f"tiny.{name}.npz")
    quantized = quantize(checkpoint)
    facts = {"training": {"step": "qat"}, "float_test_accuracy": 0.7, "int8_test_accuracy": 0.6}
    save_artifact(quantized, facts, tmp_path / "tiny.npz")
    np.savez(tmp_path / "teacher.npz", logits=np.zeros(3))
    found = [(row.artifact, row.stage, row.validation, row.test) for row in rows_of(tmp_path)]
    assert found == [
        ("tiny", "float", 0.75, None),
        ("tiny", "pruned float", 0.75, None),
        ("tiny", "QAT float", None, 0.7),
        ("tiny", "QAT", None, 0.6),
    ]


def test_a_folder_without_artifacts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no artifact with its provenance"):
        rows_of(tmp_path)


def test_a_provenance_that_is_no_object_is_refused(tmp_path: Path) -> None:
    save_artifact(graph_of(residual(1), "user", "double"), {}, tmp_path / "user.npz")
    (tmp_path / "user.json").write_text("[1]")
    with pytest.raises(ModelError, match="found list, expected an object"):
        rows_of(tmp_path)


def test_table_prints_and_writes_json(
    artifact_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "table.json"
    assert cli.main(["model", "table", str(artifact_path.parent), "--json", str(document)]) == 0
    body = json.loads(document.read_text())
    stages = body["stages"]
    assert body["cycles"] == {
        "basis": "from the layers, within 5 % of emulation",
        "error_percent": ERROR_PERCENT,
    }
    assert {stage["artifact"] for stage in stages} >= {artifact_path.stem}
    output = capsys.readouterr().out
    assert f"{stages[-1]['test']:.2%}" in output
    assert f"{stages[-1]['macs']:,}" in output
    assert output.endswith(
        "cycles: from the layers, within 5 % of emulation: estimated Cortex-M4 cycles, ±15 %\n"
    )


def test_table_that_cannot_be_written_is_one_line(
    artifact_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["model", "table", str(artifact_path.parent), "--json", str(tmp_path / "a" / "b")]
    assert cli.main(arguments) == 2
    found = capsys.readouterr().err
    assert found.endswith(f"no folder {tmp_path / 'a'}, expected one to write into\n")


def test_plot_is_a_small_picture(artifact_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib: pip install 'boardless[model]'")
    plot = tmp_path / "plot.png"
    assert cli.main(["model", "table", str(artifact_path.parent), "--plot", str(plot)]) == 0
    assert plot.read_bytes()[:4] == b"\x89PNG"
    assert plot.stat().st_size < 100_000
