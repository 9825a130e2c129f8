"""What a graph must keep to before a kernel may run it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from boardless_models.data.network import Shape
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
    Value,
    Window,
    inputs_of,
    limits_of,
)
from boardless_models.int8.activation import GREATEST_SLOPE_EXPONENT
from boardless_models.int8.scaling import ROUNDINGS, largest_weight
from boardless_sim.errors import ModelError

MOST_VALUES = MOST_OPERATORS = 255
# In a header a name is a C string, in a result line a word.
CLASS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,30}")
LARGEST_SCORE_STEP = 0xFFFF
LARGEST_CENTRED = 255
# What a result line has room for (firmware/apps/classifier/answer.c).
LARGEST_SCALE = {"values": 32.0, "error": 128.0}
LARGEST_ADDEND = LARGEST_CENTRED << 21


def check_graph(graph: Graph) -> None:
    """Refuse what the kernels cannot hold, naming the operator."""
    if len(graph.values) > MOST_VALUES or len(graph.operators) > MOST_OPERATORS:
        counts = f"{len(graph.values)} values, {len(graph.operators)} operators"
        raise ModelError(f"{counts}; expected at most {MOST_VALUES} of each")
    if not (0 <= graph.input < len(graph.values) and 0 <= graph.output < len(graph.values)):
        raise ModelError(
            f"input {graph.input}, output {graph.output} of {len(graph.values)} values"
        )
    if not 0 <= graph.score_step <= LARGEST_SCORE_STEP or not graph.operators:
        raise ModelError(f"score step {graph.score_step}, {len(graph.operators)} operators")
    for index, value in enumerate(graph.values):
        check_value(graph, index, value)
    ready = {graph.values[graph.input].storage}
    for operator in graph.operators:
        try:
            check_operator(graph, operator, ready)
        except ModelError as complaint:
            raise ModelError(f"{operator.name}: {complaint}") from complaint
        ready.add(graph.values[operator.output].storage)
    output = graph.values[graph.output]
    if output.storage not in ready:
        raise ModelError(f"tensor {output.name!r}, the output, is never computed")
    check_classes(graph.classes, output.shape.size)
    check_task(graph)


def check_classes(names: tuple[str, ...], outputs: int) -> None:
    """A name for every output, or none at all."""
    if names and len(names) != outputs:
        raise ModelError(f"{outputs} outputs, expected {len(names)} classes")
    for name in names:
        if not CLASS_NAME.fullmatch(name):
            raise ModelError(
                f"class {name!r}, expected a word of at most 31 letters, digits and _.+-"
            )


def check_task(graph: Graph) -> None:
    """An output that its task can be read from."""
    source, target = graph.values[graph.input], graph.values[graph.output]
    if graph.task == "classes" and target.shape.size > 1 << 16:
        raise ModelError(f"{target.shape.size} classes, expected at most 65536")
    if graph.task != "classes" and graph.classes:
        raise ModelError(f"names of classes for {graph.task}")
    if graph.task == "error" and source.shape.size != target.shape.size:
        sizes = f"{target.shape.size} outputs of {source.shape.size} inputs"
        raise ModelError(f"{sizes}, expected as many for an error")
    scales = {"classes": (), "values": (target.scale,), "error": (source.scale, target.scale)}
    for scale in scales[graph.task]:
        if not 0.0 < scale <= LARGEST_SCALE[graph.task]:
            raise ModelError(f"a scale of {scale:g}, expected at most {LARGEST_SCALE[graph.task]}")


def check_value(graph: Graph, index: int, value: Value) -> None:
    """Extents of 16 bits, and a storage of the same size that is its own."""
    extents = value.shape.height, value.shape.width, value.shape.channels
    if min(extents) < 1 or max(extents) > 0xFFFF or not -128 <= value.zero_point <= 127:
        raise ModelError(f"tensor {value.name!r}: {extents}, zero point {value.zero_point}")
    if not 0 <= value.storage < len(graph.values):
        raise ModelError(f"tensor {value.name!r}: storage {value.storage}")
    owner = graph.values[value.storage]
    if owner.storage != value.storage or owner.shape.size != value.shape.size:
        raise ModelError(f"tensor {value.name!r}: storage {owner.name!r} does not fit it")
    if index == graph.input and value.storage != index:
        raise ModelError(f"tensor {value.name!r}: the input has no storage of its own")


def check_operator(graph: Graph, operator: Operator, ready: set[int]) -> None:
    """Its values computed before, its window within them, its sums within 32 bits."""
    check_order(graph, operator, ready)
    least, most = limits_of(operator)
    if not -128 <= least <= most <= 127:
        raise ModelError(f"clamp {least} to {most}, expected within int8")
    match operator:
        case Convolve():
            check_convolution(graph, operator)
        case Pool():
            check_channels(graph, operator)
            source, target = graph.values[operator.input], graph.values[operator.output]
            check_window(operator.window, source, target)
        case Mean():
            check_mean(graph, operator)
        case Concatenate():
            check_concatenation(graph, operator)
        case Multiply():
            check_multiplication(graph, operator)
        case Select():
            check_selection(graph, operator)
        case _:
            check_pointwise(graph, operator)


def check_order(graph: Graph, operator: Operator, ready: set[int]) -> None:
    """What it reads is computed before, what it writes is not."""
    count = len(graph.values)
    for index in (*inputs_of(operator), operator.output):
        if not 0 <= index < count:
            raise ModelError(f"value {index} of {count}")
    for index in inputs_of(operator):
        if graph.values[index].storage not in ready:
            raise ModelError(f"tensor {graph.values[index].name!r} is not computed before")
    if graph.values[operator.output].storage in ready:
        raise ModelError(f"tensor {graph.values[operator.output].name!r} is computed twice")


def check_channels(graph: Graph, operator: Pool | Mean) -> None:
    """As many channels behind it as before."""
    source, target = graph.values[operator.input], graph.values[operator.output]
    if source.shape.channels != target.shape.channels:
        raise ModelError("a pool does not change the number of channels")


def check_mean(graph: Graph, operator: Mean) -> None:
    """One pixel, one factor, and a sum that stays within 32 bits."""
    check_channels(graph, operator)
    source, target = graph.values[operator.input].shape, graph.values[operator.output].shape
    if (target.height, target.width) != (1, 1):
        raise ModelError(f"a mean of {target.height}x{target.width} pixels, expected one")
    for array in (operator.multiplier, operator.exponent, operator.scales):
        if array.shape != (1,):
            raise ModelError(f"{array.shape} parameters of a mean, expected one")
    exponent = int(operator.exponent[0])
    check_factors((int(operator.multiplier[0]), exponent))
    largest = source.height * source.width * LARGEST_CENTRED << max(exponent, 0)
    if largest >= 1 << 31:
        raise ModelError(f"sums reach {largest}, expected less than 2^31")


def check_concatenation(graph: Graph, operator: Concatenate) -> None:
    """The same pixels, the channels of both, and one grid."""
    target = graph.values[operator.output]
    parts = [graph.values[index] for index in inputs_of(operator)]
    pixels = {(value.shape.height, value.shape.width) for value in (*parts, target)}
    channels = sum(value.shape.channels for value in parts)
    if len(pixels) != 1 or channels != target.shape.channels:
        raise ModelError(f"{channels} channels into {target.shape.channels}, or other pixels")
    if {(value.scale, value.zero_point) for value in parts} != {(target.scale, target.zero_point)}:
        raise ModelError("values on different grids")


def check_multiplication(graph: Graph, operator: Multiply) -> None:
    """One shape, or one pixel for all; one factor, and products that stay within 32 bits."""
    first, second, target = (
        graph.values[at].shape for at in (*inputs_of(operator), operator.output)
    )
    if first != target or second not in (first, Shape(1, 1, first.channels)):
        raise ModelError("values of different shapes")
    for array in (operator.multiplier, operator.exponent, operator.scales):
        if array.shape != (1,):
            raise ModelError(f"{array.shape} parameters of a product, expected one")
    exponent = int(operator.exponent[0])
    check_factors((int(operator.multiplier[0]), exponent))
    if LARGEST_CENTRED**2 << max(exponent, 0) >= 1 << 31:
        raise ModelError(f"an exponent of {exponent}, expected less than 16")


def check_selection(graph: Graph, operator: Select) -> None:
    """Numbers of what is there, one for every place of the output."""
    source, target = graph.values[operator.input], graph.values[operator.output]
    if (source.scale, source.zero_point) != (target.scale, target.zero_point):
        raise ModelError("values on different grids")
    if not -128 <= operator.filler <= 127:
        raise ModelError(f"a filler of {operator.filler}")
    for what, found, there, wanted in (
        ("rows", operator.rows, source.shape.height, target.shape.height),
        ("columns", operator.columns, source.shape.width, target.shape.width),
        ("channels", operator.channels, source.shape.channels, target.shape.channels),
    ):
        if found.shape != (wanted,) or found.min() < -1 or found.max() >= there:
            raise ModelError(f"{what} that are not those of {source.name!r}")


def check_pointwise(graph: Graph, operator: Add | Lookup | Prelu) -> None:
    """One shape, and constants that the kernels can take."""
    shapes = {graph.values[index].shape for index in (*inputs_of(operator), operator.output)}
    if len(shapes) != 1:
        raise ModelError("values of different shapes")
    match operator:
        case Add():
            check_add(operator)
            if isinstance(operator, AddConstant):
                check_addends(operator, graph.values[operator.input].shape.channels)
        case Lookup():
            if operator.table.shape != (256,):
                raise ModelError(f"a table of {operator.table.shape}, expected 256")
        case Prelu():
            channels = graph.values[operator.input].shape.channels
            if operator.slope.shape != (channels,):
                raise ModelError(f"{operator.slope.shape} slopes, expected {channels}")
            if not -128 <= operator.slope_zero_point <= 127:
                raise ModelError(f"slopes with a zero point of {operator.slope_zero_point}")
            check_factors(operator.above, operator.below)
            if operator.below[1] > GREATEST_SLOPE_EXPONENT:
                raise ModelError(f"an exponent of {operator.below[1]} below zero")


def check_add(operator: Add) -> None:
    """Factors below one, and weights that leave the sum in 32 bits."""
    if (len(operator.factors), len(operator.weights)) != (3, 2):
        raise ModelError(f"{len(operator.factors)} factors, {len(operator.weights)} weights")
    check_factors(*operator.factors)
    if len(operator.signs) != 2 or set(operator.signs) - {1, -1}:
        raise ModelError(f"signs {operator.signs}, expected two of 1 and -1")
    if max(exponent for _, exponent in operator.factors) > 0 or not 12 <= operator.shift <= 30:
        raise ModelError("factors of one and more")
    if not all(0 <= weight <= 1 << 21 for weight in operator.weights):
        raise ModelError(f"weights {operator.weights}, expected at most 2^21")


def check_addends(operator: AddConstant, channels: int) -> None:
    """One a channel in either rounding, none beyond what a second value could add."""
    if operator.addends.shape != (len(ROUNDINGS), channels):
        raise ModelError(f"{operator.addends.shape} addends, expected 2 × {channels}")
    largest = int(np.abs(operator.addends.astype(np.int64)).max())
    if largest > LARGEST_ADDEND:
        raise ModelError(f"addends reach {largest}, expected at most {LARGEST_ADDEND}")


def check_factors(*factors: tuple[int, int]) -> None:
    """Multipliers of 31 bits, exponents that the shifts can take."""
    for multiplier, exponent in factors:
        if not 0 <= multiplier < 1 << 31 or not -31 <= exponent <= 22:
            raise ModelError(f"factor {multiplier} × 2^({exponent} - 31)")


def check_window(window: Window, source: Value, target: Value) -> None:
    """Every window sees at least one pixel of its input."""
    for size, stride, border, extent, count in (
        *((window.rows, window.stride_rows, window.top, source.shape.height, target.shape.height),),
        (
            *(window.columns, window.stride_columns, window.left),
            *(source.shape.width, target.shape.width),
        ),
    ):
        if not (1 <= size <= 255 and 1 <= stride <= 255 and 0 <= border < size):
            raise ModelError(f"window {size}, stride {stride}, border {border}")
        if (count - 1) * stride - border >= extent:
            raise ModelError(f"{count} windows do not fit {extent} pixels")


def times(shape: Shape, side: int) -> Shape:
    """The shape before a pool of this side."""
    return Shape(shape.height * side, shape.width * side, shape.channels)


def check_storage(operator: Convolve) -> None:
    """A pool and a width of the weights that the kernels know."""
    if operator.pool not in (1, 2) or operator.bits not in (4, 8):
        raise ModelError(f"pool {operator.pool}, {operator.bits} bits; expected 1 or 2, 4 or 8")
    if operator.depthwise and (operator.pool, operator.bits) != (1, 8):
        raise ModelError("a depthwise convolution has no pool and weights of 8 bits")
    largest = largest_weight(operator.bits)
    found = int(operator.weight.min()), int(operator.weight.max())
    if operator.bits == 4 and not -largest <= found[0] <= found[1] <= largest:
        raise ModelError(f"weights {found[0]} to {found[1]}, expected -{largest} to {largest}")


def check_convolution(graph: Graph, operator: Convolve) -> None:
    """Shapes that fit each other, and sums that stay within 32 bits in either rounding."""
    source, target = graph.values[operator.input], graph.values[operator.output]
    outputs = target.shape.channels
    channels = 1 if operator.depthwise else source.shape.channels
    expected = (outputs, operator.window.rows, operator.window.columns, channels)
    if operator.weight.shape != expected:
        raise ModelError(f"weights {operator.weight.shape}, expected {expected}")
    if operator.depthwise and outputs % source.shape.channels:
        raise ModelError(f"{outputs} outputs of {source.shape.channels} channels")
    for array in (operator.bias, operator.multiplier, operator.exponent, operator.scales):
        if array.shape != (outputs,):
            raise ModelError(f"{array.shape} parameters, expected {outputs}")
    check_storage(operator)
    side = operator.pool
    check_window(operator.window, source, replace(target, shape=times(target.shape, side)))
    exponent = operator.exponent.astype(np.int64)
    if operator.multiplier.min() < 0:
        raise ModelError(f"multipliers from {operator.multiplier.min()}, expected none below 0")
    if exponent.min() < -31 or exponent.max() > 22:
        raise ModelError(f"exponents {exponent.min()} to {exponent.max()}, expected -31 to 22")
    weight = np.abs(operator.weight.astype(np.int64)).reshape(outputs, -1).sum(axis=1)
    largest = weight * LARGEST_CENTRED + np.abs(operator.bias.astype(np.int64))
    shifted = int((largest << np.maximum(exponent, 0)).max())
    if shifted >= 1 << 31:
        raise ModelError(f"sums reach {shifted}, expected less than 2^31")
