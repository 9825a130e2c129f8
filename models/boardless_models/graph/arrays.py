"""The constants of an operator, as the arrays that its entry in the firmware's table points to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from boardless_models.graph.graph import (
    Add,
    AddConstant,
    Concatenate,
    Convolve,
    Graph,
    Lookup,
    Mean,
    Multiply,
    Operator,
    Pool,
    Prelu,
    Select,
)
from boardless_models.int8.scaling import Rounding

HALF_ZERO = 8


def packed_weights(weight: NDArray[np.int8], bits: int) -> NDArray[np.int8]:
    """In memory order; under 4 bits two to a byte, the even one low, each with eight added."""
    flat = weight.reshape(-1)
    if bits == 8:
        return flat
    raised = np.pad(flat.astype(np.int16) + HALF_ZERO, (0, flat.size % 2)).astype(np.uint8)
    return np.asarray(raised[0::2] | raised[1::2] << 4, np.uint8).view(np.int8)


def operator_arrays(graph: Graph, operator: Operator) -> dict[str, Iterable[int]]:
    """The arrays that an operator's entry points to, by the names of its fields."""
    match operator:
        case Convolve():
            return {
                "weights": packed_weights(operator.weight, operator.bits),
                "bias": operator.bias,
                "multiplier": operator.multiplier,
                "exponent": operator.exponent,
            }
        case Add():
            return add_arrays(operator, graph.rounding)
        case Prelu():
            (above, raised), (below, lowered) = operator.above, operator.below
            return {
                "weights": operator.slope,
                "multiplier": [above, below, operator.slope_zero_point],
                "exponent": [raised, lowered],
            }
        case Lookup():
            return {"weights": operator.table}
        case Multiply() | Mean():
            return {"multiplier": operator.multiplier, "exponent": operator.exponent}
        case Select():
            numbers = [*operator.rows, *operator.columns, *operator.channels]
            return {"bias": numbers, "multiplier": [operator.filler]}
        case Pool() | Concatenate():
            return {}


def add_arrays(operator: Add, rounding: Rounding) -> dict[str, Iterable[int]]:
    """The factors of one rounding, and what a constant adds in it."""
    arrays: dict[str, Iterable[int]] = {}
    if isinstance(operator, AddConstant):
        arrays["bias"] = operator.addends_in(rounding)
    first, second = operator.signs
    if rounding == "single":
        one, two = operator.weights
        return arrays | {
            "multiplier": [first * one, second * two, operator.shift],
            "exponent": [0, 0, 0],
        }
    signs = first, second, 1
    multipliers = [multiplier for multiplier, _ in operator.factors]
    return arrays | {
        "multiplier": [sign * one for sign, one in zip(signs, multipliers, strict=True)],
        "exponent": [exponent for _, exponent in operator.factors],
    }
