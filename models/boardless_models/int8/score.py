"""The winner's softmax as a percentage, in integers alone: powers of two and a small table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRACTION_BITS = 4
STEP_BITS = 8
TABLE = tuple(
    round((1 << 15) * math.pow(2.0, -entry / (1 << FRACTION_BITS)))
    for entry in range(1 << FRACTION_BITS)
)
ONE = TABLE[0]


@dataclass(frozen=True)
class Decision:
    """The class with the highest logit (the lowest index on a tie) and its percentage."""

    class_index: int
    score: int


def score_step(logit_scale: float) -> int:
    """How much one step of an int8 logit lowers the exponent of two, in 1/4096."""
    return round(logit_scale * math.log2(math.e) * (1 << (FRACTION_BITS + STEP_BITS)))


def decide(logits: NDArray[np.int8], step: int) -> Decision:
    """Class and score of one frame's int8 logits."""
    values = [int(value) for value in logits]
    highest = max(values)
    total = sum(exponential((highest - value) * step) for value in values)
    return Decision(values.index(highest), (100 * ONE + total // 2) // total)


def exponential(distance: int) -> int:
    """2 to the power of −distance/4096, as a multiple of 1/32768."""
    sixteenths = (distance + (1 << (STEP_BITS - 1))) >> STEP_BITS
    whole, fraction = divmod(sixteenths, 1 << FRACTION_BITS)
    return TABLE[fraction] >> whole
