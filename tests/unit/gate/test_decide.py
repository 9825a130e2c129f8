from __future__ import annotations

import datetime
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from boardless.gate import decide, gate, measure
from boardless.gate.evidence import VerdictBasis
from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.config import load_config
from boardless.report.verdict.terminal import render
from boardless_sim.engines.engine import StackMark
from boardless_sim.errors import BoardlessError, ConfigError

DAY = datetime.date(2026, 1, 1)
MARK = StackMark(used_bytes=700, lowest_address=0x2001_FD44, lowest_function="nn_conv2d_s8")
GENEROUS = """
[budget.region.FLASH]
max = "448K"
[budget.region.RAM]
max = "128K"
[budget.model]
max = "8K"
[[budget.size]]
name = "kernels"
symbol = "kernel_*"
max = "1K"
[budget.static-ram]
max = "1K"
[budget.stack]
measured-max = "2K"
"""


def verdict_of(elf: Path, config: Path, text: str, stack: StackMark | None = MARK) -> Verdict:
    """Without the analysis: the mark is of no run of this ELF."""
    config.write_text(text)
    project = load_config(config)
    return decide(measure(elf, project), project.budgets, VerdictBasis(DAY, stack))


def row(verdict: Verdict, name: str) -> VerdictRow:
    return next(row for row in verdict.rows if row.name == name)


def test_everything_within_its_budget_passes(small_elf: Path, config_file: Path) -> None:
    verdict = verdict_of(small_elf, config_file, GENEROUS)
    assert verdict.passed
    assert verdict.line == f"PASS {small_elf}: 6 budgets kept"
    assert row(verdict, "model") == VerdictRow("size", "model", 120, 8192)


@pytest.mark.parametrize(("maximum", "passes"), [(120, True), (119, False)])
def test_the_maximum_itself_is_allowed(
    small_elf: Path, config_file: Path, maximum: int, passes: bool
) -> None:
    verdict = verdict_of(small_elf, config_file, f"[budget.model]\nmax = {maximum}")
    assert verdict.passed is passes


def test_over_says_by_how_much(small_elf: Path, config_file: Path) -> None:
    verdict = verdict_of(small_elf, config_file, "[budget.model]\nmax = 100")
    assert verdict.line == f"FAIL {small_elf}: model is 20 bytes over (120 of 100)"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('symbol = "nn_*"', "no symbol matches 'nn_*'"),
        ('symbol = ["kernel_*", "nn_*"]', "no symbol matches 'nn_*'"),
        ('section = ".weights"', "no section matches '.weights'"),
        ('symbol = "bare_label"', "its symbols have no bytes in the ELF, nothing was measured"),
    ],
)
def test_what_nothing_matches_fails(
    small_elf: Path, config_file: Path, text: str, complaint: str
) -> None:
    verdict = verdict_of(
        small_elf, config_file, f'[[budget.size]]\nname = "part"\nmax = "1M"\n{text}'
    )
    assert not verdict.passed
    assert row(verdict, "part").reason == complaint
    assert complaint in verdict.line


@pytest.mark.parametrize("text", ["", "[project]\nelf = 'a.elf'", "[budget]"])
def test_no_budget_is_no_pass(small_elf: Path, config_file: Path, text: str) -> None:
    verdict = verdict_of(small_elf, config_file, text)
    assert not verdict.passed
    assert verdict.line == f"FAIL {small_elf}: no budget is set, so nothing was checked"
    assert verdict.as_json()["verdict"] == "fail"


def test_stack_budget_without_a_run_fails(small_elf: Path, config_file: Path) -> None:
    verdict = verdict_of(small_elf, config_file, GENEROUS, stack=None)
    assert not verdict.passed
    assert verdict.line == (
        f"FAIL {small_elf}: measured: no run measured it, expected one with a stack mark"
    )


@pytest.mark.parametrize(("used", "passes"), [(2048, True), (2049, False)])
def test_stack_mark_against_its_maximum(
    small_elf: Path, config_file: Path, used: int, passes: bool
) -> None:
    mark = StackMark(used, 0x2001_0000, "main")
    assert verdict_of(small_elf, config_file, GENEROUS, mark).passed is passes


def test_json_holds_every_row(small_elf: Path, config_file: Path) -> None:
    document = verdict_of(small_elf, config_file, GENEROUS).as_json()
    assert json.loads(json.dumps(document)) == document
    assert document["schema"] == 1
    assert document["verdict"] == "pass"
    assert document["sizes"] == [
        {"name": "model", "bytes": 120, "max": 8192, "ok": True},
        {"name": "kernels", "bytes": document["sizes"][1]["bytes"], "max": 1024, "ok": True},  # type: ignore[index]
        {"name": "static-ram", "bytes": document["sizes"][2]["bytes"], "max": 1024, "ok": True},  # type: ignore[index]
    ]
    assert document["stack"] == {
        "measured": {
            "bytes": 700,
            "max": 2048,
            "ok": True,
            "function": "nn_conv2d_s8",
            "functions": {},
        },
        "reserved": {"bytes": 2048, "max": None, "ok": True},
    }


def test_region_without_a_maximum_is_shown_and_not_judged(
    small_elf: Path, config_file: Path
) -> None:
    verdict = verdict_of(small_elf, config_file, "[budget.model]\nmax = 8192")
    assert verdict.passed
    assert row(verdict, "CCM") == VerdictRow("region", "CCM", 300, None)


def test_table_starts_with_the_verdict_and_fits(small_elf: Path, config_file: Path) -> None:
    verdict = verdict_of(small_elf, config_file, GENEROUS.replace('"1K"', "5"))
    screen = io.StringIO()
    Console(file=screen, width=100).print(render(verdict))
    lines = screen.getvalue().splitlines()
    assert lines[0].startswith("FAIL ")
    assert max(len(line) for line in lines) <= 100
    assert any("over by" in line for line in lines)
    shown = next(line for line in lines if line.startswith("FLASH: "))
    parts = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", shown)]
    assert len(parts) == 3
    assert sum(parts) == row(verdict, "FLASH").bytes
    assert verdict.as_json()["attribution"]["FLASH"] == dict(  # type: ignore[index]
        zip(("symbols", "rest", "padding"), parts, strict=True)
    )


def test_without_a_config_file_the_folder_is_named(
    small_elf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^boardless\.toml: not there, expected"):
        gate(small_elf)


def test_elf_that_cannot_be_read_is_no_verdict(config_file: Path) -> None:
    config_file.write_text(GENEROUS)
    with pytest.raises(BoardlessError, match="No such file"):
        gate(config_file.parent / "none.elf", config_file)
