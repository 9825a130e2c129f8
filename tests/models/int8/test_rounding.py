from __future__ import annotations

import math

import numpy as np
import pytest

from boardless_models.int8.rounding import multiplier_and_shift, requantise
from boardless_sim.errors import ModelError


def one(total: int, multiplier: int, shift: int, zero_point: int = 0) -> int:
    result = requantise(
        np.array([total], np.int64),
        np.array([multiplier], np.int32),
        np.array([shift], np.uint8),
        zero_point,
    )
    return int(result[0])


@pytest.mark.parametrize(
    ("total", "expected"),
    # multiplier / 2^shift is 1/8, so that 4 stands for a half.
    [(0, 0), (3, 0), (4, 1), (11, 1), (12, 2), (-4, 0), (-5, -1), (-12, -1), (-13, -2)],
)
def test_halves_round_up(total: int, expected: int) -> None:
    assert one(total, 1 << 30, 33) == expected


def test_output_saturates_after_the_zero_point() -> None:
    assert one(8 * 1000, 1 << 30, 33, -128) == 127
    assert one(8 * 255, 1 << 30, 33, -128) == 127
    assert one(8 * 254, 1 << 30, 33, -128) == 126
    assert one(-8 * 1000, 1 << 30, 33, 100) == -128


@pytest.mark.parametrize("factor", [0.2499, 0.1, 1e-3, 7.3e-7, 2.0**-31])
def test_multiplier_and_shift_stand_for_the_factor(factor: float) -> None:
    multiplier, shift = multiplier_and_shift(factor)
    assert 1 << 30 <= multiplier < 1 << 31
    assert math.isclose(math.ldexp(multiplier, -shift), factor, rel_tol=2.0**-31)


def test_multiplier_that_rounds_up_to_the_next_power_keeps_31_bits() -> None:
    assert multiplier_and_shift(math.nextafter(0.125, 0.0)) == (1 << 30, 33)


@pytest.mark.parametrize("factor", [0.25, 3.0, 0.0, -1.0, math.inf, math.nan, 1e-30])
def test_factor_out_of_the_kernels_reach_is_refused(factor: float) -> None:
    with pytest.raises(ModelError, match="requantise factor"):
        multiplier_and_shift(factor)


def test_the_upper_word_alone_gives_the_same_result() -> None:
    """What the C kernels do: floor the product to its upper word, then add the half."""
    random = np.random.default_rng(7)
    multipliers = random.integers(1 << 30, 1 << 31, 20_000).astype(np.int32)
    for shift in (33, 34, 40, 62):
        # About as many sums as saturate do not.
        reach = min(1 << (shift - 23), (1 << 31) - 1)
        totals = random.integers(-reach, reach, 20_000)
        upper = (totals * multipliers) >> 32
        halved = (upper + (1 << (shift - 33))) >> (shift - 32)
        found = requantise(totals, multipliers, np.full(20_000, shift, np.uint8), 0)
        assert np.array_equal(found, np.clip(halved, -128, 127))
