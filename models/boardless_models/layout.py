"""How the C kernels want a network: weights in pairs of channels, and the scratch it needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boardless_models.network import Conv2d, Dense, Depthwise, Network, Shape, Stage, stages
from boardless_sim.errors import ModelError

UNFOLD_TAPS = 12
WORD_BYTES = 4
LARGEST_EXTENT = 255
TAPS_IN_A_WORD = 4
# A ReLU6 needs no kernel of its own: its range ends at six or below, and int8 saturates there.
KERNEL_ACTIVATIONS = ("relu", "relu6")
# Bit positions of the eight 4-bit weights of a word: [tap, channel].
NIBBLE_AT = np.array([[0, 4], [16, 20], [8, 12], [24, 28]], np.uint32)
NIBBLE_ZERO = 8


def check_supported(network: Network) -> None:
    """Refuse a network that the kernels cannot run, with the layer and the reason."""
    placed = stages(network)
    for index, stage in enumerate(placed):
        complaint = unsupported(stage, index == 0, index == len(placed) - 1)
        if complaint:
            raise ModelError(f"layer {index} ({stage.kind}): {complaint}")


def unsupported(stage: Stage, is_first: bool, is_last: bool) -> str:
    """Why the kernels cannot run this layer in this place; empty when they can."""
    if is_last != isinstance(stage.layer, Dense):
        return "the last layer, and no other, is dense"
    if stage.output.channels % 2 or max(stage.input.height, stage.input.width) > LARGEST_EXTENT:
        return f"an even number of channels on at most {LARGEST_EXTENT} rows and columns"
    if stage.output.channels > LARGEST_EXTENT or stage.output.size == 0:
        return f"1 to {LARGEST_EXTENT} channels, and an output that is not empty"
    if stage.activation not in ("", *KERNEL_ACTIVATIONS):
        return f"activation {stage.activation}, expected {' or '.join(KERNEL_ACTIVATIONS)}"
    if is_first:
        grey = isinstance(stage.layer, Conv2d) and stage.layer.kernel == 3
        return "" if grey and stage.input.channels == 1 else "the first is a 3x3 conv2d of grey"
    return unsupported_kind(stage)


def unsupported_kind(stage: Stage) -> str:
    """What the kernel of this kind of layer cannot do; empty when it can."""
    match stage.layer:
        case Conv2d(_, kernel, pool):
            if kernel not in (1, 3) or pool not in (1, 2):
                return f"kernel {kernel}, pool {pool}; expected kernel 1 or 3, pool 1 or 2"
            if stage.input.channels % 4:
                return f"{stage.input.channels} input channels, expected a multiple of 4"
        case Depthwise(kernel, bits):
            if bits != 8:
                return f"{bits}-bit weights, expected 8"
            return "" if kernel == 3 else f"kernel {kernel}, expected 3"
        case Dense(_, bits):
            row = stage.input.width * stage.input.channels
            if bits == 4 and row % TAPS_IN_A_WORD:
                return f"{row} values a row, expected a multiple of 4 under 4-bit weights"
    return ""


def packed_weights(weight: NDArray[np.int8], is_first: bool, bits: int = 8) -> NDArray[np.int8]:
    """[out,taps] as [out/2,taps,2]; the first layer's nine taps are filled up to twelve."""
    taps = weight.reshape(len(weight), -1)
    if is_first:
        taps = np.pad(taps, ((0, 0), (0, UNFOLD_TAPS - taps.shape[1])))
    pairs = taps.reshape(len(taps) // 2, 2, taps.shape[1])
    paired = np.ascontiguousarray(pairs.transpose(0, 2, 1)).reshape(-1)
    return packed_nibbles(paired) if bits == 4 else paired


def packed_nibbles(paired: NDArray[np.int8]) -> NDArray[np.int8]:
    """Two weights a byte: a word holds four taps of two channels, each with eight added.

    They stand so that a shift and a mask give the kernels a pair of taps of one channel.
    """
    groups = (paired.reshape(-1, TAPS_IN_A_WORD, 2).astype(np.int16) + NIBBLE_ZERO).astype(
        np.uint32
    )
    words = (groups << NIBBLE_AT).sum(axis=(1, 2), dtype=np.uint32)
    return np.asarray(words.astype("<u4").view(np.int8), np.int8)


def tensor_words(shape: Shape) -> int:
    """Words of a tensor with its border, and one pixel after it."""
    pixel = shape.channels // 2
    return (shape.height + 2) * (shape.width + 2) * pixel + pixel


def scratch_bytes(network: Network) -> int:
    """Two tensors that take turns, and room for two channels' expanded weights or an output."""
    placed = stages(network)
    turns = [tensor_words(Shape(network.input.height, network.input.width, UNFOLD_TAPS)), 0]
    work = 0
    for index, stage in enumerate(placed):
        if not stage.is_last:
            turn = (index + 1) % 2
            turns[turn] = max(turns[turn], tensor_words(stage.output))
        work = max(work, -(-stage.output.size // WORD_BYTES))
        if isinstance(stage.layer, Conv2d):
            taps = UNFOLD_TAPS if index == 0 else stage.fan_in
            work = max(work, taps)
    return WORD_BYTES * (sum(turns) + work)
