from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless.gate.figures import MEASURES
from boardless.project.budgets import FIGURES
from tests.contributing.recipe import followed, insertions, run
from tests.unit.conftest import link

HEADING = "Add a budget check"
TOML = "[budget.padding]\nmax = {}\n{}"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return followed(HEADING, tmp_path_factory.mktemp("copy"))


def test_every_figure_that_is_read_is_measured() -> None:
    assert set(FIGURES) == set(MEASURES)


def test_two_files_are_enough() -> None:
    assert len({step.file for step in insertions(HEADING)}) == 2


def test_the_new_check_fails_passes_and_is_compared(copy: Path, tmp_path: Path) -> None:
    elf, budgets, report = link(tmp_path), tmp_path / "b.toml", tmp_path / "verdict.json"
    command: tuple[str | Path, ...] = ("budget", elf, "--config", budgets, "--json", report)
    budgets.write_text(TOML.format(0, ""))
    failed = run(copy, *command)
    assert failed.returncode == 1, failed.stderr
    document = json.loads(report.read_text())
    size = sum(found["padding"] for found in document["attribution"].values())
    row = next(row for row in document["sizes"] if row["name"] == "padding")
    assert (row["bytes"], row["max"], row["ok"]) == (size, 0, False)
    assert size > 0
    base = tmp_path / "base.json"
    base.write_bytes(report.read_bytes())
    budgets.write_text(TOML.format(size, "max-growth = 0\nowner = '@linker'"))
    passed = run(copy, *command, "--base", base)
    assert passed.returncode == 0, passed.stdout
    document = json.loads(report.read_text())
    assert [row["name"] for row in document["growth"]] == ["padding.growth"]
    assert any("size.padding: maximum raised from 0" in note for note in document["notes"])


def test_without_the_recipe_the_key_is_refused(tmp_path: Path) -> None:
    budgets = tmp_path / "b.toml"
    budgets.write_text(TOML.format(0, ""))
    elf = link(tmp_path)
    refused = run(Path(__file__).parents[2], "budget", elf, "--config", budgets)
    assert refused.returncode == 2
    assert "unknown key 'padding'" in refused.stderr
