"""One account of a pull request: what the other commands wrote, joined, judged and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from boardless.report.pull_request import MARK

BUDGET: dict[str, Any] = {
    "schema": 1,
    "verdict": "pass",
    "image": "build/app.elf",
    "regions": {"FLASH": {"bytes": 100, "max": 200, "ok": True}},
    "sizes": [],
    "stack": {"bound": {"bytes": 64, "max": 128, "ok": True, "grade": "exact"}},
}
RUN: dict[str, Any] = {
    "accuracy": 0.5,
    "stop_reason": "result",
    "post_mortem": None,
    "timing": {"basis": "cycle table", "mean_us": 9000.0, "p95_us": 9500.0},
    "board_checks": [{"check": "xclk", "grade": "warning", "text": "told", "waived": None}],
    "results": [{"frame": 0}, {"frame": 1}],
}
SUITE = '<testsuite><testcase classname="a" name="b"/></testsuite>'
LCOV = "SF:a.c\nFNF:2\nFNH:1\nLF:10\nLH:7\nend_of_record\nSF:b.c\nLF:10\nLH:3\nend_of_record\n"


class Files:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.json, self.markdown = folder / "report.json", folder / "report.md"

    def __call__(self, *extra: str, **given: object) -> ExitCode:
        arguments = ["report", "--json", str(self.json), "--markdown", str(self.markdown), *extra]
        for name, content in given.items():
            path = self.folder / f"{name}.txt"
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            arguments += [f"--{name}", str(path)]
        return ExitCode(cli.main(arguments))

    def part(self, name: str) -> dict[str, Any]:
        parts = json.loads(self.json.read_text())["parts"]
        return next(part for part in parts if part["name"].startswith(name))


@pytest.fixture
def report(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_every_part_has_its_row(report: Files) -> None:
    assert report(budget=BUDGET, run=RUN, suite=SUITE, coverage=LCOV) == ExitCode.PASSED
    text = report.markdown.read_text("utf-8")
    assert text.startswith(MARK)
    names = (
        "size and stack of app.elf",
        "accuracy",
        "latency",
        "board checks",
        "suite",
        "coverage",
    )
    assert [name for name in names if f"| {name}" not in text] == []
    assert report.part("coverage")["figures"]["lines"]["value"] == 50
    assert report.part("accuracy")["figures"]["right"]["value"] == 50
    assert report.part("latency")["figures"]["mean"] == {"value": 9.0, "unit": "ms", "max": None}


BROKEN = {
    "budget": BUDGET
    | {
        "verdict": "fail",
        "regions": {"FLASH": {"bytes": 300, "max": 200, "ok": False, "owner": "@team"}},
    },
    "run": RUN | {"board_checks": [RUN["board_checks"][0] | {"grade": "error"}]},
    "suite": SUITE.replace("/></", '><failure message="x"/></testcase></'),
}


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("budget", "FLASH: over by 100 (owner: @team)"), ("run", "xclk: told"), ("suite", "a.b")],
)
def test_one_part_that_fails_fails_the_whole(report: Files, kind: str, problem: str) -> None:
    passing = {"budget": BUDGET, "run": RUN, "suite": SUITE}
    assert report(**(passing | {kind: BROKEN[kind]})) == ExitCode.FAILED
    parts = json.loads(report.json.read_text())["parts"]
    assert [part["problems"] for part in parts if part["ok"] is False] == [[problem]]


def test_a_waived_check_fails_nothing(report: Files) -> None:
    waived = RUN["board_checks"][0] | {"grade": "error", "waived": "until the new board"}
    assert report(run=RUN | {"board_checks": [waived]}) == ExitCode.PASSED


def test_what_nothing_judged_does_not_pass(report: Files) -> None:
    assert report(coverage=LCOV) == ExitCode.FAILED
    assert report(suite="<testsuite/>") == ExitCode.FAILED
    assert report(suite=SUITE.replace("/></", "><skipped/></testcase></")) == ExitCode.FAILED


def test_a_run_without_results_fails(report: Files) -> None:
    hung = RUN | {"results": [], "stop_reason": "limit", "detail": "limit reached in main"}
    assert report(run=hung) == ExitCode.FAILED
    assert report.part("accuracy")["problems"] == ["limit reached in main"]


def test_several_elfs_are_several_parts(report: Files) -> None:
    both = {"verdict": "pass", "targets": {"app": BUDGET, "boot": BUDGET}}
    assert report(budget=both) == ExitCode.PASSED
    assert report.part("size and stack of boot")["ok"] is True


def test_an_earlier_account_shows_what_moved(
    report: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(budget=BUDGET) == ExitCode.PASSED
    base = report.folder / "base.json"
    report.json.rename(base)
    grown = BUDGET | {"regions": {"FLASH": {"bytes": 140, "max": 200, "ok": True}}}
    assert report("--base", str(base), budget=grown) == ExitCode.PASSED
    assert "FLASH 140, was 100" in capsys.readouterr().out
    assert "FLASH +40" in report.markdown.read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("budget", "[]", "no table"),
        ("budget", "{}", "no verdict"),
        ("budget", '{"targets": {"a": 1}}', "expected a table"),
        ("run", BUDGET, "no results"),
        ("suite", "<a", "expected JUnit XML"),
        ("suite", '<!DOCTYPE a [<!ENTITY b "c">]><a/>', "declares a document type"),
        ("coverage", "SF:a.c\n", "no line was counted"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(
    report: Files, capsys: pytest.CaptureFixture[str], kind: str, content: object, message: str
) -> None:
    assert report(**{kind: content}) == ExitCode.NOT_RUN
    said = capsys.readouterr().err
    assert f"{kind}.txt" in said
    assert message in said


def test_names_are_text_in_a_comment(report: Files) -> None:
    evil = "</details>@all [a](https://b)"
    assert report(suite=SUITE, budget={"verdict": "pass", "targets": {evil: BUDGET}}) == 0
    text = report.markdown.read_text("utf-8")
    assert "@all" not in text
    assert "https://" not in text
