"""The artifact of the model line, a chain of layers, as the graph that the firmware runs."""

from __future__ import annotations

import numpy as np

from boardless_models.artifact import QuantizedLayer, QuantizedNetwork
from boardless_models.graph import Convolve, Graph, Value, Window
from boardless_models.network import Conv2d, Depthwise, Shape, Stage
from boardless_models.rounding import INT8_MAXIMUM, INT8_MINIMUM, MULTIPLIER_BITS
from boardless_sim.errors import ModelError

# Of an artifact without scales; no sum needs them.
UNKNOWN_SCALE = 1.0
# A ReLU6 needs no clamp of its own: its range ends at six or below, and int8 saturates there.
ACTIVATIONS = ("", "relu", "relu6")


def graph_of_chain(quantized: QuantizedNetwork) -> Graph:
    """A convolution a layer. Raises `ModelError` for an activation without a kernel."""
    first = quantized.layers[0]
    scale = first.scales.input if first.scales else UNKNOWN_SCALE
    values = [Value("input", quantized.network.input, scale, first.input_zero_point, 0)]
    operators: list[Convolve] = []
    for index, (stage, layer) in enumerate(quantized.staged()):
        if stage.activation not in ACTIVATIONS:
            raise ModelError(f"layer {index}: no kernel for {stage.activation}")
        if stage.is_last and (stage.input.height, stage.input.width) != (1, 1):
            values.append(flat(values[-1]))
        source = len(values) - 1
        scale = layer.scales.output if layer.scales else UNKNOWN_SCALE
        values.append(
            Value(f"layer {index}", stage.output, scale, layer.output_zero_point, len(values))
        )
        operators.append(convolution(f"layer {index} ({stage.kind})", stage, layer, source))
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
        least=INT8_MINIMUM if stage.is_last else layer.output_zero_point,
        most=INT8_MAXIMUM,
        pool=stage.pool,
        bits=stage.layer.bits,
    )
