from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless import cli
from boardless_models.graph.artifact import provenance_path


def test_accuracy_is_what_the_artifact_says_and_a_floor_above_it_fails(
    artifact_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads(provenance_path(artifact_path).read_text())
    share = 100 * facts["int8_test_accuracy"]
    assert cli.main(["model", "verify", str(artifact_path), "--floor", "99.9"]) == 1
    assert f"{share:.2f} % of 10000 test frames (floor 99.9)" in capsys.readouterr().out
    assert share >= 90


def test_an_artifact_that_cannot_be_read_is_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["model", "verify", str(tmp_path / "a.npz")]) == 2
    expected = f"boardless: {tmp_path / 'a.npz'}: No such file or directory, expected a file\n"
    assert capsys.readouterr().err == expected
