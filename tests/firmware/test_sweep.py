"""One small sweep, in a process of its own; the rest is `tox -e sweep`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless import cli
from tests.firmware.conftest import BUILD


def test_a_faulty_firmware_fails_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = "/usr/share/datasets/fashion-mnist"
    plan, table, page = (tmp_path / name for name in ("plan.toml", "table.json", "page.html"))
    plan.write_text(
        f"""
[sweep]
elf = ["{BUILD}/boardless.elf", "{BUILD}/faulty_crop.elf"]
[[frames]]
name = "test"
path = "{data}/t10k-images-idx3-ubyte.gz"
labels = "{data}/t10k-labels-idx1-ubyte.gz"
limit = 3
[budget]
min-accuracy = 0.8
"""
    )
    asked = ["sweep", str(plan), "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert cli.main([*asked, "--json", str(table), "--html", str(page)]) == 1
    rows = json.loads(table.read_text())["rows"]
    assert [row["failures"] for row in rows] == [[], ["accuracy 0.0000, least 0.8"]]
    assert "FAILED accuracy 0.0000" in capsys.readouterr().out
    assert page.read_text().count("<circle") == 2
    assert cli.main([*asked, "--json", str(table)]) == 1
    assert json.loads(table.read_text())["tasks_run"] == 0
