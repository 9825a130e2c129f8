"""Measurement and budgets to a verdict. Pure: no file is read here."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boardless.gate.diff import Baseline, compare
from boardless.gate.growth import explained, growth_rows, not_grown
from boardless.gate.stack_diff import Stacks
from boardless.gate.verdict import Row, Verdict
from boardless.project.config import Budgets, SizeBudget
from boardless.project.limits import RegionBudget, Waiver
from boardless.size.measure import ELSEWHERE, Measurement
from boardless_sim.errors import AnalyserError

if TYPE_CHECKING:
    from boardless_sim.engines.engine import StackMark

NO_RUN = "no run measured it, expected one with a stack mark"


@dataclass(frozen=True)
class TaskBound:
    """A thread's stack, with a maximum of its own or without."""

    name: str
    bytes: int | None
    max_bytes: int | None
    grade: str


@dataclass(frozen=True)
class Bound:
    """What the analysis of an ELF says of its worst-case stack; `bytes` None: unbounded.

    `cold_bytes` counts calls that never return too; None: nothing is known, and no run may use more
    than the larger of the two. `document` is the analysis's own account, as it stands in the JSON;
    `where` is the entry's source line, if the budget is broken.
    """

    bytes: int | None
    grade: str
    reason: str = ""
    stacks: Stacks | None = None
    where: tuple[str, int] | None = None
    document: dict[str, object] | None = None
    cold_bytes: int | None = None
    tasks: tuple[TaskBound, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def most_bytes(self) -> int | None:
        """What no run may use more than."""
        if self.bytes is None or self.cold_bytes is None:
            return None
        return max(self.bytes, self.cold_bytes)


@dataclass(frozen=True)
class Evidence:
    """What a verdict may need beside the ELF. `no_mark`: why no stack was measured."""

    today: datetime.date
    mark: StackMark | None = None
    no_mark: str = NO_RUN
    bound: Bound | None = None
    base: Baseline | None = None


def decide(measurement: Measurement, budgets: Budgets, evidence: Evidence) -> Verdict:
    """One row a figure; what a budget names and the ELF does not have fails.

    Raises `AnalyserError` where a run went deeper than the bound, and where sums do not close.
    """
    _cross_check(measurement, evidence)
    _ = measurement.parts  # raises where the sum does not close
    rows = [
        *_regions(measurement, budgets.regions),
        *(_size(measurement, budget) for budget in budgets.sizes),
        Row("size", "static-ram", measurement.static_ram, budgets.static_ram_max),
        *_stack(measurement, budgets, evidence),
    ]
    rows = _with_reasons(rows, budgets)
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
        notes=(*_notes(measurement, rows, evidence), *not_grown(budgets, diff)),
        today=evidence.today.isoformat(),
        diff=diff,
        measurement=measurement,
        stack_bound=(evidence.bound.document or {}) if evidence.bound is not None else {},
        stacks=evidence.bound.stacks if evidence.bound is not None else None,
    )


def _cross_check(measurement: Measurement, evidence: Evidence) -> None:
    mark, bound = evidence.mark, evidence.bound
    if mark is None or bound is None or bound.most_bytes is None:
        return
    if mark.used_bytes <= bound.most_bytes:
        return
    raise AnalyserError(
        f"{measurement.layout.path}: a run used {mark.used_bytes} bytes of stack (deepest in "
        f"{mark.lowest_function}), expected at most the bound of {bound.most_bytes} ({bound.grade})"
    )


def _regions(measurement: Measurement, budgets: Sequence[RegionBudget]) -> Iterator[Row]:
    maxima = {budget.name: budget.max_bytes for budget in budgets}
    kinds = {region.name: region.kind for region in measurement.placed_in}
    for name, size in measurement.regions.items():
        maximum, reason = maxima.get(name), ""
        if maximum is not None and not size and kinds.get(name) == "flash":
            reason = "nothing is loaded there, nothing was measured"
        if name == ELSEWHERE and maxima:
            reason = "in no region: say where with [budget.region.NAME] kind, origin, length"
        yield Row("region", name, size, maximum, reason)
    for name, maximum in maxima.items():
        if name not in measurement.regions:
            known = ", ".join(measurement.regions)
            yield Row("region", name, None, maximum or 0, f"no such region, the ELF has {known}")


def _size(measurement: Measurement, budget: SizeBudget) -> Row:
    row = Row("size", budget.name, None, budget.max_bytes)
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


def _stack(measurement: Measurement, budgets: Budgets, evidence: Evidence) -> Iterator[Row]:
    bound = evidence.bound
    if bound is not None:
        reason = bound.reason if bound.bytes is None and budgets.stack_max is not None else ""
        maximum = budgets.stack_max
        row = Row("stack", "bound", bound.bytes, maximum, reason, where=bound.where)
        yield replace(row, grade=bound.grade)
        if bound.cold_bytes != bound.bytes:
            yield Row("stack", "cold", bound.cold_bytes, None)
        for task in bound.tasks:
            budgeted = task.bytes is None and task.max_bytes is not None
            why = "unbounded" if budgeted else ""
            row = Row("stack", f"task {task.name}", task.bytes, task.max_bytes, why)
            yield replace(row, grade=task.grade)
    elif budgets.stack_max is not None:
        yield Row("stack", "bound", None, budgets.stack_max, "the stack was not analysed")
    mark, maximum = evidence.mark, budgets.measured_stack_max
    if mark is not None:
        yield Row("stack", "measured", mark.used_bytes, maximum)
    elif maximum is not None:
        yield Row("stack", "measured", None, maximum, evidence.no_mark)
    if measurement.reserved_stack:
        yield Row("stack", "reserved", measurement.reserved_stack, None)


def _with_reasons(rows: Sequence[Row], budgets: Budgets) -> list[Row]:
    """The file's own words for each maximum."""
    why = {f"region.{budget.name}": budget.reason for budget in budgets.regions}
    why |= {f"size.{budget.name}": budget.reason for budget in budgets.sizes}
    given = dict(budgets.reasons)
    why["size.static-ram"] = given.get("static-ram", "")
    why["stack.bound"] = why["stack.measured"] = given.get("stack", "")
    return [replace(row, why=why.get(row.key, "")) for row in rows]


def _as_base(measurement: Measurement, rows: Sequence[Row], evidence: Evidence) -> Baseline:
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


def _waived(rows: list[Row], waivers: Sequence[Waiver], today: datetime.date) -> list[Row]:
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
        found.append(Row("waiver", waiver.budget, waiver.bytes, None, reason, why=why))
    return found


def _notes(measurement: Measurement, rows: Sequence[Row], evidence: Evidence) -> Iterator[str]:
    if measurement.basis and measurement.basis != "STM32F407VG":
        yield f"regions: {measurement.basis}"
    if measurement.layout.is_stripped:
        yield "stripped ELF: sizes of regions and sections only, no symbol, no stack bound"
    if evidence.bound is not None:
        yield from evidence.bound.notes
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
