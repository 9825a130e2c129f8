"""Revisions of a repository: as an axis of a sweep, and the one that broke something."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from boardless import cli
from tests.firmware.conftest import BUILD
from tests.sweep.conftest import FRAMES, LABELS, PLAN


def commit(repository: Path, elf: str, subject: str) -> str:
    shutil.copy(BUILD / elf, repository / "fw.elf")
    (repository / "subject").write_text(subject)
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", subject], check=True)
    return subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def test_bisect_finds_the_commit_that_broke_the_accuracy(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = commit(repository, "boardless.elf", "the first")
    commit(repository, "boardless.elf", "still right")
    broken = commit(repository, "faulty_crop.elf", "crop by one")
    commit(repository, "faulty_crop.elf", "later")
    check = ["run", "fw.elf", "--frames", FRAMES, "--labels", LABELS, "--limit", "5"]
    code = cli.main(
        ["bisect", "--good", good, "--build", "true", "--", *check, "--min-accuracy", "0.6"]
    )
    said = capsys.readouterr().out.splitlines()
    assert code == 0
    assert said[-1] == f"first bad commit: {broken} crop by one"
    trees = subprocess.check_output(["git", "worktree", "list"], text=True).splitlines()
    assert len(trees) == 1


def test_bisect_says_where_its_ends_are_not_as_told(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = commit(repository, "boardless.elf", "right")
    commit(repository, "boardless.elf", "right too")
    check = ["run", "fw.elf", "--frames", FRAMES, "--labels", LABELS, "--limit", "2"]
    assert cli.main(["bisect", "--good", good, "--build", "true", "--", *check]) == 2
    assert "HEAD: is good, expected bad" in capsys.readouterr().err
    assert cli.main(["bisect", "--good", good, "--build", "false", "--", *check]) == 2
    assert "is skip, expected good: false: exit code 1" in capsys.readouterr().err
    assert cli.main(["bisect", "--good", "nowhere", "--build", "true", "--", *check]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_revisions_are_an_axis(repository: Path) -> None:
    commit(repository, "boardless.elf", "right")
    commit(repository, "faulty_crop.elf", "wrong")
    plan = PLAN.replace('elf = ["good.elf", "bad.elf"]', 'elf = "fw.elf"').replace(
        "seed = [1, 2]", 'revision = ["HEAD~1", "HEAD"]\nbuild = "true"'
    )
    (repository / "plan.toml").write_text(plan)
    assert cli.main(["sweep", "plan.toml", "--out", "out", "--json", "table.json"]) == 1
    rows = json.loads((repository / "table.json").read_text())["rows"]
    assert [(row["row"]["elf"], bool(row["failures"])) for row in rows] == [
        ("HEAD~1", False),
        ("HEAD", True),
    ]
