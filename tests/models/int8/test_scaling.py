from __future__ import annotations

import math

import numpy as np
import pytest

from boardless_models.int8.scaling import quantize_multiplier, scaled
from boardless_sim.errors import ModelError


def one(total: int, multiplier: int, exponent: int) -> int:
    factor = np.array(multiplier, np.int64), np.array(exponent, np.int64)
    return int(scaled(np.array(total, np.int64), *factor, "single"))


@pytest.mark.parametrize(
    ("total", "expected"),
    # multiplier × 2^(exponent - 31) is 1/8, so that 4 stands for a half.
    [(0, 0), (3, 0), (4, 1), (11, 1), (12, 2), (-4, 0), (-5, -1), (-12, -1), (-13, -2)],
)
def test_halves_round_up(total: int, expected: int) -> None:
    assert one(total, 1 << 30, -2) == expected


@pytest.mark.parametrize("factor", [3.0, 0.25, 0.2499, 0.1, 1e-3, 7.3e-7, 2.0**-31])
def test_multiplier_and_exponent_stand_for_the_factor(factor: float) -> None:
    multiplier, exponent = quantize_multiplier(factor)
    assert 1 << 30 <= multiplier < 1 << 31
    assert math.isclose(math.ldexp(multiplier, exponent - 31), factor, rel_tol=2.0**-31)


def test_multiplier_that_rounds_up_to_the_next_power_keeps_31_bits() -> None:
    assert quantize_multiplier(math.nextafter(0.125, 0.0)) == (1 << 30, -2)


def test_factor_too_small_to_matter_is_nothing() -> None:
    """The smallest that is kept is 2^-32: its exponent is -31."""
    assert quantize_multiplier(2.0**-32) == (1 << 30, -31)
    assert quantize_multiplier(2.0**-33) == (0, 0)


@pytest.mark.parametrize("factor", [2.0**30, 0.0, -1.0, math.inf, math.nan])
def test_factor_that_no_integer_can_stand_for_is_refused(factor: float) -> None:
    with pytest.raises(ModelError, match="requantise factor"):
        quantize_multiplier(factor)


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
        exponent = np.full(20_000, 31 - shift, np.int64)
        found = scaled(totals, multipliers.astype(np.int64), exponent, "single")
        assert np.array_equal(found, halved)
