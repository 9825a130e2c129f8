"""Activations that are no clamp: two slopes, or a table of the output for each int8 input."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boardless_models.int8.scaling import (
    INT8_MAXIMUM,
    INT8_MINIMUM,
    Factor,
    Integers,
    quantize_multiplier,
    scaled,
)
from boardless_sim.errors import ModelError

INPUTS = np.arange(INT8_MINIMUM, INT8_MAXIMUM + 1, dtype=np.int64)
INT16_MINIMUM, INT16_MAXIMUM = -(1 << 15), (1 << 15) - 1
RAISED_BITS = 7
# The factor that is 0 at -3 and 1 at 3, in 16 bits.
REACH = np.float32(3.0 / 32768.0)
LARGEST_SHIFT = 15
# 255 × 255, raised by it, stays within 32 bits.
GREATEST_SLOPE_EXPONENT = 15

Table = NDArray[np.int8]


@dataclass(frozen=True)
class Slopes:
    """A PReLU with one slope over sums on a grid of their own.

    `above` is the factor of what is not below zero; below zero it is slope times `below`.
    """

    scale: float
    zero_point: int
    slope: int
    slope_scale: float
    above: Factor
    below: Factor


@dataclass(frozen=True)
class Tabled:
    """A hard-swish over sums on a grid of their own."""

    scale: float
    zero_point: int
    table: Table


def sloped(centred: Integers, slope: Integers, above: Factor, below: Factor) -> Integers:
    """Each side of zero by its own factor, rounded twice."""
    sides = (centred, above), (centred * slope, below)
    risen, fallen = (
        scaled(values, np.array(multiplier), np.array(exponent), "double")
        for values, (multiplier, exponent) in sides
    )
    return np.asarray(np.where(centred >= 0, risen, fallen))


def logistic(value: float) -> float:
    """1 / (1 + e^-value)."""
    return 0.5 + 0.5 * math.tanh(0.5 * value)


def function_table(
    function: Callable[[float], float],
    input_scale: float,
    input_zero_point: int,
    output_scale: float,
    output_zero_point: int,
) -> Table:
    """The real function, rounded to the nearest step: what TensorFlow Lite's kernels put out."""
    exact = [function((int(x) - input_zero_point) * input_scale) / output_scale for x in INPUTS]
    return clamped(np.rint(np.array(exact)).astype(np.int64) + output_zero_point)


def hard_swish_table(
    input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int
) -> Table:
    """x × clamp(x + 3, 0, 6) / 6 in 16-bit steps, as TensorFlow Lite's one kernel of it."""
    raised_scale = np.float32(1.0 / (1 << RAISED_BITS)) * np.float32(input_scale)
    onto_output = short_factor(float(raised_scale / np.float32(output_scale)))
    onto_reach = short_factor(float(raised_scale / REACH))
    if onto_output[1] > 0:
        raise ModelError(f"a hard-swish on an output scale of {output_scale:g}, expected more")
    raised = (INPUTS - input_zero_point) << RAISED_BITS
    value = doubled_high(raised, onto_output[0])
    gate = (scaled_gate(raised, *onto_reach) + (1 << 15)) >> 1
    # Truncates where every other step rounds, so that their biases cancel.
    product = gate * value
    upper = saturated(np.sign(product) * (np.abs(product) >> 15))
    return clamped(shifted_down(upper, -onto_output[1]) + output_zero_point)


def scaled_gate(raised: Integers, multiplier: int, exponent: int) -> Integers:
    """x / 3 as a 16-bit fraction that saturates at both ends."""
    if exponent > 0:
        raised = saturated(raised << min(exponent - 1, LARGEST_SHIFT))
    gate = doubled_high(raised, multiplier)
    if exponent > 0:
        return saturated(gate << 1)
    return shifted_down(gate, -exponent)


def short_factor(factor: float) -> tuple[int, int]:
    """Multiplier of 15 bits and exponent of a positive factor."""
    multiplier, exponent = quantize_multiplier(factor)
    return min((multiplier + (1 << 15)) >> 16, INT16_MAXIMUM), exponent


def saturated(values: Integers) -> Integers:
    """Values that 16 bits hold."""
    return np.asarray(np.clip(values, INT16_MINIMUM, INT16_MAXIMUM))


def doubled_high(values: Integers, multiplier: int) -> Integers:
    """The upper 16 bits of the doubled product, rounded half away from zero."""
    product = values * multiplier
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return saturated(np.where(nudged >= 0, nudged >> 15, -(-nudged >> 15)))


def shifted_down(values: Integers, shift: int) -> Integers:
    """Values over 2^shift, rounded half away from zero."""
    mask = (1 << shift) - 1
    threshold = (mask >> 1) + (values < 0)
    return np.asarray((values >> shift) + ((values & mask) > threshold))


def clamped(values: Integers) -> Table:
    """Values that int8 holds."""
    return np.asarray(np.clip(values, INT8_MINIMUM, INT8_MAXIMUM), np.int8)
