"""The artifact of the model line, a chain of layers, as the graph that the firmware runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boardless_models.data.network import Conv2d, Depthwise, Shape, Stage
from boardless_models.graph.graph import (
    Convolve,
    Graph,
    Lookup,
    Operator,
    Pool,
    Prelu,
    Value,
    Window,
)
from boardless_models.int8.activation import Slopes, Tabled
from boardless_models.int8.artifact import QuantizedLayer, QuantizedNetwork
from boardless_models.int8.rounding import INT8_MAXIMUM, INT8_MINIMUM, MULTIPLIER_BITS

# Of an artifact without scales; no sum needs them.
UNKNOWN_SCALE = 1.0


def graph_of_chain(quantized: QuantizedNetwork) -> Graph:
    """A convolution a layer; an activation that is no clamp, and a pool behind it, by themselves.

    A ReLU6 needs no clamp of its own: its range ends at six or below, and int8 saturates there.
    """
    first = quantized.layers[0]
    scale = first.scales.input if first.scales else UNKNOWN_SCALE
    values = [Value("input", quantized.network.input, scale, first.input_zero_point, 0)]
    operators: list[Operator] = []
    for index, (stage, layer) in enumerate(quantized.staged()):
        if stage.is_last and (stage.input.height, stage.input.width) != (1, 1):
            values.append(flat(values[-1]))
        operators += layer_operators(f"layer {index}", stage, layer, values)
    return Graph(
        quantized.network.name,
        tuple(values),
        tuple(operators),
        input=0,
        output=len(values) - 1,
        rounding=quantized.rounding,
        score_step=quantized.score_step,
    )


def flat(value: Value) -> Value:
    """All of a value as the channels of one pixel, at the same place."""
    shape = Shape(1, 1, value.shape.size)
    return Value(f"{value.name}, flat", shape, value.scale, value.zero_point, value.storage)


def layer_operators(
    name: str, stage: Stage, layer: QuantizedLayer, values: list[Value]
) -> list[Operator]:
    """One layer over the last of the values; what it puts out becomes the last."""

    def add(shape: Shape, scale: float, zero_point: int, what: str = "") -> int:
        values.append(Value(name + what, shape, scale, zero_point, len(values)))
        return len(values) - 1

    grid = layer.scales.output if layer.scales else UNKNOWN_SCALE, layer.output_zero_point
    own, source = layer.activation, len(values) - 1
    if own is None:
        add(stage.output, *grid)
        return [convolution(f"{name} ({stage.kind})", stage, layer, source)]
    late = isinstance(own, Tabled) and stage.pool > 1
    shape = before_pool(stage) if late else stage.output
    sums = add(shape, own.scale, own.zero_point, ", sums")
    first = convolution(f"{name} ({stage.kind})", stage, layer, source)
    shaped = add(shape, *grid, ", before its pool" if late else "")
    second = activation(f"{name} ({stage.activation})", own, sums, shaped, shape.channels)
    if not late:
        return [first, second]
    # Such an activation falls and rises: its pool cannot come first.
    window = Window(stage.pool, stage.pool, stage.pool, stage.pool)
    pooled = add(stage.output, *grid)
    clamp = INT8_MINIMUM, INT8_MAXIMUM
    pool = Pool(f"{name} (max-pool)", shaped, pooled, "max", window, *clamp)
    return [replace(first, pool=1), second, pool]


def before_pool(stage: Stage) -> Shape:
    """What a layer puts out before its pool."""
    return Shape(stage.input.height, stage.input.width, stage.output.channels)


def activation(
    name: str, own: Slopes | Tabled, source: int, target: int, channels: int
) -> Prelu | Lookup:
    """An activation between two values."""
    if isinstance(own, Tabled):
        return Lookup(name, source, target, own.table)
    slopes = np.full(channels, own.slope, np.int8)
    clamp = INT8_MINIMUM, INT8_MAXIMUM
    return Prelu(name, source, target, slopes, 0, own.above, own.below, *clamp)


def convolution(name: str, stage: Stage, layer: QuantizedLayer, source: int) -> Convolve:
    """One layer over the value `source`, into the next."""
    outputs = len(layer.bias)
    kernel = stage.layer.kernel if isinstance(stage.layer, Conv2d | Depthwise) else 1
    weight = layer.weight.reshape(outputs, 1, 1, -1) if stage.is_last else layer.weight
    scales = layer.scales.weight if layer.scales else np.full(outputs, UNKNOWN_SCALE, np.float32)
    return Convolve(
        name=name,
        input=source,
        output=source + 1,
        depthwise=isinstance(stage.layer, Depthwise),
        window=Window(kernel, kernel, 1, 1, kernel // 2, kernel // 2),
        weight=weight,
        bias=layer.bias,
        multiplier=layer.multiplier,
        exponent=(MULTIPLIER_BITS - layer.shift.astype(np.int16)).astype(np.int8),
        scales=scales,
        least=INT8_MINIMUM if stage.is_last or layer.activation else layer.output_zero_point,
        most=INT8_MAXIMUM,
        pool=stage.pool,
        bits=stage.layer.bits,
    )
