"""The board checks of a suite's tests, from the process that runs them to the one that reports.

A line of JSON a row, in a file of the output folder; pabot gives each of its processes a folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from boardless.running.board_checks import BoardCheck
from boardless_sim.errors import BoardlessError
from boardless_sim.files import read_text
from boardless_sim.finding import Grade
from boardless_sim.json_text import parse_json
from boardless_sim.visible import visible

FILE_NAME = "board-checks.jsonl"


@dataclass(frozen=True)
class TestCheck:
    """One row, and the test that saw it."""

    test: str
    check: BoardCheck


def append_checks(folder: Path, test: str, checks: Iterable[BoardCheck]) -> None:
    """Add a test's rows."""
    rows = [
        json.dumps({"test": test, **vars(check), "grade": check.grade.value}) for check in checks
    ]
    with (folder / FILE_NAME).open("a", encoding="utf-8") as stream:
        stream.writelines(f"{row}\n" for row in rows)


def read_checks(folder: Path) -> tuple[TestCheck, ...]:
    """Every row of the folder and of those in it. Raises `BoardlessError` for what is none."""
    return tuple(row for path in sorted(folder.rglob(FILE_NAME)) for row in _rows(path))


def clear_checks(folder: Path) -> None:
    """Remove what an earlier run left."""
    for path in folder.rglob(FILE_NAME):
        path.unlink(missing_ok=True)


def add_to_xunit(path: Path, checks: Iterable[TestCheck]) -> None:
    """The rows as output of the test cases that saw them; a failed test says it in its message."""
    by_test: dict[str, list[str]] = {}
    for row in checks:
        grade = "waived" if row.check.waived else row.check.grade.value
        by_test.setdefault(row.test, []).append(f"board check, {grade}: {row.check}")
    if not by_test:
        return
    tree = ElementTree.parse(path)
    for case in tree.iter("testcase"):
        rows = by_test.get(f"{case.get('classname')}.{case.get('name')}")
        if rows:
            ElementTree.SubElement(case, "system-out").text = visible("; ".join(rows))
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _rows(path: Path) -> Iterable[TestCheck]:
    expected = "rows of board checks"
    try:
        for line in read_text(path, expected).splitlines():
            row = parse_json(line, path, expected)
            test = row.pop("test")
            yield TestCheck(test, BoardCheck(**{**row, "grade": Grade(row["grade"])}))
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        raise BoardlessError(f"{path}: {error}, expected {expected}") from error
