"""TensorFlow Lite's arithmetic of what works value by value: clamps, activations, addition."""

from __future__ import annotations

import math

import numpy as np

from boardless_models import tflite_file as tfl
from boardless_models.graph import Add, Lookup, Value
from boardless_models.rounding import INT8_MAXIMUM, INT8_MINIMUM
from boardless_models.scaling import quantize_multiplier
from boardless_models.tflite_file import FileOperator
from boardless_sim.errors import ModelError

# The real range of each fused activation; None is the end of int8.
RANGES: dict[int, tuple[float | None, float | None]] = {
    tfl.NO_ACTIVATION: (None, None),
    tfl.RELU: (0.0, None),
    tfl.RELU_N1_TO_1: (-1.0, 1.0),
    tfl.RELU6: (0.0, 6.0),
}
BY_ITSELF = {
    tfl.RELU_OP: tfl.RELU,
    tfl.RELU_N1_TO_1_OP: tfl.RELU_N1_TO_1,
    tfl.RELU6_OP: tfl.RELU6,
}
ADD_LEFT_SHIFT = 20
SINGLE_WEIGHT_BITS = 20
LEAST_ADD_SHIFT, GREATEST_ADD_SHIFT = 12, 30


def clamp_of(activation: int, target: Value) -> tuple[int, int]:
    """The least and the largest int8 that a fused activation lets through."""
    if activation not in RANGES:
        raise ModelError(f"fused activation {activation}, expected none or one of the ReLUs")
    low, high = (grid_place(end, target) for end in RANGES[activation])
    least = INT8_MINIMUM if low is None else max(INT8_MINIMUM, low)
    most = INT8_MAXIMUM if high is None else min(INT8_MAXIMUM, high)
    if least > most:
        raise ModelError(f"tensor {target.name!r}: its scale leaves nothing of the activation")
    return least, most


def grid_place(real: float | None, target: Value) -> int | None:
    """Where a real number stands on the value's grid, rounded half away from zero in float32."""
    if real is None:
        return None
    steps = float(np.float32(real) / np.float32(target.scale))
    away = math.floor(abs(steps) + 0.5)
    return target.zero_point + int(math.copysign(away, steps))


def lookup_of(
    name: str, operator: FileOperator, first: int, number: int, source: Value, target: Value
) -> Lookup:
    """RELU, RELU6, RELU_N1_TO_1 and LEAKY_RELU by themselves: a table of 256 bytes."""
    if source.shape != target.shape:
        raise ModelError(f"tensor {target.name!r} has another shape than {source.name!r}")
    above = below = quantize_multiplier(source.scale / target.scale)
    activation = BY_ITSELF.get(operator.code, tfl.NO_ACTIVATION)
    if operator.code == tfl.LEAKY_RELU:
        alpha = operator.options.alpha
        if not 0.0 < alpha <= 1.0:
            raise ModelError(f"alpha {alpha}, expected more than 0, at most 1")
        below = quantize_multiplier(source.scale * alpha / target.scale)
    least, most = clamp_of(activation, target)
    points = source.zero_point, target.zero_point
    return Lookup(name, first, number, above, below, *points, least, most)


def add_of(
    name: str,
    numbers: tuple[int, int, int],
    values: tuple[Value, Value, Value],
    clamp: tuple[int, int],
) -> Add:
    """Both ways of adding: TensorFlow Lite's, and one rounding of a sum of products."""
    first, second, target = values
    if first.shape != second.shape or first.shape != target.shape:
        raise ModelError(
            f"tensors {first.name!r} and {second.name!r} have different shapes (broadcasting "
            "is not supported)"
        )
    twice = 2.0 * max(first.scale, second.scale)
    back = twice / ((1 << ADD_LEFT_SHIFT) * target.scale)
    factors = (
        quantize_multiplier(first.scale / twice),
        quantize_multiplier(second.scale / twice),
        quantize_multiplier(back),
    )
    if factors[2][1] > 0:
        raise ModelError(f"tensor {target.name!r}: its scale is too small for the sum")
    weights, shift = single_weights(values)
    return Add(name, *numbers, factors, weights, shift, *clamp)


def single_weights(values: tuple[Value, Value, Value]) -> tuple[tuple[int, int], int]:
    """The larger ratio of scales as 21 bits, and the shift that both share (as XNNPACK)."""
    first, second, target = values
    ratios = [
        float(np.float32(value.scale) / np.float32(target.scale)) for value in (first, second)
    ]
    _, exponent = math.frexp(max(ratios))
    shift = SINGLE_WEIGHT_BITS - (exponent - 1)
    if not LEAST_ADD_SHIFT <= shift <= GREATEST_ADD_SHIFT:
        raise ModelError(
            f"tensor {target.name!r}: scales {max(ratios):g} apart, expected 2^-10..2^8"
        )
    return (round(math.ldexp(ratios[0], shift)), round(math.ldexp(ratios[1], shift))), shift
