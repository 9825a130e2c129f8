"""Measurement and budgets to a verdict. Pure: no file is read here."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from boardless.gate.diff import Baseline, compare
from boardless.gate.evidence import NO_RUN, VerdictBasis
from boardless.gate.figures import figure_rows
from boardless.gate.growth import explained, growth_rows, not_grown
from boardless.gate.memory import basis_notes, region_problem
from boardless.gate.stack_rows import stack_rows
from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.budgets import Budgets, SizeBudget, Waiver
from boardless.size.measure import Measurement
from boardless_sim.errors import AnalyserError

if TYPE_CHECKING:
    pass

_REVIEW_DAYS = 14


def decide(measurement: Measurement, budgets: Budgets, evidence: VerdictBasis) -> Verdict:
    """One row a figure; what a budget names and the ELF does not have fails.

    Raises `AnalyserError` where a run went deeper than the bound, and where sums do not close.
    """
    _cross_check(measurement, evidence)
    _ = measurement.parts  # raises where the sum does not close
    rows = [
        row.held_to(budgets.get(row.key))
        for row in (
            *_regions(measurement, budgets),
            *(_size(measurement, budget) for budget in budgets.sizes),
            *figure_rows(measurement, budgets),
            *stack_rows(measurement, budgets, evidence),
        )
    ]
    diff = None
    if evidence.base is not None:
        diff = compare(evidence.base, _as_base(measurement, rows, evidence), budgets.noise)
    rows += growth_rows(budgets, diff)
    rows = [explained(row, diff, measurement, budgets) for row in rows]
    rows = _waived(rows, budgets.waivers, evidence.today)
    return Verdict(
        image=str(measurement.layout.path),
        rows=tuple(rows),
        mark=evidence.mark,
        notes=(*_notes(measurement, rows, evidence, budgets.waivers), *not_grown(budgets, diff)),
        today=evidence.today.isoformat(),
        diff=diff,
        measurement=measurement,
        bound=evidence.bound,
    )


def _cross_check(measurement: Measurement, evidence: VerdictBasis) -> None:
    mark, bound = evidence.mark, evidence.bound
    if mark is None or bound is None or bound.most_bytes is None:
        return
    moved = frozenset() if bound.report is None else bound.report.move_sp
    if mark.used_bytes <= bound.most_bytes or mark.lowest_function in moved:
        return
    raise AnalyserError(
        f"{measurement.layout.path}: a run used {mark.used_bytes} bytes of stack (deepest in "
        f"{mark.lowest_function}), expected at most the bound of {bound.most_bytes} ({bound.grade})"
    )


def _regions(measurement: Measurement, budgets: Budgets) -> Iterator[VerdictRow]:
    held = budgets.of_kind("region")
    for name, size in measurement.regions.items():
        is_held = budgets.max_of(f"region.{name}") is not None
        yield VerdictRow("region", name, size, None, region_problem(measurement, name, is_held))
    for budget in held:
        if budget.name not in measurement.regions:
            known = ", ".join(measurement.regions)
            yield VerdictRow("region", budget.name, None, 0, f"no such region, the ELF has {known}")


def _size(measurement: Measurement, budget: SizeBudget) -> VerdictRow:
    row = VerdictRow("size", budget.name, None)
    if problem := measurement.problem(budget.what):
        return replace(row, reason=problem)
    found = {pattern: measurement.bytes_of(budget.what, (pattern,)) for pattern in budget.patterns}
    if budget.expect == "absent":
        there = [repr(pattern) for pattern, size in found.items() if size is not None]
        total = measurement.bytes_of(budget.what, budget.patterns) or 0
        return replace(
            row,
            bytes=total,
            reason=f"{', '.join(there)} is there, expected absent" if there else "",
        )
    missing = [repr(pattern) for pattern, size in found.items() if size is None]
    if missing:
        return replace(row, reason=f"no {budget.what} matches {', '.join(missing)}")
    total = measurement.bytes_of(budget.what, budget.patterns) or 0
    empty = f"its {budget.what}s have no bytes in the ELF, nothing was measured"
    is_empty = not total and budget.expect == "bytes"
    return replace(row, bytes=total, reason=empty if is_empty else "")


def _as_base(
    measurement: Measurement, rows: Sequence[VerdictRow], evidence: VerdictBasis
) -> Baseline:
    sizes = {row.name: row.bytes for row in rows if row.kind == "size" and row.bytes is not None}
    bound = evidence.bound
    return Baseline(
        label="",
        regions=measurement.regions,
        sizes=sizes,
        symbols=measurement.symbols,
        maxima={},
        reasons={},
        stack_bytes=None if bound is None else bound.bytes,
        stacks=None if bound is None else bound.stacks,
    )


def _waived(
    rows: list[VerdictRow], waivers: Sequence[Waiver], today: datetime.date
) -> list[VerdictRow]:
    """Maxima raised by what is waived; a waiver that is over, or for nothing, fails by itself."""
    found = list(rows)
    for waiver in waivers:
        place = next(
            (n for n, row in enumerate(rows) if waiver.budget in (row.name, row.key)), None
        )
        reason = ""
        if place is None or found[place].max_bytes is None:
            reason = "no budget of that name"
        elif today > waiver.expires:
            reason = f"expired on {waiver.expires}, today is {today}"
        else:
            found[place] = replace(found[place], waived=found[place].waived + waiver.bytes)
        why = f"{waiver.reason} (until {waiver.expires})"
        found.append(VerdictRow("waiver", waiver.budget, waiver.bytes, None, reason, why=why))
    return found


def _ending_soon(waivers: Sequence[Waiver], today: datetime.date) -> Iterator[str]:
    """What must be looked at again before it fails by itself, the next to end first."""
    for waiver in sorted(waivers, key=lambda waiver: waiver.expires):
        days = (waiver.expires - today).days
        if 0 <= days <= _REVIEW_DAYS:
            yield f"waiver of {waiver.budget} ends on {waiver.expires}, in {days} days"


def _notes(
    measurement: Measurement,
    rows: Sequence[VerdictRow],
    evidence: VerdictBasis,
    waivers: Sequence[Waiver],
) -> Iterator[str]:
    yield from basis_notes(measurement)
    if measurement.layout.is_stripped:
        yield "stripped ELF: sizes of regions and sections only, no symbol, no stack bound"
    if evidence.bound is not None:
        yield from evidence.bound.notes
    yield from _ending_soon(waivers, evidence.today)
    if evidence.mark_note:
        yield evidence.mark_note
    if evidence.mark is None and evidence.no_mark != NO_RUN:
        yield f"stack not measured: {evidence.no_mark}"
    if evidence.base is None:
        return
    if evidence.base.no_stacks:
        yield f"stack paths not compared: {evidence.base.no_stacks}"
    for row in rows:
        before = evidence.base.maxima.get(row.key)
        if before is None or row.max_bytes is None or row.max_bytes <= before:
            continue
        if not row.why or row.why == evidence.base.reasons.get(row.key):
            yield (
                f"{row.key}: maximum raised from {before:,} to {row.max_bytes:,} without a reason "
                '(reason = "…" beside its max)'
            )
