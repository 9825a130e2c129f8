"""What each test made its boards say, as one digest: two runs of a test must have the same.

A line of JSON a test, in a file of the output folder; pabot gives each of its processes a folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.errors import BoardlessError
from boardless_sim.files import read_text
from boardless_sim.json_text import parse_json

FILE_NAME = "fingerprints.jsonl"
_EXPECTED = "fingerprints of tests"


@dataclass(frozen=True)
class CaseFingerprint:
    """A test's verdict and the digest of its boards; empty for an engine that promises none."""

    passed: bool
    digest: str


def append_fingerprint(folder: Path, test: str, found: CaseFingerprint) -> None:
    """Add a test's."""
    row = json.dumps({"test": test, "passed": found.passed, "digest": found.digest})
    with (folder / FILE_NAME).open("a", encoding="utf-8") as stream:
        stream.write(f"{row}\n")


def read_fingerprints(folder: Path) -> dict[str, CaseFingerprint]:
    """Every test's of the folder and of those in it. Raises `BoardlessError` for what is none."""
    found = {}
    for path in sorted(folder.rglob(FILE_NAME)):
        try:
            for line in read_text(path, _EXPECTED).splitlines():
                row = parse_json(line, path, _EXPECTED)
                found[row["test"]] = CaseFingerprint(row["passed"], row["digest"])
        except (AttributeError, ValueError, TypeError, KeyError) as error:
            raise BoardlessError(f"{path}: {error}, expected {_EXPECTED}") from error
    return found


def clear_fingerprints(folder: Path) -> None:
    """Remove what an earlier run left."""
    for path in folder.rglob(FILE_NAME):
        path.unlink(missing_ok=True)


def flaky_tests(runs: Sequence[Mapping[str, CaseFingerprint]]) -> dict[str, str]:
    """The tests that were not alike in every run, and in what they differed from the first."""
    found: dict[str, str] = {}
    for number, run in enumerate(runs[1:], start=2):
        for test in [*runs[0], *(test for test in run if test not in runs[0])]:
            difference = _difference(runs[0].get(test), run.get(test))
            if difference and test not in found:
                found[test] = f"run {number} differs from run 1 in {difference}"
    return found


def _difference(one: CaseFingerprint | None, other: CaseFingerprint | None) -> str:
    if one is None or other is None:
        return "which tests there were"
    if one.passed != other.passed:
        return "its verdict"
    return "what its boards said" if one.digest != other.digest else ""
