"""How good the constants of the cycle table are for a program that had no say in them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from boardless_sim.core.timing import REFILL, Refill

CHOICES = tuple(
    Refill(direct, conditional, indirect, straddle)
    for direct, conditional, indirect, straddle in itertools.product(
        (1, 2, 3), (1, 2, 3), (1, 2, 3), (0, 1)
    )
    if max(direct, conditional, indirect) + straddle <= 3
)  # every one that the manual allows


@dataclass(frozen=True)
class Counted:
    """One program: cycles by the table and by the board, how often each constant was paid."""

    estimated: int
    measured: int
    paid: Refill

    def estimate(self, refill: Refill) -> int:
        """What the table would say with other constants."""
        changes = (new - now for new, now in zip(refill, REFILL, strict=True))
        return self.estimated + sum(
            change * times for change, times in zip(changes, self.paid, strict=True)
        )

    def squared_error(self, refill: Refill) -> float:
        """Of the logarithm of estimated over measured."""
        return math.log(self.estimate(refill) / self.measured) ** 2


def best(programs: Sequence[Counted]) -> Refill:
    """The constants with the least squared error over all programs; of equals the first."""
    return min(CHOICES, key=lambda refill: sum(c.squared_error(refill) for c in programs))


def chosen_by_others(programs: Sequence[Counted]) -> list[Refill]:
    """For each program the best constants of all the others."""
    return [best([*programs[:i], *programs[i + 1 :]]) for i in range(len(programs))]
