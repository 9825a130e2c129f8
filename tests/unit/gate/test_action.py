"""The composite action's own shell, run here with a runner's variables."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.unit.report.test_verdict import BUDGETS

ROOT = Path(__file__).parents[3]
ACTION = ROOT / ".github/actions/budget/action.yml"
HOW_TO = ROOT / "docs/howto/pull-request.md"


def script() -> str:
    """What the step `gate` runs."""
    text = ACTION.read_text("utf-8").partition("id: gate")[2]
    found = re.search(r"run: \|\n((?: {8}.*\n|\n)+)", text)
    assert found is not None
    return textwrap.dedent(found[1])


def run_action(folder: Path, elf: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    tools = folder / "runner/boardless/bin"
    tools.mkdir(parents=True)
    (tools / "boardless").write_text(f'#!/bin/sh\nexec {sys.executable} -m boardless "$@"\n')
    (tools / "boardless").chmod(0o755)
    names = ("CONFIG", "BASE", "MAP", "TODAY", "REPORT")
    given = dict.fromkeys(names, "") | {"CONFIG": "boardless.toml", "REPORT": "out"} | inputs
    variables = {
        "PATH": "/usr/bin:/bin",
        "RUNNER_TEMP": str(folder / "runner"),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_ACTIONS": "true",
        "HEAD_SHA": "0" * 40,
        "ELF": str(elf),
        **given,
    }
    command = ["bash", "-c", script()]
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("budgets", "code", "verdict"),
    [
        (BUDGETS, 1, "fail"),
        (BUDGETS.replace("64\n", "4096\n").replace("max = 1\n", "max = 4096\n"), 0, "pass"),
        ("[budgets]", 2, ""),
    ],
)
def test_exit_code_is_the_verdict(
    small_elf: Path, tmp_path: Path, budgets: str, code: int, verdict: str
) -> None:
    (tmp_path / "boardless.toml").write_text(budgets)
    done = run_action(tmp_path, small_elf, TODAY="2026-01-31")
    assert done.returncode == code, done.stderr
    assert (tmp_path / "output").read_text() == f"verdict={verdict}\nexit-code={code}\n"
    assert (tmp_path / "out/head-sha").read_text() == "0" * 40 + "\n"
    forms = {path.suffix for path in (tmp_path / "out").glob("report.*")}
    assert forms == ({".json", ".md", ".sarif", ".xml", ".html"} if verdict else set())
    assert (tmp_path / "summary").exists() is bool(verdict)
    assert ("::error " in done.stdout) is (verdict == "fail")


def test_input_is_never_code(small_elf: Path, tmp_path: Path) -> None:
    (tmp_path / "boardless.toml").write_text(BUDGETS)
    done = run_action(tmp_path, small_elf, BASE="$(touch taken); `touch taken`", REPORT="-x y")
    assert done.returncode == 2
    assert not (tmp_path / "taken").exists()
    for step in re.findall(r"run: \|\n((?: {8}.*\n|\n)+)", ACTION.read_text("utf-8")):
        assert "${{" not in step


def test_workflow_with_a_token_checks_nothing_out() -> None:
    text = HOW_TO.read_text("utf-8").partition("workflow_run:")[2]
    assert text
    assert "actions/checkout" not in text
    assert "pull-requests: write" in text
    for step in re.findall(r"run: \|\n((?: {10}.*\n)+)", text):
        assert "${{" not in step


def test_two_elfs_have_one_verdict_and_one_report(small_elf: Path, tmp_path: Path) -> None:
    """Without an ELF every target of the config is judged; nothing is built or fetched."""
    targets = f"[[target]]\nname = 'a'\nelf = '{small_elf}'\n"
    targets += f"[[target]]\nname = 'b'\nelf = '{small_elf}'\nbudget.region.FLASH.max = '64K'\n"
    (tmp_path / "boardless.toml").write_text("[budget.region.FLASH]\nmax = 1\n" + targets)
    done = run_action(tmp_path, Path(), ELF="", TODAY="2026-01-31")
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "output").read_text() == "verdict=fail\nexit-code=1\n"
    report = (tmp_path / "out/report.md").read_text()
    assert report.startswith("<!-- boardless-budget -->\n")
    assert "| ❌ a | 0 of 1 |" in report
    assert "| ✅ b | 1 of 1 |" in report
