"""Workflow commands of GitHub Actions: the worst ten as errors at file and line."""

from __future__ import annotations

from collections.abc import Iterator

from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.config import Config
from boardless.report.verdict.places import place_of

MOST = 10  # GitHub shows no more of one kind a step


def commands(verdict: Verdict, config: Config) -> Iterator[str]:
    """One line each; a name in an ELF cannot start a command of its own."""
    failed = sorted(verdict.failed, key=lambda row: -_weight(row))
    for row in failed[:MOST]:
        file, line = place_of(row, verdict, config)
        at = f"file={_property(file)},line={line},title={_property(f'budget {row.name}')}"
        yield f"::error {at}::{_data(row.account())}"
    if not failed and not verdict.passed:
        yield f"::error ::{_data(verdict.line)}"
    for note in verdict.notes[:MOST]:
        yield f"::warning title=budget::{_data(note)}"


def _weight(row: VerdictRow) -> float:
    """Not measured at all is worst; then the share over the maximum."""
    if row.reason or row.bytes is None:
        return float("inf")
    return row.over / max(1, row.max_bytes or 0)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
