"""Artifacts of format 1, which held a chain of layers: they are read as the graph of that chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.archive import Arrays, typed
from boardless_models.data.dataset import CLASS_NAMES
from boardless_models.data.network import PlacedLayer, network_from_json, stages
from boardless_models.graph.chain import QuantizedLayer, Scales, graph_of_layers
from boardless_models.graph.graph import Graph
from boardless_models.int8.activation import INPUTS, Slopes, Tabled
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_sim.errors import ModelError

FORMAT = 1
# Activations that take sums from a grid of their own.
OWN_GRID = ("prelu", "hard-swish")


def graph_of_format_1(arrays: Arrays) -> Graph:
    """The graph; every artifact of this format was trained on Fashion-MNIST."""
    version, rounding = int(arrays["format_version"]), str(arrays["rounding"])
    if version != FORMAT or rounding not in ROUNDINGS:
        raise ModelError(
            f"format {version}, rounding {rounding!r}; expected {FORMAT}, {' or '.join(ROUNDINGS)}"
        )
    way: Rounding = "double" if rounding == "double" else "single"
    network = network_from_json(str(arrays["network"]))
    layers = tuple(
        quantized_layer(arrays, index, stage) for index, stage in enumerate(stages(network))
    )
    classes = CLASS_NAMES if len(layers[-1].bias) == len(CLASS_NAMES) else ()
    return graph_of_layers(network, layers, int(arrays["score_step"]), way, classes)


def quantized_layer(arrays: Arrays, index: int, stage: PlacedLayer) -> QuantizedLayer:
    """One layer, each array of the type and shape that its place asks for."""
    shape = stage.weight_shape
    points = typed(arrays, f"zero_points_{index}", np.int8, (2,))
    # The format has the right shift of the product, which is 31 less the exponent.
    shift = typed(arrays, f"shift_{index}", np.uint8, shape[:1])
    return QuantizedLayer(
        weight=typed(arrays, f"weight_{index}", np.int8, shape),
        bias=typed(arrays, f"bias_{index}", np.int32, shape[:1]),
        multiplier=typed(arrays, f"multiplier_{index}", np.int32, shape[:1]),
        exponent=(31 - shift.astype(np.int16)).astype(np.int8),
        input_zero_point=int(points[0]),
        output_zero_point=int(points[1]),
        scales=layer_scales(arrays, index, shape[0]),
        activation=layer_activation(arrays, index, stage.activation),
    )


def layer_scales(arrays: Arrays, index: int, outputs: int) -> Scales | None:
    """The scales of one layer; None where the file has none."""
    if f"scales_{index}" not in arrays:
        return None
    ends = typed(arrays, f"scales_{index}", np.float32, (2,))
    weight: NDArray[np.float32] = typed(arrays, f"weight_scale_{index}", np.float32, (outputs,))
    every = np.concatenate([ends, weight])
    if not np.isfinite(every).all() or float(every.min()) <= 0.0:
        raise ModelError(f"layer {index}: a scale of {every.min()}, expected positive numbers")
    return Scales(float(ends[0]), weight, float(ends[1]))


def layer_activation(arrays: Arrays, index: int, name: str) -> Slopes | Tabled | None:
    """The activation of a layer that is no clamp."""
    if name not in OWN_GRID:
        return None
    scale = float(typed(arrays, f"sums_scale_{index}", np.float32, (1,))[0])
    zero_point = int(typed(arrays, f"sums_zero_point_{index}", np.int8, (1,))[0])
    if not np.isfinite(scale) or scale <= 0.0:
        raise ModelError(f"layer {index}: sums on a scale of {scale}, expected a positive number")
    if name == "hard-swish":
        table = typed(arrays, f"table_{index}", np.int8, (INPUTS.size,))
        return Tabled(scale, zero_point, table)
    slope_scale = float(typed(arrays, f"slope_scale_{index}", np.float32, (1,))[0])
    slope = int(typed(arrays, f"slope_{index}", np.int8, (1,))[0])
    if slope < 0 or not np.isfinite(slope_scale) or slope_scale <= 0.0:
        raise ModelError(f"layer {index}: slope {slope} × {slope_scale}, expected none below zero")
    factors = typed(arrays, f"factors_{index}", np.int32, (2, 2))
    above, below = ((int(multiplier), int(exponent)) for multiplier, exponent in factors)
    return Slopes(scale, zero_point, slope, slope_scale, above, below)
