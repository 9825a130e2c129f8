"""What the analysis found, as the command says and writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode

TASK = '[[budget.stack.task]]\nname = "worker"\nentry = "wide"\nmax = {}\n'


def stack_of(elf: Path, folder: Path, text: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and the document's `stack`."""
    budgets, document = folder / "boardless.toml", folder / "budget.json"
    budgets.write_text(f"[budget.region.FLASH]\nmax = '64K'\n{text}")
    command = ["budget", str(elf), "--config", str(budgets), "--json", str(document)]
    return cli.main(command), json.loads(document.read_text())["stack"]


def test_disagreements_and_what_only_a_run_knows_are_listed(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, stack = stack_of(shapes, tmp_path, f"[budget.stack]\nsu = '{shapes.parent}'")
    assert code == ExitCode.PASSED
    assert stack["bound"]["dynamic"] == ["takes_alloca", "takes_vla"]
    found = {"function": "takes_any", "source": ".su", "bytes": 16, "code": 32}
    assert found in stack["bound"]["disagreements"]
    ring = {"functions": ["even", "odd"], "depth": None, "bytes": 32}
    assert ring in stack["bound"]["recursion"]
    said = " ".join(capsys.readouterr().out.split())
    assert "note: frames: .debug_frame gives asm_pushes 0 bytes, its code takes 16" in said
    assert "the code is followed" in said


@pytest.mark.parametrize(("most", "code"), [(1024, ExitCode.PASSED), (600, ExitCode.FAILED)])
def test_task_has_a_budget_and_a_grade(shapes: Path, tmp_path: Path, most: int, code: int) -> None:
    found, stack = stack_of(shapes, tmp_path, TASK.format(most))
    assert found == code
    task = stack["task worker"]
    assert (task["max"], task["grade"]) == (most, "annotated")
    assert 600 < task["bytes"] <= 1024


def test_calls_that_never_return_are_a_figure_of_their_own(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "[budget.stack]\nentry = 'checks'\ncold = 'gives_up'\nmax = '4K'\n"
    code, stack = stack_of(shapes, tmp_path, text)
    assert code == ExitCode.PASSED
    assert stack["bound"]["bytes"] < stack["cold"]["bytes"]
    assert "with calls that never return" in capsys.readouterr().out
