"""Who is asked: the budget's owner, else CODEOWNERS; and which waivers want a look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode

BUDGETS = """
[budget.region.FLASH]
max = 1
[[budget.waive]]
budget = "static-ram"
bytes = 8
reason = "until the new driver"
expires = 2026-03-10
[budget.static-ram]
max = "64K"
"""


def verdict(elf: Path, *options: str) -> dict[str, dict[str, dict[str, object]]]:
    code = cli.main(["budget", str(elf), "--json", "out.json", "--today", "2026-03-01", *options])
    assert code == ExitCode.FAILED
    found: dict[str, dict[str, dict[str, object]]] = json.loads(Path("out.json").read_text())
    return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boardless.toml").write_text(BUDGETS)
    (tmp_path / "CODEOWNERS").write_text("* @everyone\n/boardless.toml @sizes\n")
    return tmp_path


def test_a_broken_budget_without_an_owner_is_its_files(project: Path, small_elf: Path) -> None:
    found = verdict(small_elf)
    assert found["regions"]["FLASH"]["owner"] == "@sizes"
    assert "owner" not in found["regions"]["RAM"]


def test_a_budgets_own_owner_goes_first(project: Path, small_elf: Path) -> None:
    text = BUDGETS.replace("max = 1\n", 'max = 1\nowner = "@flash"\n')
    (project / "boardless.toml").write_text(text)
    assert verdict(small_elf)["regions"]["FLASH"]["owner"] == "@flash"


def test_a_waiver_that_ends_soon_is_noted(project: Path, small_elf: Path) -> None:
    note = "waiver of static-ram ends on 2026-03-10, in 9 days"
    assert note in verdict(small_elf)["notes"]
    (project / "boardless.toml").write_text(BUDGETS.replace("2026-03-10", "2026-03-16"))
    assert not [text for text in verdict(small_elf)["notes"] if "waiver" in text]
