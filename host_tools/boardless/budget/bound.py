"""The worst-case stack of an ELF, as a verdict needs it."""

from __future__ import annotations

from boardless.budget.decide import Bound
from boardless.budget.measure import Measurement
from boardless.config import Config


def stack_bound(measurement: Measurement, config: Config) -> Bound | None:
    """The bound; None where no analysis was asked for. A stripped ELF is unbounded."""
    if measurement.layout.is_stripped:
        return Bound(None, "unbounded", "unbounded: stripped (no .symtab)")
    return None
