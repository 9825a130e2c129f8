"""TensorFlow Lite's arithmetic of what works value by value: clamps, activations, addition."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.graph.graph import (
    ADD_LEFT_SHIFT,
    Add,
    AddConstant,
    Convolve,
    Lookup,
    Multiply,
    Prelu,
    Value,
    Window,
)
from boardless_models.int8.activation import INPUTS, function_table, hard_swish_table, logistic
from boardless_models.int8.scaling import (
    INT8_MAXIMUM,
    INT8_MINIMUM,
    ROUNDINGS,
    Factor,
    quantize_multiplier,
    scaled,
)
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, FileTensor
from boardless_models.tflite.tensors import constant, grid_of
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
# The grid that TensorFlow Lite fixes for the output.
FIXED_GRIDS = {tfl.LOGISTIC: (1.0 / 256.0, -128), tfl.TANH: (1.0 / 128.0, 0)}
FUNCTIONS: dict[int, Callable[[float], float]] = {tfl.LOGISTIC: logistic, tfl.TANH: math.tanh}
FUNCTION_CODES = {"hard-swish": tfl.HARD_SWISH, "logistic": tfl.LOGISTIC, "tanh": tfl.TANH}
FUNCTION_CODES |= {"quantize": tfl.QUANTIZE}
FUNCTION_NAMES = {code: name for name, code in FUNCTION_CODES.items()}
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


def relu_of(
    name: str, operator: FileOperator, first: int, number: int, source: Value, target: Value
) -> Prelu:
    """RELU, RELU6, RELU_N1_TO_1 and LEAKY_RELU by themselves: one slope of one, and a clamp."""
    check_shapes(source, target)
    above = below = quantize_multiplier(source.scale / target.scale)
    activation = BY_ITSELF.get(operator.code, tfl.NO_ACTIVATION)
    if operator.code == tfl.LEAKY_RELU:
        alpha = operator.options.alpha
        if not 0.0 < alpha <= 1.0:
            raise ModelError(f"alpha {alpha}, expected more than 0, at most 1")
        below = quantize_multiplier(source.scale * alpha / target.scale)
    ones = np.ones(source.shape.channels, np.int8)
    return Prelu(name, first, number, ones, 0, above, below, *clamp_of(activation, target))


def prelu_of(
    name: str, slopes: FileTensor, first: int, number: int, source: Value, target: Value
) -> Prelu:
    """PRELU: a slope a channel, or one for all."""
    check_shapes(source, target)
    channels = source.shape.channels
    if slopes.kind != tfl.INT8 or not slopes.data:
        raise ModelError(f"slopes {slopes.name!r}, expected constant int8")
    scale, zero_point = grid_of(slopes)
    found = constant(slopes, np.dtype(np.int8))
    if found.size not in (1, channels) or found.size != (found.shape or (1,))[-1]:
        raise ModelError(
            f"slopes {slopes.name!r} of {list(slopes.shape)}, expected one or {channels}, one a "
            "channel"
        )
    product = float(np.float32(source.scale) * np.float32(scale))
    return Prelu(
        name=name,
        input=first,
        output=number,
        slope=np.array(np.broadcast_to(found.reshape(-1), (channels,))),
        slope_zero_point=zero_point,
        above=quantize_multiplier(source.scale / target.scale),
        below=quantize_multiplier(product / target.scale),
        least=INT8_MINIMUM,
        most=INT8_MAXIMUM,
        slope_scale=scale,
    )


def rescale_of(name: str, first: int, number: int, source: Value, target: Value) -> Lookup:
    """QUANTIZE from one int8 grid to another: a table; TensorFlow Lite rounds it twice."""
    check_shapes(source, target)
    factor = quantize_multiplier(source.scale / target.scale)
    multiplier, exponent = (np.array(part, np.int64) for part in factor)
    moved = scaled(INPUTS - source.zero_point, multiplier, exponent, "double") + target.zero_point
    table = np.asarray(np.clip(moved, INT8_MINIMUM, INT8_MAXIMUM), np.int8)
    return Lookup(name, first, number, table, "quantize")


def table_of(name: str, code: int, first: int, number: int, source: Value, target: Value) -> Lookup:
    """HARD_SWISH, LOGISTIC and TANH: a table of 256 bytes."""
    check_shapes(source, target)
    grids = (source.scale, source.zero_point, target.scale, target.zero_point)
    if code == tfl.HARD_SWISH:
        return Lookup(name, first, number, hard_swish_table(*grids), FUNCTION_NAMES[code])
    scale, zero_point = FIXED_GRIDS.get(code, (target.scale, target.zero_point))
    if (target.scale, target.zero_point) != (scale, zero_point):
        raise ModelError(
            f"tensor {target.name!r}: scale {target.scale:g}, zero point {target.zero_point}; "
            f"expected {scale:g}, {zero_point}"
        )
    table = function_table(FUNCTIONS[code], *grids)
    return Lookup(name, first, number, table, FUNCTION_NAMES[code])


def check_shapes(source: Value, target: Value) -> None:
    """An activation changes no shape."""
    if source.shape != target.shape:
        raise ModelError(f"tensor {target.name!r} has another shape than {source.name!r}")


def add_of(
    name: str,
    numbers: tuple[int, int, int],
    values: tuple[Value, Value, Value],
    clamp: tuple[int, int],
) -> Add:
    """Two values of one shape."""
    first, second, target = values
    if first.shape != second.shape or first.shape != target.shape:
        raise ModelError(
            f"tensors {first.name!r} and {second.name!r} have different shapes (only a constant "
            "is spread over pixels)"
        )
    factors, weights, shift = add_factors(first.scale, second.scale, target)
    return Add(name, *numbers, factors, weights, shift, *clamp)


def add_constant_of(
    name: str,
    numbers: tuple[int, int],
    values: tuple[Value, Value],
    tensor: FileTensor,
    clamp: tuple[int, int],
    signs: tuple[int, int] = (1, 1),
) -> AddConstant:
    """A value and a constant, one for all or one a channel."""
    source, target = values
    check_shapes(source, target)
    channels = source.shape.channels
    scale, centred = constant_of(tensor, channels)
    factors, weights, shift = add_factors(source.scale, scale, target)
    three = numbers[0], *numbers
    plain = Add(name, *three, factors, weights, shift, *clamp, signs=signs)
    rows = [plain.share(centred, 1, way) for way in ROUNDINGS]
    addends = np.array(rows, np.int32)
    return AddConstant(name, *three, factors, weights, shift, *clamp, addends, signs=signs)


def constant_of(tensor: FileTensor, channels: int) -> tuple[float, NDArray[np.int64]]:
    """The scale of a constant, and its values less the zero point, one a channel."""
    if tensor.kind != tfl.INT8:
        raise ModelError(f"tensor {tensor.name!r}, expected int8")
    scale, zero_point = grid_of(tensor)
    found = constant(tensor, np.dtype(np.int8))
    if found.size not in (1, channels) or found.size != (found.shape or (1,))[-1]:
        raise ModelError(
            f"tensor {tensor.name!r} of {list(tensor.shape)}, expected one or {channels}, one a "
            "channel"
        )
    return scale, np.broadcast_to(found.reshape(-1).astype(np.int64) - zero_point, (channels,))


def scale_of(
    name: str,
    numbers: tuple[int, int],
    values: tuple[Value, Value],
    tensor: FileTensor,
    clamp: tuple[int, int],
) -> Convolve:
    """A value times a constant: a depthwise convolution of one pixel, with its arithmetic."""
    source, target = values
    check_shapes(source, target)
    channels = source.shape.channels
    scale, centred = constant_of(tensor, channels)
    if np.abs(centred).max() > INT8_MAXIMUM:
        raise ModelError(
            f"tensor {tensor.name!r} reaches {np.abs(centred).max()} steps from its zero point, "
            f"expected at most {INT8_MAXIMUM}"
        )
    multiplier, exponent = quantize_multiplier(source.scale * scale / target.scale)
    return Convolve(
        name,
        *numbers,
        depthwise=channels > 1,
        window=Window(1, 1),
        weight=centred.astype(np.int8).reshape(channels, 1, 1, 1),
        bias=np.zeros(channels, np.int32),
        multiplier=np.full(channels, multiplier, np.int32),
        exponent=np.full(channels, exponent, np.int8),
        scales=np.full(channels, scale, np.float32),
        least=clamp[0],
        most=clamp[1],
    )


def multiply_of(
    name: str,
    numbers: tuple[int, int, int],
    values: tuple[Value, Value, Value],
    clamp: tuple[int, int],
) -> Multiply:
    """Two values of one shape, or the second of one pixel."""
    first, second, target = values
    if target.shape != first.shape or second.shape not in (
        first.shape,
        Shape(1, 1, first.shape.channels),
    ):
        raise ModelError(
            f"tensors {first.name!r} and {second.name!r} have different shapes (only one pixel is "
            "spread over all)"
        )
    multiplier, exponent = quantize_multiplier(first.scale * second.scale / target.scale)
    return Multiply(
        name,
        *numbers,
        np.array([multiplier], np.int32),
        np.array([exponent], np.int8),
        np.array([second.scale], np.float32),
        *clamp,
    )


def add_factors(
    first: float, second: float, target: Value
) -> tuple[tuple[Factor, Factor, Factor], tuple[int, int], int]:
    """Both ways of adding: TensorFlow Lite's, and one rounding of a sum of products."""
    twice = 2.0 * max(first, second)
    back = twice / ((1 << ADD_LEFT_SHIFT) * target.scale)
    factors = (
        quantize_multiplier(first / twice),
        quantize_multiplier(second / twice),
        quantize_multiplier(back),
    )
    if factors[2][1] > 0:
        raise ModelError(f"tensor {target.name!r}: its scale is too small for the sum")
    return factors, *single_weights(first, second, target)


def single_weights(first: float, second: float, target: Value) -> tuple[tuple[int, int], int]:
    """The larger ratio of scales as 21 bits, and the shift that both share (as XNNPACK)."""
    ratios = [float(np.float32(scale) / np.float32(target.scale)) for scale in (first, second)]
    _, exponent = math.frexp(max(ratios))
    shift = SINGLE_WEIGHT_BITS - (exponent - 1)
    if not LEAST_ADD_SHIFT <= shift <= GREATEST_ADD_SHIFT:
        raise ModelError(
            f"tensor {target.name!r}: scales {max(ratios):g} apart, expected 2^-10..2^8"
        )
    return (round(math.ldexp(ratios[0], shift)), round(math.ldexp(ratios[1], shift))), shift
