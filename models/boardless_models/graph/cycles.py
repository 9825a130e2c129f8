"""Cortex-M4 cycles of one inference with the m4 kernels, estimated from the shapes before any run.

The constants are fitted to what each layer of eleven networks takes in emulation, from one call of
a kernel to the next: a convolution comes within 14 %, most within 5 %, and whole networks within
3 %. A pool or a mean, of which a network has few, may be 25 % off.
"""

from __future__ import annotations

from boardless_models.data.network import Network
from boardless_models.graph.chain import blank_graph
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import (
    Add,
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
    macs_of,
)
from boardless_models.graph.kernels import POINT, gather_shape, m4_kernel, winograd_tiles

# Pixel by pixel: each multiplication, each sum, each input value and each weight that is widened.
CONVOLUTION_MAC, CONVOLUTION_SUM, WIDENED_INPUT, WIDENED_WEIGHT = 1.0, 9.8, 14.0, 8.7
# A grey window's nine taps are taken as twelve.
GREY_SHARE = 12 / 9
# Tile by tile: each channel out of each tile (less where the channels into it have a loop of their
# own), of these each channel into it; each channel into a tile; each filter.
TILE_OUTPUT, TILE_OUTPUT_UNROLLED, TILE_PRODUCT = 194.0, 125.0, 17.9
TILE_INPUT, TILE_FILTER = 81.0, 141.0
UNROLLED = (16, 24)
# By planes: a block of outputs in steps of one and of two, each channel, each value widened.
PLANE_BLOCK, PLANE_CHANNEL, PLANE_INPUT = {1: 92.0, 2: 46.0}, 474.0, 4.6
# Gathered: each word of a pixel, each pixel of more than a point, each tap that fills no word of a
# row; each word of a channel's weights and each group of four channels in every batch; each word of
# a pair of pixels times a group, and each such pair.
GATHERED_WORD, GATHERED_PIXEL, GATHERED_TAIL = 5.4, 58.0, 64.0
WEIGHT_WORD, BATCH_GROUP, PAIR_WORD, PAIR = 5.6, 940.0, 16.3, 96.0
DENSE_MAC, DENSE_OUTPUT = {8: 3.1, 4: 4.0}, 125.0
FAST_ADD = 16.5
EACH = {Prelu: 70.0, Lookup: 11.0, Add: 55.0, Concatenate: 6.0, Multiply: 40.0, Select: 20.0}
POOL_TAP, POOL_OUTPUT, MEAN_INPUT = 20.0, 45.0, 12.0
# Four channels at a time.
FAST_TAP, FAST_OUTPUT = 2.5, 30.0


def network_cycles(network: Network) -> int | None:
    """Cycles of a network that nobody has trained yet."""
    return estimated_cycles(fused(blank_graph(network)))


def estimated_cycles(graph: Graph) -> int | None:
    """Cycles of all operators; None where a plain kernel runs a convolution: too many to matter."""
    each = [operator_cycles(graph, operator) for operator in graph.operators]
    known = [cycles for cycles in each if cycles is not None]
    return round(sum(known)) if len(known) == len(each) else None


def operator_cycles(graph: Graph, operator: Operator) -> float | None:
    """Cycles of one operator."""
    source, target = graph.values[operator.input].shape, graph.values[operator.output].shape
    match operator:
        case Convolve():
            return convolution_cycles(graph, operator)
        case Pool() | Mean() if m4_kernel(graph, operator) == "pool":
            taps = source.height * source.width
            if isinstance(operator, Pool):
                taps = operator.window.rows * operator.window.columns
            return (FAST_TAP * taps + FAST_OUTPUT) * target.size
        case Pool():
            taps = operator.window.rows * operator.window.columns
            return (POOL_TAP * taps + POOL_OUTPUT) * target.size
        case Mean():
            return MEAN_INPUT * source.size
        case Add() if m4_kernel(graph, operator) == "add":
            return FAST_ADD * target.size
    kind = Add if isinstance(operator, Add) else type(operator)
    return EACH[kind] * target.size


def convolution_cycles(graph: Graph, operator: Convolve) -> float | None:
    """Cycles of a convolution or a fully connected layer; None of one that m4 has no kernel for."""
    target, macs = graph.values[operator.output].shape, macs_of(graph, operator)
    match m4_kernel(graph, operator):
        case "dense":
            return DENSE_MAC[operator.bits] * macs + DENSE_OUTPUT * target.channels
        case "depthwise":
            return planes_cycles(graph, operator)
        case "winograd":
            return tiled_cycles(graph, operator)
        case "conv2d":
            return rows_cycles(graph, operator)
        case "gather":
            return gathered_cycles(graph, operator)
    return None


def planes_cycles(graph: Graph, operator: Convolve) -> float:
    """Cycles of a depthwise convolution by planes."""
    source, target = graph.values[operator.input].shape, graph.values[operator.output].shape
    stride = operator.window.stride_rows
    blocks = -(-target.width // 2) * (-(-target.height // 2) if stride == 1 else target.height)
    each = PLANE_BLOCK[stride] * blocks + PLANE_CHANNEL
    return each * target.channels + PLANE_INPUT * source.size


def rows_cycles(graph: Graph, operator: Convolve) -> float:
    """Cycles of a convolution of rows of windows."""
    source, target = graph.values[operator.input].shape, graph.values[operator.output].shape
    # Two pixels are computed at once; of an odd row the last one's neighbour is thrown away.
    width = target.width * operator.pool
    computed = (width + width % 2) / width
    taps = macs_of(graph, operator) * (GREY_SHARE if source.channels == 1 else 1.0)
    sums = target.size * operator.pool**2
    widened = WIDENED_INPUT * source.size + WIDENED_WEIGHT * operator.weight.size
    return computed * (CONVOLUTION_MAC * taps + CONVOLUTION_SUM * sums) + widened


def gathered_cycles(graph: Graph, operator: Convolve) -> float:
    """Cycles of a convolution of gathered pixels."""
    target = graph.values[operator.output].shape
    words, batch = gather_shape(graph, operator)
    pixels, groups = target.height * target.width, -(-target.channels // 4)
    pairs, batches = -(-pixels // 2), -(-pixels // batch)
    window = operator.window
    tail = window.rows * (window.columns * graph.values[operator.input].shape.channels % 4)
    pixel = 0.0 if operator.window == POINT and not tail else GATHERED_PIXEL
    gathered = (GATHERED_WORD * words + GATHERED_TAIL * tail + pixel) * pixels
    widened = (WEIGHT_WORD * words * 4 + BATCH_GROUP) * groups * batches
    return gathered + widened + (PAIR_WORD * words + PAIR) * pairs * groups


def tiled_cycles(graph: Graph, operator: Convolve) -> float:
    """Cycles of a 3×3 convolution of tiles of two by two."""
    inputs = graph.values[operator.input].shape.channels
    outputs = graph.values[operator.output].shape.channels
    rows, columns = winograd_tiles(graph, operator)
    output = TILE_OUTPUT_UNROLLED if inputs in UNROLLED else TILE_OUTPUT
    each = (output + TILE_PRODUCT * inputs) * outputs + TILE_INPUT * inputs
    return each * rows * columns + TILE_FILTER * inputs * outputs
