"""Who is asked about what is broken: the budget's owner, else whoever owns the place of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from boardless.gate.verdict import Verdict
from boardless.project.codeowners import load_codeowners
from boardless.project.config import Config
from boardless.report.verdict.places import place_of


def with_owners(verdict: Verdict, config: Config, root: Path = Path()) -> Verdict:
    """The verdict with owners by CODEOWNERS where a broken row has none of its own."""
    if all(row.ok or row.owner for row in verdict.rows):
        return verdict
    owners = load_codeowners(root)
    if not owners.lines:
        return verdict
    rows = (
        row
        if row.ok or row.owner
        else replace(row, owner=owners.of(place_of(row, verdict, config)[0]))
        for row in verdict.rows
    )
    return replace(verdict, rows=tuple(rows))
