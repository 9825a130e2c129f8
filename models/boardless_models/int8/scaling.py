"""Int8 grids, and TensorFlow Lite's requantising with any factor, in both of its roundings.

A factor is multiplier × 2^(exponent − 31). `double` rounds the doubled product's upper word, then
the right shift (gemmlowp; TensorFlow Lite's reference kernels); `single`, the usual one, rounds
once, half up. The two differ by one on a few outputs.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boardless_sim.errors import ModelError

Rounding = Literal["single", "double"]
ROUNDINGS: tuple[Rounding, ...] = ("single", "double")
ROUNDING: Rounding = "single"
INT8_MINIMUM, INT8_MAXIMUM = -128, 127
LEAST_EXPONENT, GREATEST_EXPONENT = -31, 30
# Multiplier and exponent.
Factor = tuple[int, int]
Integers = NDArray[np.int64]


def largest_weight(bits: int) -> int:
    """The end of the symmetric grid that weights of so many bits stand on."""
    return (1 << (bits - 1)) - 1


def quantize_multiplier(factor: float) -> Factor:
    """Multiplier and exponent of a positive factor; one too small to matter becomes zero."""
    if not math.isfinite(factor) or factor <= 0.0:
        raise ModelError(f"requantise factor {factor}, expected a positive number")
    fraction, exponent = math.frexp(factor)
    # Half away from zero, as TfLiteRound: `round` would take a tie to the even neighbour.
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, exponent = multiplier // 2, exponent + 1
    if exponent < LEAST_EXPONENT:
        return 0, 0
    if exponent > GREATEST_EXPONENT:
        raise ModelError(f"requantise factor {factor:g}, expected less than 2^{GREATEST_EXPONENT}")
    return multiplier, exponent


def scaled(values: Integers, multiplier: Integers, exponent: Integers, way: Rounding) -> Integers:
    """Values times a factor, rounded; arrays broadcast, channels stand last."""
    if way == "single":
        shift = 31 - exponent
        return np.asarray((values * multiplier + (np.int64(1) << (shift - 1))) >> shift)
    product = (values << np.maximum(exponent, 0)) * multiplier
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # The division truncates toward zero; a shift would round down.
    upper = np.where(nudged >= 0, nudged >> 31, -(-nudged >> 31))
    right = np.maximum(-exponent, 0)
    mask = (np.int64(1) << right) - 1
    threshold = (mask >> 1) + (upper < 0)
    return np.asarray((upper >> right) + ((upper & mask) > threshold))
