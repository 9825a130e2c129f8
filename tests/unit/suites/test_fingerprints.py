"""Tests that differ between two runs are told by name, and in what they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless.suites.fingerprints import (
    CaseFingerprint,
    append_fingerprint,
    clear_fingerprints,
    flaky_tests,
    read_fingerprints,
)
from boardless.suites.runner import SuitePlan, robot_command, run_suites
from boardless_sim.errors import BoardlessError

FIRST = {"a": CaseFingerprint(True, "11"), "b": CaseFingerprint(True, "22")}


def test_runs_that_are_alike_have_no_flaky_test() -> None:
    assert flaky_tests([FIRST, dict(reversed(FIRST.items())), FIRST]) == {}


def test_each_difference_has_its_words() -> None:
    second = {**FIRST, "a": CaseFingerprint(True, "12")}
    third = {"b": CaseFingerprint(False, "22"), "c": CaseFingerprint(True, "33")}
    assert flaky_tests([FIRST, second, third]) == {
        "a": "run 2 differs from run 1 in what its boards said",
        "b": "run 3 differs from run 1 in its verdict",
        "c": "run 3 differs from run 1 in which tests there were",
    }


def test_they_go_through_a_file_in_any_folder_below(tmp_path: Path) -> None:
    (tmp_path / "pabot").mkdir()
    append_fingerprint(tmp_path, "a", FIRST["a"])
    append_fingerprint(tmp_path / "pabot", "b", FIRST["b"])
    assert read_fingerprints(tmp_path) == FIRST
    clear_fingerprints(tmp_path)
    assert read_fingerprints(tmp_path) == {}


def test_a_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "fingerprints.jsonl").write_text('{"test": "a"}\n')
    with pytest.raises(BoardlessError, match="expected fingerprints of tests"):
        read_fingerprints(tmp_path)


def test_a_seed_is_the_order_of_the_tests(tmp_path: Path) -> None:
    plan = SuitePlan(tmp_path, tmp_path / "out", 60, shuffle=7)
    command = robot_command(plan)
    assert command[command.index("--randomize") + 1] == "all:7"
    assert "--randomize" not in robot_command(SuitePlan(tmp_path, tmp_path / "out", 60))


SUITE = """*** Settings ***
Library    Boardless
Library    {library}

*** Test Cases ***
Steady
    No Operation

Moody
    Sometimes Fail
"""
MOODY = """from pathlib import Path

def sometimes_fail():
    mark = Path(__file__).with_name("ran")
    if mark.exists():
        raise AssertionError("not again")
    mark.touch()
"""


def test_a_test_that_is_moody_fails_by_its_name(tmp_path: Path) -> None:
    library = tmp_path / "Moody.py"
    library.write_text(MOODY)
    suite = tmp_path / "moods.robot"
    suite.write_text(SUITE.format(library=library))
    outcome = run_suites(SuitePlan(suite, tmp_path / "out", 120, repeat=2))
    assert not outcome.passed
    assert [row.name for row in outcome.rows] == ["run 1: Moods", "run 2: Moods", "flaky"]
    (failed,) = outcome.rows[-1].failures
    assert failed.name == "Moods.Moody"
    assert failed.message == "flaky: run 2 differs from run 1 in its verdict"
