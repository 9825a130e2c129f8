"""Requantising an int32 sum to int8, in the rounding that the artifact names.

`single`, the usual one, rounds once, half up: (sum × multiplier + 2^(shift−1)) >> shift. TensorFlow
Lite's reference kernels round twice (`double`); the two differ by one on a few outputs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from boardless_models.int8.scaling import Rounding, scaled
from boardless_sim.errors import ModelError

ROUNDING: Rounding = "single"
INT8_MINIMUM, INT8_MAXIMUM = -128, 127
MULTIPLIER_BITS = 31
# The kernels keep only the upper word of the 64-bit product, so a shift is at least 33; at most
# 62, so that half of the last place still fits that word.
LEAST_SHIFT, GREATEST_SHIFT = 33, 62


def largest_weight(bits: int) -> int:
    """The end of the symmetric grid that weights of so many bits stand on."""
    return (1 << (bits - 1)) - 1


def multiplier_and_shift(factor: float) -> tuple[int, int]:
    """The 31-bit multiplier and right shift that stand for a real factor below 1/4."""
    if not math.isfinite(factor) or factor <= 0.0:
        raise ModelError(f"requantise factor {factor}, expected a positive number")
    fraction, exponent = math.frexp(factor)
    multiplier = round(fraction * (1 << MULTIPLIER_BITS))
    if multiplier == 1 << MULTIPLIER_BITS:
        multiplier, exponent = multiplier // 2, exponent + 1
    shift = MULTIPLIER_BITS - exponent
    if not LEAST_SHIFT <= shift <= GREATEST_SHIFT:
        raise ModelError(
            f"requantise factor {factor:g} needs a shift of {shift}, "
            f"expected {LEAST_SHIFT} to {GREATEST_SHIFT}"
        )
    return multiplier, shift


def requantise(
    sums: NDArray[np.int64],
    multiplier: NDArray[np.int32],
    shift: NDArray[np.uint8],
    zero_point: int,
    rounding: Rounding = ROUNDING,
) -> NDArray[np.int8]:
    """int32 sums to int8; channels stand last in `sums`."""
    wide_shift = shift.astype(np.int64)
    rounded = scaled(sums, multiplier.astype(np.int64), MULTIPLIER_BITS - wide_shift, rounding)
    clipped = np.clip(rounded + zero_point, INT8_MINIMUM, INT8_MAXIMUM)
    return np.asarray(clipped, np.int8)
