"""The figures that `[budget.NAME]` holds to a maximum: how each is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from boardless.gate.verdict import VerdictRow
from boardless.project.budgets import Budgets
from boardless.size.measure import Measurement

# One entry a name of `project/budgets.py`'s FIGURES.
MEASURES: Mapping[str, Callable[[Measurement], int]] = {
    "static-ram": lambda found: found.static_ram,
}
_ALWAYS_SHOWN = frozenset({"static-ram"})


def figure_rows(measurement: Measurement, budgets: Budgets) -> Iterator[VerdictRow]:
    """A row for every figure that has a budget; some are worth a row without one."""
    for name, measured in MEASURES.items():
        row = VerdictRow("size", name, None)
        if name in _ALWAYS_SHOWN or budgets.get(row.key) is not None:
            yield VerdictRow("size", name, measured(measurement))
