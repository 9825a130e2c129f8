"""Measurement and budgets to a verdict. Pure: no file is read here."""

from __future__ import annotations

from collections.abc import Iterator

from boardless.budget.measure import Measurement
from boardless.budget.verdict import Row, Verdict
from boardless.config import Budgets, SizeBudget
from boardless_sim.engines.engine import StackMark

NO_RUN = "no run measured it, expected one with a stack mark"


def decide(measurement: Measurement, budgets: Budgets, stack: StackMark | None) -> Verdict:
    """One row a figure; what a budget names and the ELF does not have fails."""
    return Verdict(
        image=str(measurement.layout.path),
        rows=(
            *_regions(measurement, dict(budgets.regions)),
            *(_size(measurement, budget) for budget in budgets.sizes),
            Row("size", "static-ram", measurement.static_ram, budgets.static_ram_max),
            *_stack(measurement, budgets.measured_stack_max, stack),
        ),
        stack_function=stack.lowest_function if stack is not None else "",
    )


def _regions(measurement: Measurement, maxima: dict[str, int]) -> Iterator[Row]:
    for name, size in measurement.regions.items():
        yield Row("region", name, size, maxima.get(name))


def _size(measurement: Measurement, budget: SizeBudget) -> Row:
    by_symbol = budget.what == "symbol"
    measured = measurement.symbol_bytes if by_symbol else measurement.section_bytes
    missing = [pattern for pattern in budget.patterns if measured((pattern,)) is None]
    if missing:
        names = ", ".join(repr(pattern) for pattern in missing)
        return Row("size", budget.name, None, budget.max_bytes, f"no {budget.what} matches {names}")
    total = measured(budget.patterns)
    reason = "" if total else f"its {budget.what}s have no bytes in the ELF, nothing was measured"
    return Row("size", budget.name, total, budget.max_bytes, reason)


def _stack(measurement: Measurement, maximum: int | None, stack: StackMark | None) -> Iterator[Row]:
    if stack is not None:
        yield Row("stack", "measured", stack.used_bytes, maximum)
    elif maximum is not None:
        yield Row("stack", "measured", None, maximum, NO_RUN)
    if measurement.reserved_stack:
        yield Row("stack", "reserved", measurement.reserved_stack, None)
