"""The committed locks over time."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from boardless.gate.trend import trend
from boardless.report.trend import as_csv, as_svg
from boardless_sim.errors import ConfigError


def lock(flash: int, conv: int, **more: object) -> str:
    document: dict[str, object] = {
        "schema": 1,
        "image": "app.elf",
        "regions": {"FLASH": {"bytes": flash}},
        "sizes": [{"name": "static-ram", "bytes": 64}],
        "stack": {"bound": {"bytes": 500}},
        "symbols": {"conv": conv, "main": 40},
    }
    return json.dumps({**document, **more})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True)

    git("init", "--quiet")
    (tmp_path / "boardless.toml").write_text("")
    for flash, conv, subject in ((1000, 100, "first"), (1000, 100, "no lock"), (1200, 300, "=1+1")):
        (tmp_path / "budget.lock").write_text(lock(flash, conv))
        (tmp_path / "other").write_text(subject)
        git("add", ".")
        git("commit", "--quiet", "-m", subject)
    return tmp_path


def test_every_commit_of_the_lock_is_a_step_with_what_moved_it(project: Path) -> None:
    first, last = trend(project, 20)
    assert (first.subject, first.moved) == ("first", ())
    assert first.figures == {"region.FLASH": 1000, "size.static-ram": 64, "stack.bound": 500}
    assert [change.text() for change in last.moved] == ["region.FLASH +200"]
    assert last.why == "by conv +200"


def test_only_the_last_ones_are_asked_for(project: Path) -> None:
    (only,) = trend(project, 1)
    assert only.figures["region.FLASH"] == 1200


def test_csv_is_read_back_and_holds_no_formula(project: Path) -> None:
    rows = list(csv.DictReader(as_csv(trend(project, 20)).splitlines()))
    assert [row["region.FLASH"] for row in rows] == ["1000", "1200"]
    assert rows[1]["subject"] == "'=1+1"


def test_plot_has_a_line_a_figure(project: Path) -> None:
    root = fromstring(as_svg(trend(project, 20)))
    lines = [node for node in root if node.tag.endswith("polyline")]
    assert len(lines) == 3
    assert len(str(lines[0].get("points")).split()) == 2


def test_the_command_writes_both(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ["budget", "trend", "--config", str(project / "boardless.toml")]
    command += ["--csv", str(tmp_path / "t.csv"), "--plot", str(tmp_path / "t.svg")]
    assert cli.main(command) == ExitCode.PASSED
    said = " ".join(capsys.readouterr().out.split())
    assert "region.FLASH +200" in said
    assert "by conv +200" in said
    assert (tmp_path / "t.csv").read_text().startswith("commit,day,subject,")
    assert (tmp_path / "t.svg").read_text().startswith("<svg")


def test_a_target_has_its_own_trend(project: Path) -> None:
    parts = {name: json.loads(lock(size, 1)) for name, size in (("a", 10), ("b", 20))}
    (project / "budget.lock").write_text(json.dumps({"schema": 1, "targets": parts}))
    command = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*command, "commit", "--quiet", "-am", "two"], check=True)
    (last,) = trend(project, 1, "b")
    assert last.figures["region.FLASH"] == 20


def test_no_committed_lock_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"budget\.lock: in no commit"):
        trend(tmp_path, 5)
