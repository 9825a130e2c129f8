"""Float weights to int8, clamp(round(x / scale) + zero_point), and nothing learned."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.dataset import Dataset, Split
from boardless_models.data.network import network_to_json, stages
from boardless_models.graph.accuracy import accuracy
from boardless_models.graph.chain import QuantizedLayer, Scales, graph_of_layers
from boardless_models.graph.cost import model_bytes, network_macs
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph
from boardless_models.int8.activation import Slopes, Tabled, hard_swish_table
from boardless_models.int8.checkpoint import Checkpoint, FloatLayer
from boardless_models.int8.forward import Floats, layer_outputs
from boardless_models.int8.scaling import (
    INT8_MAXIMUM,
    INT8_MINIMUM,
    ROUNDING,
    Rounding,
    largest_weight,
    quantize_multiplier,
)
from boardless_models.int8.score import score_step
from boardless_sim.errors import ModelError

INPUT_ZERO_POINT = INT8_MINIMUM
INPUT_SCALE = float(np.float32(1.0 / 255.0))
LARGEST_BIAS = 1 << 28
# From here up a hard-swish changes nothing, and below its negative nothing is left.
HARD_SWISH_REACH = 3.0
LEAST_WEIGHT_SCALE = 1e-9
CLAMPING_SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
BATCH = 500


def weight_scales(
    weight: Floats, bias: Floats, input_scale: float, largest: int = INT8_MAXIMUM
) -> Floats:
    """Symmetric scale a channel, a float32, wide enough that a faint channel's bias still fits."""
    from_weights = np.abs(weight.reshape(len(weight), -1)).max(axis=1) / largest
    if largest < INT8_MAXIMUM:
        from_weights = least_lossy(weight, from_weights, largest)
    from_bias = np.abs(bias) / (input_scale * LARGEST_BIAS)
    scales = np.maximum(np.maximum(from_weights, from_bias), LEAST_WEIGHT_SCALE)
    return np.asarray(scales.astype(np.float32), np.float64)


def least_lossy(weight: Floats, widest: Floats, largest: int) -> Floats:
    """Of steps up to the widest, the one a channel that rounding and clamping lose least by.

    On a coarse grid it pays to clamp a few large weights; weights that stand on the grid stay.
    """
    best, least = widest, np.full(len(weight), np.inf)
    for share in CLAMPING_SHARES:
        scales = np.maximum(widest * share, LEAST_WEIGHT_SCALE)
        kept = quantize_weights(weight, scales, largest) * scales[:, None, None, None]
        error = np.square(kept - weight).reshape(len(weight), -1).sum(axis=1)
        best, least = np.where(error < least, scales, best), np.minimum(error, least)
    return np.asarray(best, np.float64)


def quantize_weights(
    weight: Floats, scales: Floats, largest: int = INT8_MAXIMUM
) -> NDArray[np.int8]:
    """clamp(round(x / scale) + zero_point), the zero point of a symmetric grid being zero."""
    rounded = np.rint(weight / scales[:, None, None, None])
    return np.clip(rounded, -largest, largest).astype(np.int8)


def output_scale_and_zero_point(layer: FloatLayer) -> tuple[float, int]:
    """The asymmetric int8 grid over the calibrated range."""
    return grid_over(layer.minimum, layer.maximum)


def grid_over(low: float, high: float) -> tuple[float, int]:
    """Scale, a float32, and zero point of the int8 grid from low to high."""
    scale = float(np.float32((high - low) / (INT8_MAXIMUM - INT8_MINIMUM)))
    zero_point = round(INT8_MINIMUM - low / scale)
    return scale, min(max(zero_point, INT8_MINIMUM), INT8_MAXIMUM)


def quantize_layer(
    layer: FloatLayer,
    input_scale: float,
    input_zero_point: int,
    bits: int = 8,
    activation: str = "relu",
) -> tuple[QuantizedLayer, float]:
    """One layer on the grid of its bits, and the scale of what it puts out."""
    largest = largest_weight(bits)
    weight, bias = layer.weight.astype(np.float64), layer.bias.astype(np.float64)
    scales = weight_scales(weight, bias, input_scale, largest)
    output_scale, output_zero_point = output_scale_and_zero_point(layer)
    own = own_activation(activation, layer, output_scale, output_zero_point)
    onto = own.scale if own else output_scale
    pairs = [quantize_multiplier(input_scale * float(s) / onto) for s in scales]
    quantized = QuantizedLayer(
        weight=quantize_weights(weight, scales, largest),
        bias=np.rint(bias / (input_scale * scales)).astype(np.int32),
        multiplier=np.array([multiplier for multiplier, _ in pairs], np.int32),
        exponent=np.array([exponent for _, exponent in pairs], np.int8),
        input_zero_point=input_zero_point,
        output_zero_point=output_zero_point,
        scales=Scales(input_scale, scales.astype(np.float32), output_scale),
        activation=own,
    )
    return quantized, output_scale


def own_activation(
    name: str, layer: FloatLayer, output_scale: float, output_zero_point: int
) -> Slopes | Tabled | None:
    """A PReLU or a hard-swish, and the grid of the sums before it, from the range behind it."""
    if name == "prelu":
        return slopes_of(layer, output_scale)
    if name == "hard-swish":
        # What lies below minus three is nothing, and so is what int8 saturates there.
        scale, zero_point = grid_over(-HARD_SWISH_REACH, hard_swish_input(layer.maximum))
        table = hard_swish_table(scale, zero_point, output_scale, output_zero_point)
        return Tabled(scale, zero_point, table)
    return None


def slopes_of(layer: FloatLayer, output_scale: float) -> Slopes:
    """A PReLU's slope as an int8, and the factors on either side of zero."""
    if layer.slope < 0.0:
        raise ModelError(f"a PReLU with a slope of {layer.slope:g}, expected none below zero")
    low = layer.minimum / layer.slope if layer.slope > 0.0 else 0.0
    scale, zero_point = grid_over(min(low, 0.0), max(layer.maximum, 0.0))
    slope = INT8_MAXIMUM if layer.slope > 0.0 else 0
    slope_scale = float(np.float32((layer.slope or 1.0) / INT8_MAXIMUM))
    above = quantize_multiplier(scale / output_scale)
    product = float(np.float32(scale) * np.float32(slope_scale))
    below = quantize_multiplier(product / output_scale)
    return Slopes(scale, zero_point, slope, slope_scale, above, below)


def hard_swish_input(output: float) -> float:
    """The input, not below zero, that a hard-swish makes this output of."""
    if output >= HARD_SWISH_REACH:
        return output
    half = HARD_SWISH_REACH / 2
    return math.sqrt(half * half + 2 * HARD_SWISH_REACH * max(output, 0.0)) - half


def quantize(
    checkpoint: Checkpoint, rounding: Rounding = ROUNDING, classes: tuple[str, ...] = ()
) -> Graph:
    """The whole network in integers, each layer's output grid the next one's input grid."""
    layers: list[QuantizedLayer] = []
    scale, zero_point = INPUT_SCALE, INPUT_ZERO_POINT
    for stage, layer in zip(stages(checkpoint.network), checkpoint.layers, strict=True):
        kind = stage.layer.bits, stage.activation
        quantized, scale = quantize_layer(layer, scale, zero_point, *kind)
        zero_point = quantized.output_zero_point
        layers.append(quantized)
    step = score_step(scale)
    return fused(graph_of_layers(checkpoint.network, tuple(layers), step, rounding, classes))


def float_accuracy(checkpoint: Checkpoint, split: Split) -> float:
    """The share of frames that the float weights, off any grid, classify as labelled."""
    placed = stages(checkpoint.network)
    correct = 0
    for start in range(0, len(split), BATCH):
        logits = layer_outputs(placed, checkpoint.layers, split.images[start : start + BATCH])[-1]
        winners = logits.reshape(len(logits), -1).argmax(axis=1)
        correct += int((winners == split.labels[start : start + BATCH]).sum())
    return correct / len(split)


def provenance(checkpoint: Checkpoint, quantized: Graph, dataset: Dataset) -> dict[str, Any]:
    """Where the artifact comes from and how well it does; the test figure chose nothing.

    Frames that it was trained on tell nothing: without validation there is no figure of it.
    """
    splits = {"validation": dataset.validation, "test": dataset.test}
    if checkpoint.record.validation_accuracy is None:
        del splits["validation"]
    facts: dict[str, Any] = {
        "training": asdict(checkpoint.record),
        "network": network_to_json(checkpoint.network),
        "model_bytes": model_bytes(quantized),
        "macs": network_macs(checkpoint.network),
    }
    for name, split in splits.items():
        facts[f"float_{name}_accuracy"] = round(float_accuracy(checkpoint, split), 4)
        facts[f"int8_{name}_accuracy"] = round(accuracy(quantized, split), 4)
    return facts
