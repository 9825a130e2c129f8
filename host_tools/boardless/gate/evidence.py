"""What a verdict may need beside the ELF."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boardless.gate.bound import StackBound
from boardless.gate.diff import Baseline

if TYPE_CHECKING:
    from boardless_sim.engines.engine import StackMark

NO_RUN = "no run measured it, expected one with a stack mark"


@dataclass(frozen=True)
class VerdictBasis:
    """The day, a run, the analysis, the base. `no_mark`: why no stack was measured.

    `mark_note`: what a reader must know of the run; `mark_problem`: what ended it.
    """

    today: datetime.date
    mark: StackMark | None = None
    no_mark: str = NO_RUN
    bound: StackBound | None = None
    base: Baseline | None = None
    mark_note: str = ""
    mark_problem: str = ""
