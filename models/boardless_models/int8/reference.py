"""The definition of inference: slow, plain, integers only. The C kernels match it bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Stage
from boardless_models.int8.artifact import QuantizedLayer, QuantizedNetwork
from boardless_models.int8.rounding import INT8_MINIMUM, ROUNDING, requantise
from boardless_models.int8.scaling import Rounding
from boardless_models.int8.score import Decision, decide

INPUT_ZERO_POINT = INT8_MINIMUM

Int8 = NDArray[np.int8]
Sums = NDArray[np.int64]


@dataclass(frozen=True)
class Inference:
    """Every layer's int8 output [H,W,C] for one frame, and what they amount to."""

    outputs: tuple[Int8, ...]
    decision: Decision


def infer(quantized: QuantizedNetwork, frame: NDArray[np.uint8]) -> Inference:
    """Run one frame [H,W] of bytes through the network."""
    tensor = (frame.astype(np.int16) + INPUT_ZERO_POINT).astype(np.int8)[:, :, None]
    outputs: list[Int8] = []
    for stage, layer in quantized.staged():
        tensor = run_layer(stage, layer, tensor, quantized.rounding)
        outputs.append(tensor)
    return Inference(tuple(outputs), decide(outputs[-1].reshape(-1), quantized.score_step))


def run_layer(
    stage: Stage, layer: QuantizedLayer, tensor: Int8, rounding: Rounding = ROUNDING
) -> Int8:
    """One layer: sums, requantise, activation, max-pool."""
    centred = tensor.astype(np.int64) - layer.input_zero_point
    if stage.kind == "conv2d":
        sums = conv2d(centred, layer)
    elif stage.kind == "depthwise":
        sums = depthwise(centred, layer)
    else:
        sums = dense(centred, layer)
    output = requantise(sums, layer.multiplier, layer.shift, layer.sums_zero_point, rounding)
    if layer.activation is not None:
        output = layer.activation.entries(layer.output_zero_point)[
            output.astype(np.int64) - INT8_MINIMUM
        ]
    elif not stage.is_last:
        output = np.maximum(output, np.int8(layer.output_zero_point))
    return max_pool(output, stage.pool)


def bordered(centred: Sums, kernel: int) -> Sums:
    """The tensor less its zero point with a border of zeros, so that padding adds nothing."""
    border = kernel // 2
    return np.pad(centred, ((border, border), (border, border), (0, 0)))


def conv2d(centred: Sums, layer: QuantizedLayer) -> Sums:
    """The sums of a convolution: [H,W,C] to [H,W,out]."""
    outputs, kernel = layer.weight.shape[:2]
    height, width, _ = centred.shape
    padded = bordered(centred, kernel)
    weight = layer.weight.astype(np.int64)
    sums = np.zeros((height, width, outputs), np.int64)
    for y in range(height):
        for x in range(width):
            window = padded[y : y + kernel, x : x + kernel, :]
            for channel in range(outputs):
                products = window * weight[channel]
                sums[y, x, channel] = products.sum() + int(layer.bias[channel])
    return sums


def depthwise(centred: Sums, layer: QuantizedLayer) -> Sums:
    """The sums of each channel's own convolution: [H,W,C] to [H,W,C]."""
    outputs, kernel = layer.weight.shape[:2]
    height, width, _ = centred.shape
    padded = bordered(centred, kernel)
    weight = layer.weight.astype(np.int64)
    sums = np.zeros((height, width, outputs), np.int64)
    for y in range(height):
        for x in range(width):
            for channel in range(outputs):
                window = padded[y : y + kernel, x : x + kernel, channel]
                products = window * weight[channel, :, :, 0]
                sums[y, x, channel] = products.sum() + int(layer.bias[channel])
    return sums


def dense(centred: Sums, layer: QuantizedLayer) -> Sums:
    """The sums over the whole tensor: [H,W,C] to [1,1,out]."""
    outputs = layer.weight.shape[0]
    weight = layer.weight.astype(np.int64)
    sums = np.zeros((1, 1, outputs), np.int64)
    for channel in range(outputs):
        sums[0, 0, channel] = (centred * weight[channel]).sum() + int(layer.bias[channel])
    return sums


def max_pool(tensor: Int8, pool: int) -> Int8:
    """The largest of each pool × pool square; a row or column left over is dropped."""
    rows, columns, channels = tensor.shape[0] // pool, tensor.shape[1] // pool, tensor.shape[2]
    pooled = np.zeros((rows, columns, channels), np.int8)
    for y in range(rows):
        for x in range(columns):
            square = tensor[y * pool : (y + 1) * pool, x * pool : (x + 1) * pool, :]
            pooled[y, x] = square.max(axis=(0, 1))
    return pooled
