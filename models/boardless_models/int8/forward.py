"""The float network over many frames at once: what its ranges and its accuracy are taken from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import PlacedLayer
from boardless_models.int8.checkpoint import FloatLayer

Floats = NDArray[np.float64]


def patches(tensor: Floats, kernel: int) -> Floats:
    """Every kernel × kernel window of [N,H,W,C] under zero padding, as [N,H,W,K,K,C]."""
    border = kernel // 2
    padded = np.pad(tensor, ((0, 0), (border, border), (border, border), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
    return np.ascontiguousarray(windows.transpose(0, 1, 2, 4, 5, 3))


def max_pool(tensor: Floats, pool: int) -> Floats:
    """The largest of each pool × pool square; rows and columns left over are dropped."""
    frames, height, width, channels = tensor.shape
    rows, columns = height // pool, width // pool
    whole = tensor[:, : rows * pool, : columns * pool]
    squares = whole.reshape(frames, rows, pool, columns, pool, channels)
    return np.asarray(squares.max(axis=(2, 4)))


def accumulate(stage: PlacedLayer, tensor: Floats, weight: Floats) -> Floats:
    """The sums of products of one layer, before bias, activation and pool: [N,H,W,C]."""
    outputs = stage.weight_shape[0]
    if stage.kind == "dense":
        flat = tensor.reshape(len(tensor), -1) @ weight.reshape(outputs, -1).T
        return flat[:, None, None, :]
    windows = patches(tensor, stage.weight_shape[1])
    if stage.kind == "depthwise":
        return np.asarray(np.einsum("nhwijc,cij->nhwc", windows, weight[..., 0], optimize=True))
    frames, height, width = windows.shape[:3]
    flat = windows.reshape(frames * height * width, -1) @ weight.reshape(outputs, -1).T
    return flat.reshape(frames, height, width, outputs)


def activated(tensor: Floats, activation: str, slope: float) -> Floats:
    """The named activation in floats; nothing when it has no name."""
    match activation:
        case "relu":
            return np.maximum(tensor, 0.0)
        case "relu6":
            return np.clip(tensor, 0.0, 6.0)
        case "prelu":
            return np.where(tensor < 0.0, slope * tensor, tensor)
        case "hard-swish":
            return np.asarray(tensor * np.clip(tensor + 3.0, 0.0, 6.0) / 6.0)
    return tensor


def layer_outputs(
    placed: tuple[PlacedLayer, ...], layers: tuple[FloatLayer, ...], images: NDArray[np.uint8]
) -> list[Floats]:
    """Every layer's float output for frames [N,H,W] or [N,H,W,C], the input scaled to 0..1."""
    placed_first = placed[0].input
    extents = placed_first.height, placed_first.width, placed_first.channels
    tensor: Floats = images.reshape(len(images), *extents).astype(np.float64) / 255.0
    outputs: list[Floats] = []
    for stage, layer in zip(placed, layers, strict=True):
        tensor = accumulate(stage, tensor, layer.weight.astype(np.float64)) + layer.bias
        tensor = max_pool(activated(tensor, stage.activation, layer.slope), stage.pool)
        outputs.append(tensor)
    return outputs
