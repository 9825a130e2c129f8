"""Growth against a base: what it is held to, and the symbols that caused it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from boardless.gate.change import Change
from boardless.gate.diff import Diff, cause
from boardless.gate.verdict import VerdictRow
from boardless.project.budgets import Budget, Budgets
from boardless.size.measure import Measurement

NO_BASE = "no base to grow from, expected --base or a budget.lock beside the config"


def explained(
    row: VerdictRow, diff: Diff | None, measurement: Measurement, budgets: Budgets
) -> VerdictRow:
    """Why a failing figure is larger than the base's."""
    if diff is None or row.ok or row.bytes is None:
        return row
    if row.key == "stack.bound":
        return replace(row, cause=diff.stack_cause)
    if row.kind == "stack":
        path = next((path for path in diff.stacks if path.name == row.name), None)
        return replace(row, cause=path.cause if path is not None else "")
    name = row.name.removesuffix(".growth")
    grown = next((c for c in (*diff.regions, *diff.sizes) if c.name == name), None)
    if grown is None or grown.delta <= diff.noise:
        return row
    symbols = _symbols_of(name, measurement, budgets)
    return replace(row, cause=f"{grown.delta:+,} against the base, {cause(diff, symbols)}")


def _symbols_of(name: str, measurement: Measurement, budgets: Budgets) -> set[str] | None:
    """The symbols that a budget is about; None where it cannot be told."""
    if name in measurement.regions:
        return {part.name for part in measurement.parts if part.region == name}
    budget = next((budget for budget in budgets.sizes if budget.name == name), None)
    if budget is None or budget.what not in ("symbol", "section"):
        return None
    return {
        part.name
        for part in measurement.parts
        if measurement.matches(
            part.name if budget.what == "symbol" else part.section, budget.patterns
        )
    }


def growth_rows(budgets: Budgets, diff: Diff | None) -> Iterator[VerdictRow]:
    """One row a greatest growth; without a base each of them fails."""
    for budget in _growing(budgets):
        row = VerdictRow(
            "growth", f"{budget.name}.growth", None, budget.max_growth, owner=budget.owner
        )
        found = None if diff is None else _change_of(budget, diff)
        if diff is None:
            yield replace(row, reason=NO_BASE)
        elif found is None or found.after is None:
            yield replace(row, reason="not measured in the ELF")
        elif found.before is not None:
            yield replace(row, bytes=found.delta)


def not_grown(budgets: Budgets, diff: Diff | None) -> Iterator[str]:
    """Notes on budgets that the base does not have yet."""
    for budget in _growing(budgets):
        found = None if diff is None else _change_of(budget, diff)
        if found is not None and found.before is None and found.after is not None:
            yield f"{budget.name}.growth: the base does not have it, nothing to grow from yet"


def _growing(budgets: Budgets) -> Iterator[Budget]:
    return (budget for budget in budgets.held if budget.max_growth is not None)


def _change_of(budget: Budget, diff: Diff) -> Change | None:
    """What became of a budget's figure."""
    if budget.key == "stack.bound":
        return diff.stack
    changes = diff.regions if budget.kind == "region" else diff.sizes
    if budget.kind == "stack":
        changes = tuple(path.change for path in diff.stacks)
    return next((change for change in changes if change.name == budget.name), None)
