"""The stack's rows: the worst case, the run's mark, and whether either fits into the memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from boardless.gate.bound import StackBound
from boardless.gate.evidence import VerdictBasis
from boardless.gate.verdict import VerdictRow
from boardless.project.budgets import Budgets
from boardless.size.measure import Measurement
from boardless.size.room import StackRoom, stack_room
from boardless.stack.report import Confidence


def stack_rows(
    measurement: Measurement, budgets: Budgets, evidence: VerdictBasis
) -> Iterator[VerdictRow]:
    """Every figure of a stack that there is, or why a budgeted one is missing."""
    room = stack_room(measurement)
    yield from _worst_case(budgets, evidence.bound, room)
    if evidence.mark is not None:
        used = evidence.mark.used_bytes
        found = (_overflow(room, used), evidence.mark_problem)
        yield VerdictRow(
            "stack", "measured", used, reason="; ".join(part for part in found if part)
        )
    elif budgets.get("stack.measured") is not None:
        yield VerdictRow("stack", "measured", None, reason=evidence.no_mark)
    if measurement.reserved_stack:
        yield VerdictRow("stack", "reserved", measurement.reserved_stack)


def _worst_case(
    budgets: Budgets, bound: StackBound | None, room: StackRoom | None
) -> Iterator[VerdictRow]:
    is_held = budgets.max_of("stack.bound") is not None
    if bound is None:
        if is_held:
            yield VerdictRow("stack", "bound", None, reason="the stack was not analysed")
        return
    is_open = bound.is_wrong or (bound.bytes is None and is_held)
    reason = bound.reason if is_open else ""
    if bound.bytes is not None and (is_held or bound.grade != Confidence.ASSUMED):
        # a figure that rests on suppositions fails nothing that nobody asked for
        reason = _overflow(room, bound.bytes)
    row = VerdictRow("stack", "bound", bound.bytes, reason=reason, where=bound.where)
    yield replace(row, grade=bound.grade)
    if bound.cold_bytes != bound.bytes:
        yield VerdictRow("stack", "cold", bound.cold_bytes)
    for task in () if bound.report is None else bound.report.tasks:
        row = VerdictRow("stack", f"task {task.name}", task.bound_bytes, grade=task.grade)
        is_held = budgets.max_of(row.key) is not None
        reason = "unbounded" if task.bound_bytes is None and is_held else ""
        if is_held or task.grade != Confidence.ASSUMED:
            reason = reason or task.complaint()
        yield replace(row, reason=reason)


def _overflow(room: StackRoom | None, used: int) -> str:
    return "" if room is None else room.complaint(used)
