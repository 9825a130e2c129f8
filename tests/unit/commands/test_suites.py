from __future__ import annotations

import fcntl
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from boardless import cli
from boardless.suites.runner import SuitePlan, read_xunit, robot_command, run_suites
from boardless_sim.errors import BoardlessError

MIXED = """\
*** Test Cases ***
Good
    [Tags]    good
    Log    fine
Bad
    [Tags]    bad
    Fail    class is 3, expected 7
Left Out
    [Tags]    left
    Skip    the engine has no camera
"""
TIMEOUT_S = 120


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    folder = tmp_path / "suites"
    folder.mkdir()
    (folder / "first_suite.robot").write_text(MIXED)
    (folder / "second.robot").write_text(MIXED)
    return folder


def plan(suites: Path, *, jobs: int = 1, include: str | None = None) -> SuitePlan:
    tags = () if include is None else (include,)
    return SuitePlan(suites, suites.parent / "out", TIMEOUT_S, jobs=jobs, include=tags)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failed_test_fails_the_run(
    suites: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(suites.parent)
    outcome = run_suites(plan(suites, jobs=jobs))
    found = [(row.name, row.passed, row.failed, row.skipped) for row in outcome.rows]
    assert found == [("Suites.First Suite", 1, 1, 1), ("Suites.Second", 1, 1, 1)]
    assert outcome.rows[0].failures[0].message == "class is 3, expected 7"
    assert not outcome.passed
    for name in ("output.xml", "log.html", "report.html", "xunit.xml"):
        assert (suites.parent / "out" / name).is_file()
    assert not Path(".pabotsuitenames").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_passed_tests_pass(suites: Path, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(suites.parent)
    outcome = run_suites(plan(suites, jobs=jobs, include="good"))
    assert outcome.passed
    assert outcome.executed == 2


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("nosuchtag", r"suites: Robot ended with 25\d: "),
        ("left", r"suites: no test executed \(2 skipped\), expected at least one$"),
    ],
)
def test_no_test_executed_is_no_run(
    suites: Path, jobs: int, tag: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(suites.parent)
    with pytest.raises(BoardlessError, match=message):
        run_suites(plan(suites, jobs=jobs, include=tag))


def test_an_old_report_never_passes_for_a_new_one(suites: Path) -> None:
    run_suites(plan(suites, include="good"))
    (suites / "first_suite.robot").unlink()
    (suites / "second.robot").write_text("*** Test Cases ***\n")
    with pytest.raises(BoardlessError, match=r"suites: Robot ended with 252: "):
        run_suites(plan(suites))
    assert not (suites.parent / "out" / "xunit.xml").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_does_not_end_is_stopped(
    suites: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(suites.parent)
    hangs = "*** Test Cases ***\nHangs\n    Evaluate    signal.pause()    modules=signal\n"
    for name in ("first_suite.robot", "second.robot"):
        (suites / name).write_text(hangs)
    stopped = replace(plan(suites, jobs=jobs), timeout_s=1)
    with pytest.raises(BoardlessError, match=r"suites: Robot did not end within 1 s"):
        run_suites(stopped)


def test_a_missing_firmware_is_named(suites: Path) -> None:
    missing = SuitePlan(suites, suites / "out", TIMEOUT_S, elf=suites / "app.elf")
    with pytest.raises(BoardlessError, match=r"app\.elf: not found, expected an ELF$"):
        run_suites(missing)


def test_a_damaged_output_is_named(tmp_path: Path) -> None:
    (tmp_path / "xunit.xml").write_text("<testsuite")
    with pytest.raises(BoardlessError, match=r"xunit\.xml: .*, expected Robot's xunit output$"):
        read_xunit(tmp_path / "xunit.xml")


def test_no_port_is_opened_for_several_jobs(tmp_path: Path) -> None:
    command = robot_command(plan(tmp_path, jobs=2))
    assert command[:3] == [sys.executable, "-m", "pabot.pabot"]
    assert "--no-pabotlib" in command


def test_the_command_prints_a_table_and_the_report(
    suites: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(suites.parent)
    assert cli.main(["test", "suites", "--out", "out"]) == 1
    output = capsys.readouterr().out
    assert "FAILED Suites.Second: Bad\n       class is 3, expected 7\n" in output
    assert output.endswith("4 tests, 2 passed, 2 failed\nreport: out/report.html\n")
    assert cli.main(["test", "suites", "--out", "out", "--include", "good"]) == 0
    assert cli.main(["test", "suites", "--out", "out", "--exclude", "bad"]) == 0
    assert cli.main(["test", "suites", "--out", "out", "--include", "nosuchtag"]) == 2


def test_two_runs_into_one_folder_are_one_too_many(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    handle = os.open(out, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(BoardlessError, match="another run writes into it, expected a folder of"):
        run_suites(SuitePlan(tmp_path, out, TIMEOUT_S))
    os.close(handle)


def test_a_folder_without_suites_is_robots_own_message(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(BoardlessError, match="contains no tests or tasks"):
        run_suites(SuitePlan(tmp_path / "none", tmp_path / "out", TIMEOUT_S))
