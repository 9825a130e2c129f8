"""The layers of the model line as operators of a graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Conv2d, Depthwise, Network, PlacedLayer, Shape, stages
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
from boardless_models.int8.activation import INPUTS, Slopes, Tabled
from boardless_models.int8.scaling import INT8_MAXIMUM, INT8_MINIMUM, ROUNDING, Rounding

# Of an artifact that was written without them; no sum needs them.
UNKNOWN_SCALE = 0.0
BLANK_FACTOR = 1 << 30, -2


@dataclass(frozen=True)
class Scales:
    """What one step is worth, as float32: of the input, of each channel's weights, of the output.

    The factor of a sum is input × weight / output, in this order in float64; the output is that of
    the sums where an activation follows on a grid of its own.
    """

    input: float
    weight: NDArray[np.float32]
    output: float


@dataclass(frozen=True)
class QuantizedLayer:
    """Weights [out,rows,columns,in]; bias, multiplier and exponent a channel; zero points.

    A ReLU is the floor of the output's grid; another activation takes sums from a grid of its own.
    """

    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    exponent: NDArray[np.int8]
    input_zero_point: int
    output_zero_point: int
    scales: Scales | None = None
    activation: Slopes | Tabled | None = None


def graph_of_layers(
    network: Network,
    layers: tuple[QuantizedLayer, ...],
    score_step: int,
    rounding: Rounding = ROUNDING,
    classes: tuple[str, ...] = (),
) -> Graph:
    """A convolution a layer; an activation that is no clamp, and a pool behind it, by themselves.

    A ReLU6 needs no clamp of its own: its range ends at six or below, and int8 saturates there.
    """
    first = layers[0]
    scale = first.scales.input if first.scales else UNKNOWN_SCALE
    values = [Value("input", network.input, scale, first.input_zero_point, 0)]
    operators: list[Operator] = []
    for index, (stage, layer) in enumerate(zip(stages(network), layers, strict=True)):
        if stage.is_last and (stage.input.height, stage.input.width) != (1, 1):
            values.append(flat(values[-1]))
        operators += layer_operators(f"layer {index}", stage, layer, values)
    return Graph(
        network.name,
        tuple(values),
        tuple(operators),
        input=0,
        output=len(values) - 1,
        rounding=rounding,
        score_step=score_step,
        classes=classes,
    )


def blank_graph(network: Network) -> Graph:
    """A network whose every weight is zero: its bytes and its cycles depend on shapes alone."""
    return graph_of_layers(network, tuple(blank(stage) for stage in stages(network)), 1)


def blank(stage: PlacedLayer) -> QuantizedLayer:
    """A layer of zeros."""
    outputs = stage.weight_shape[0]
    activation: Slopes | Tabled | None = None
    if stage.activation == "prelu":
        activation = Slopes(1.0, 0, 1, 1.0, BLANK_FACTOR, BLANK_FACTOR)
    elif stage.activation == "hard-swish":
        activation = Tabled(1.0, 0, np.zeros(INPUTS.size, np.int8))
    return QuantizedLayer(
        weight=np.zeros(stage.weight_shape, np.int8),
        bias=np.zeros(outputs, np.int32),
        multiplier=np.full(outputs, BLANK_FACTOR[0], np.int32),
        exponent=np.full(outputs, BLANK_FACTOR[1], np.int8),
        input_zero_point=INT8_MINIMUM,
        output_zero_point=INT8_MINIMUM,
        activation=activation,
    )


def flat(value: Value) -> Value:
    """All of a value as the channels of one pixel, at the same place."""
    shape = Shape(1, 1, value.shape.size)
    return Value(f"{value.name}, flat", shape, value.scale, value.zero_point, value.storage)


def layer_operators(
    name: str, stage: PlacedLayer, layer: QuantizedLayer, values: list[Value]
) -> list[Operator]:
    """One layer over the last of the values; what it puts out becomes the last.

    A pool stands by itself: where a kernel takes it, it is fused (`fusing.py`).
    """
    own, first = layer.activation, len(values) - 1

    def add(shape: Shape, scale: float, zero_point: int, what: str) -> int:
        values.append(Value(name + what, shape, scale, zero_point, len(values)))
        return len(values) - 1

    grid = layer.scales.output if layer.scales else UNKNOWN_SCALE, layer.output_zero_point
    sums = (own.scale, own.zero_point) if own else grid
    add(before_pool(stage), *sums, ", sums")
    operators: list[Operator] = [convolution(f"{name} ({stage.kind})", stage, layer, first)]
    for step in steps_of(stage, own):
        source, shape = len(values) - 1, stage.output if step == "pool" else values[-1].shape
        value = values[source]
        if step == "pool":
            target = add(shape, value.scale, value.zero_point, ", pooled")
            window = Window(stage.pool, stage.pool, stage.pool, stage.pool)
            clamp = INT8_MINIMUM, INT8_MAXIMUM
            operators.append(Pool(f"{name} (max-pool)", source, target, "max", window, *clamp))
        elif own is not None:
            target = add(shape, *grid, f", {step}")
            title = f"{name} ({stage.activation})"
            operators.append(activation(title, own, source, target, shape.channels))
    values[-1] = replace(values[-1], name=name)
    return operators


def steps_of(stage: PlacedLayer, own: Slopes | Tabled | None) -> list[str]:
    """What follows the sums; an activation that falls and rises comes before its pool."""
    pools = ["pool"] if stage.pool > 1 else []
    if own is None:
        return pools
    return ["activation", *pools] if isinstance(own, Tabled) else [*pools, "activation"]


def before_pool(stage: PlacedLayer) -> Shape:
    """What a layer puts out before its pool."""
    if stage.is_last:
        return stage.output
    return Shape(stage.input.height, stage.input.width, stage.output.channels)


def activation(
    name: str, own: Slopes | Tabled, source: int, target: int, channels: int
) -> Prelu | Lookup:
    """An activation between two values."""
    if isinstance(own, Tabled):
        return Lookup(name, source, target, own.table, "hard-swish")
    return Prelu(
        name=name,
        input=source,
        output=target,
        slope=np.full(channels, own.slope, np.int8),
        slope_zero_point=0,
        above=own.above,
        below=own.below,
        least=INT8_MINIMUM,
        most=INT8_MAXIMUM,
        slope_scale=own.slope_scale,
    )


def convolution(name: str, stage: PlacedLayer, layer: QuantizedLayer, source: int) -> Convolve:
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
        exponent=layer.exponent,
        scales=scales,
        least=INT8_MINIMUM if stage.is_last or layer.activation else layer.output_zero_point,
        most=INT8_MAXIMUM,
        bits=stage.layer.bits,
    )
