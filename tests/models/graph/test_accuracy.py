from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless import cli
from boardless_models.data.dataset import Split
from boardless_models.graph.accuracy import accuracy
from boardless_models.graph.artifact import provenance_path
from boardless_models.graph.graph import Graph

FLOOR = 0.90


def test_accuracy_stands_above_the_floor(
    trained: Graph, test_split: Split, artifact_path: Path
) -> None:
    found = accuracy(trained, test_split)
    assert found >= FLOOR
    facts = json.loads(provenance_path(artifact_path).read_text())
    assert found == pytest.approx(facts["int8_test_accuracy"], abs=5e-5)


@pytest.mark.parametrize(("floor", "exit_code"), [("90", 0), ("99.9", 1)])
def test_floor_decides_the_exit_code(
    artifact_path: Path, capsys: pytest.CaptureFixture[str], floor: str, exit_code: int
) -> None:
    arguments = ["model", "verify", str(artifact_path), "--floor", floor]
    assert cli.main(arguments) == exit_code
    assert f"92.59 % of 10000 test frames (floor {float(floor)})" in capsys.readouterr().out


def test_an_artifact_that_cannot_be_read_is_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["model", "verify", str(tmp_path / "a.npz")]) == 2
    expected = f"boardless: {tmp_path / 'a.npz'}: No such file or directory, expected a file\n"
    assert capsys.readouterr().err == expected
