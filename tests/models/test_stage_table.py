from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless import cli
from boardless.session import BoardSetup
from boardless_models.artifact import QuantizedNetwork, provenance_path
from boardless_models.graph_artifact import save_graph
from boardless_models.stage_table import NEAR_PERCENT, estimated_cycles, rows_of
from boardless_models.tflite_import import graph_of
from boardless_sim.errors import ModelError
from boardless_sim.timing_basis import ERROR_PERCENT
from tests.models.tflite_cases import residual

REPOSITORY = Path(__file__).parents[2]
ELF = REPOSITORY / "build" / "firmware" / "boardless.elf"


def test_committed_artifact_has_a_float_and_an_int8_stage(artifact_path: Path) -> None:
    facts = json.loads(provenance_path(artifact_path).read_text())
    rows = [row for row in rows_of(artifact_path.parent) if row.artifact == artifact_path.stem]
    assert len(rows) == 2
    before, after = rows
    assert (before.test, after.test) == (facts["float_test_accuracy"], facts["int8_test_accuracy"])
    assert before.model_bytes > 2 * after.model_bytes
    assert after.model_bytes <= 8_192
    assert before.macs == after.macs == facts["macs"]
    assert (before.ram_bytes, before.cycles) == (None, None)


def test_a_graph_is_a_row_too(tmp_path: Path) -> None:
    save_graph(graph_of(residual(1), "user", "double"), {}, tmp_path / "user.npz")
    (row,) = rows_of(tmp_path)
    assert (row.artifact, row.stage, row.cycles, row.test) == ("user", "imported", None, None)
    assert row.ram_bytes


def test_a_folder_without_artifacts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no artifact with its provenance"):
        rows_of(tmp_path)


def test_a_provenance_that_is_no_object_is_refused(tmp_path: Path) -> None:
    save_graph(graph_of(residual(1), "user", "double"), {}, tmp_path / "user.npz")
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
        "basis": "from the layers, within 15 % of emulation",
        "error_percent": ERROR_PERCENT,
    }
    assert {stage["artifact"] for stage in stages} >= {artifact_path.stem}
    output = capsys.readouterr().out
    assert f"{stages[0]['test']:.2%}" in output
    assert f"{stages[0]['macs']:,}" in output
    assert output.endswith(
        "cycles: from the layers, within 15 % of emulation: estimated Cortex-M4 cycles, ±15 %\n"
    )


def test_table_that_cannot_be_written_is_one_line(
    artifact_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["model", "table", str(artifact_path.parent), "--json", str(tmp_path / "a" / "b")]
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.endswith("No such file or directory, expected to write there\n")


def test_plot_is_a_small_picture(artifact_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib: pip install 'boardless[model]'")
    plot = tmp_path / "plot.png"
    assert cli.main(["model", "table", str(artifact_path.parent), "--plot", str(plot)]) == 0
    assert plot.read_bytes()[:4] == b"\x89PNG"
    assert plot.stat().st_size < 100_000


@pytest.mark.skipif(not ELF.is_file(), reason="the firmware is not built")
def test_estimated_cycles_are_near_those_in_emulation(quantized: QuantizedNetwork) -> None:
    from boardless.model_hash import mismatch
    from boardless.run import classify
    from boardless_sim.camera.source import open_frames

    if mismatch(ELF, REPOSITORY / "models" / "artifacts" / "fashion_mnist_8k.npz"):
        pytest.skip("the firmware that is built carries another model")
    engine = BoardSetup(ELF).power_on()
    try:
        report = classify(engine, open_frames("pattern:bars", limit=1))
    finally:
        engine.close()
    measured = 168 * report.results[0].times_us["infer"]
    assert abs(estimated_cycles(quantized.network) / measured - 1) < NEAR_PERCENT / 100
