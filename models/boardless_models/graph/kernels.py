"""Which kernel of the firmware runs an operator, and the room that it works in.

The exporter writes what is chosen here into the model; the rooms are those of `firmware/nn/m4` and
`firmware/nn/cmsis`, and tests hold them together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from boardless_models.graph.graph import (
    Add,
    AddConstant,
    Convolve,
    Graph,
    Mean,
    Operator,
    Pool,
    Value,
    Window,
)
from boardless_models.graph.memory import Plan, arena, in_words, largest_value
from boardless_sim.errors import ModelError

Backend = Literal["plain", "m4", "cmsis"]
BACKENDS: tuple[Backend, ...] = ("plain", "m4", "cmsis")
Kernel = Literal["plain", "conv2d", "gather", "winograd", "dense", "depthwise", "add", "pool"]

# Of 128 KB: beside a frame of the camera, the stack and what else the firmware has.
RAM_BUDGET_BYTES = 96 * 1024
CHUNK = 4  # channels, or taps, that the m4 kernels take at once
WORD_BYTES, HALF_BYTES = 4, 2
POINT, WIDE = Window(1, 1), Window(3, 3, 1, 1, 1, 1)
LARGEST_SUM, LARGEST_PRODUCT = 1 << 30, 255 * 128
LEAST_EXPONENT = -23
# Of nn_m4_winograd.c: when it is used, and how many tiles it has at work.
LEAST_TILES, TILE_CHANNELS, LARGEST_FILTER = 9, range(12, 257), 1024
POSITIONS, TILE_BATCH = 16, 8
TILE_PLANES_BYTES = 16_384  # that the planes may take, unless one row of tiles needs more
LARGEST_POOL = 255  # pixels, whose sum has 16 bits
# Of nn_m4_gather.c: what a batch of pixels may take, and the fewest of a batch.
GATHER_BYTES, LEAST_BATCH = 16_384, 8
GREATEST_EXPONENT = {"single": -2, "double": -1}


def scratch_bytes(graph: Graph, backend: Backend) -> int:
    """The arena, and beyond it what a kernel needs behind the tensors that are alive."""
    rooms: dict[Backend, Callable[[Graph, Operator], int]] = {
        "plain": lambda *_: 0,
        "m4": m4_work_bytes,
        "cmsis": cmsis_work_bytes,
    }
    plan = planned(graph)
    needs = (rooms[backend](graph, operator) for operator in graph.operators)
    return max(plan.size, *(top + need for top, need in zip(plan.tops, needs, strict=True)))


def planned(graph: Graph) -> Plan:
    """Where values and rooms stand, the rooms as the m4 kernels need them."""
    return arena(graph, tuple(m4_work_bytes(graph, operator) for operator in graph.operators))


def fitted(graph: Graph, budget: int) -> Graph:
    """The graph with the fastest kernels that the memory has room for.

    Refuses what does not fit: by how much, and which tensor is the largest.
    """
    for choice in (graph, replace(graph, tiles=False)):
        needed = scratch_bytes(choice, "m4")
        if needed <= budget:
            return choice
    raise ModelError(
        f"{needed} bytes of RAM, {needed - budget} over the budget of {budget}; "
        f"the largest is {largest_value(graph)}"
    )


def ends(graph: Graph, operator: Operator) -> tuple[Value, Value]:
    """What it reads and what it writes."""
    return graph.values[operator.input], graph.values[operator.output]


def is_dense(graph: Graph, operator: Convolve) -> bool:
    """A convolution of 1×1 over one pixel."""
    source, _ = ends(graph, operator)
    return (source.shape.height, source.shape.width) == (1, 1) and operator.window == POINT


def slow_reason(graph: Graph, operator: Operator) -> str:
    """Why the m4 back end leaves an operator to the plain kernels; empty where it does not."""
    if m4_kernel(graph, operator) != "plain":
        return ""
    if isinstance(operator, Add) and graph.rounding == "double":
        return "a sum that is rounded twice"
    if isinstance(operator, AddConstant):
        return "a constant in each sum"
    if isinstance(operator, Pool | Mean):
        return "channels not in fours, or more than 255 pixels"
    if not isinstance(operator, Convolve):
        return "no sums of products"
    if operator.depthwise and not fits_planes(graph, operator):
        return "a window other than 3x3 in steps of one or two, or channels not in fours"
    if operator.pool != 1 and not fits_conv2d(graph, operator):
        return "a pool behind a window other than 3x3 and 1x1, or channels not in fours"
    return sums_reason(graph, operator)


def m4_kernel(graph: Graph, operator: Operator) -> Kernel:
    """The kernel that the m4 back end runs an operator with (nn_fast in nn_model.h)."""
    if isinstance(operator, Add):
        fast = graph.rounding == "single" and not isinstance(operator, AddConstant)
        return "add" if fast else "plain"
    if isinstance(operator, Pool | Mean):
        return "pool" if fits_lanes(graph, operator) else "plain"
    if not isinstance(operator, Convolve):
        return "plain"
    channels = graph.values[operator.input].shape.channels
    if is_dense(graph, operator) and operator.pool == 1 and channels % CHUNK == 0:
        return "dense"
    if sums_reason(graph, operator):
        return "plain"
    if operator.depthwise:
        return "depthwise" if fits_planes(graph, operator) else "plain"
    if fits_conv2d(graph, operator):
        return "winograd" if graph.tiles and fits_tiles(graph, operator) else "conv2d"
    return "gather" if operator.pool == 1 else "plain"


def fits_lanes(graph: Graph, operator: Pool | Mean) -> bool:
    """Whether a pool or a mean is one of four channels at a time (nn_m4_pool.c)."""
    shape = graph.values[operator.input].shape
    extents = shape.height, shape.width
    if isinstance(operator, Pool):
        extents = operator.window.rows, operator.window.columns
    return shape.channels % CHUNK == 0 and extents[0] * extents[1] <= LARGEST_POOL


def fits_planes(graph: Graph, operator: Convolve) -> bool:
    """Whether a depthwise convolution is one of planes (nn_m4_depthwise.c)."""
    source, target = ends(graph, operator)
    window = operator.window
    steps = window.stride_rows, window.stride_columns
    return (
        (window.rows, window.columns) == (WIDE.rows, WIDE.columns)
        and steps in ((1, 1), (2, 2))
        and max(window.top, window.left) <= 1
        and source.shape.channels == target.shape.channels
        and source.shape.channels % CHUNK == 0
    )


def fits_conv2d(graph: Graph, operator: Convolve) -> bool:
    """Whether a convolution is one of rows of windows (nn_m4_conv2d.c); points only with a pool."""
    source, target = ends(graph, operator)
    shape, pool = source.shape, operator.pool
    if operator.window != WIDE and not (operator.window == POINT and pool == 2):
        return False
    same = (target.shape.height, target.shape.width) == (shape.height // pool, shape.width // pool)
    grey = operator.window == WIDE and shape.channels == 1
    in_fours = target.shape.channels % CHUNK == 0 and (shape.channels % CHUNK == 0 or grey)
    return same and in_fours and not operator.depthwise


def sums_reason(graph: Graph, operator: Convolve) -> str:
    """Why requantising in 32 bits could overflow; empty where it cannot."""
    taps = operator.weight[0].size
    exponents = int(operator.exponent.min()), int(operator.exponent.max())
    bias = int(np.abs(operator.bias.astype(np.int64)).max())
    if taps > LARGEST_SUM // LARGEST_PRODUCT or bias > LARGEST_SUM:
        return f"{taps} products a sum, a bias of {bias}"
    if exponents[0] < LEAST_EXPONENT or exponents[1] > GREATEST_EXPONENT[graph.rounding]:
        return f"exponents {exponents[0]} to {exponents[1]}"
    return ""


def m4_work_bytes(graph: Graph, operator: Operator) -> int:
    """The room of the kernel that is chosen (nn_m4.h)."""
    if not isinstance(operator, Convolve):
        return 0
    match m4_kernel(graph, operator):
        case "dense":
            return HALF_BYTES * graph.values[operator.input].shape.channels
        case "winograd":
            return winograd_bytes(graph, operator)
        case "conv2d":
            return conv2d_bytes(graph, operator)
        case "gather":
            return gather_bytes(graph, operator)
        case "depthwise":
            return planes_bytes(graph, operator)
    return 0


def conv2d_bytes(graph: Graph, operator: Convolve) -> int:
    """Widened activations and four channels' weights."""
    shape = graph.values[operator.input].shape
    border = operator.window.left
    columns = shape.width + 2 * border + shape.width % 2
    side, rows, chunks = operator.window.rows, operator.window.rows, shape.channels // CHUNK
    height = shape.height + 2 * border
    if side > 1 and shape.channels == 1:
        rows, chunks = 1, 1
    planes = height * chunks * columns * 2
    weights = rows * chunks * 2 * side * CHUNK
    return WORD_BYTES * (planes + weights)


def gather_shape(graph: Graph, operator: Convolve) -> tuple[int, int]:
    """Words of a gathered pixel, and how many pixels there are at a time (nn_m4_gather.c)."""
    source, target = ends(graph, operator)
    run, rows = operator.window.columns * source.shape.channels, operator.window.rows
    words = 2 * (rows * (run // CHUNK) + -(-rows * (run % CHUNK) // CHUNK))
    pixels = target.shape.height * target.shape.width
    room = GATHER_BYTES // WORD_BYTES - gather_fixed_words(words, rows * run)
    batch = min(max(max(room, 0) // words, LEAST_BATCH), pixels)
    return words, batch + batch % 2


def gather_fixed_words(words: int, window_bytes: int) -> int:
    """Four channels' weights, and one window as bytes."""
    return words * CHUNK + in_words(window_bytes) // WORD_BYTES


def gather_bytes(graph: Graph, operator: Convolve) -> int:
    """A batch of gathered pixels, what is fixed, and channels that are no group of four."""
    words, batch = gather_shape(graph, operator)
    source, target = ends(graph, operator)
    window = operator.window.rows * operator.window.columns * source.shape.channels
    spare = batch if target.shape.channels % CHUNK else 0
    return WORD_BYTES * (batch * words + gather_fixed_words(words, window) + spare)


def planes_bytes(graph: Graph, operator: Convolve) -> int:
    """Four channels' planes of int16 with their border."""
    shape = graph.values[operator.output].shape
    stride = operator.window.stride_rows
    columns = 2 * stride * -(-shape.width // 2) + 2
    rows = shape.height + shape.height % 2 + 2 if stride == 1 else 2 * shape.height + 1
    return CHUNK * HALF_BYTES * rows * columns


def winograd_tiles(graph: Graph, operator: Convolve) -> tuple[int, int]:
    """Rows and columns of tiles of two by two outputs, before a pool."""
    _, target = ends(graph, operator)
    step = 1 if operator.pool == 2 else 2
    return -(-target.shape.height // step), -(-target.shape.width // step)


def fits_tiles(graph: Graph, operator: Convolve) -> bool:
    """Whether a convolution that is one of rows pays tile by tile (nn_m4_winograd.c)."""
    source, target = ends(graph, operator)
    rows, columns = winograd_tiles(graph, operator)
    inputs, outputs = source.shape.channels, target.shape.channels
    return (
        operator.window == WIDE
        and inputs in TILE_CHANNELS
        and inputs * outputs <= LARGEST_FILTER
        and rows * columns >= LEAST_TILES
    )


def winograd_bytes(graph: Graph, operator: Convolve) -> int:
    """Planes, transformed weights, the values and the sums of eight tiles."""
    source, target = ends(graph, operator)
    rows, columns = winograd_tiles(graph, operator)
    pairs = source.shape.channels // 2
    row = pairs * (2 * columns + 2)
    fitting = TILE_PLANES_BYTES // (WORD_BYTES * row)
    band = min(1 if fitting < 4 else (fitting - 2) // 2, rows)
    planes = (2 * band + 2) * row
    weights = POSITIONS * pairs * target.shape.channels
    values = POSITIONS * pairs * TILE_BATCH
    return WORD_BYTES * (planes + weights + values + TILE_BATCH * CHUNK * POSITIONS)


def cmsis_work_bytes(graph: Graph, operator: Operator) -> int:
    """Shifts as words, weights of another layout, the values before a pool, CMSIS-NN's own room.

    The last is what CMSIS-NN 7 asks for at most on a Cortex-M4; `nn_run` asks the library itself.
    """
    if not isinstance(operator, Convolve):
        return 0
    source, target = ends(graph, operator)
    shape, taps = target.shape, operator.weight[0].size
    copied = operator.weight.size if operator.depthwise or operator.bits == 4 else 0
    pixels = shape.height * shape.width * operator.pool**2
    if operator.window == POINT:
        pixels = source.shape.height * source.shape.width
    pooled = shape.channels * pixels if operator.pool > 1 else 0
    own = HALF_BYTES * (source.shape.channels * taps if operator.depthwise else 2 * in_words(taps))
    return WORD_BYTES * shape.channels + sum(map(in_words, (copied, pooled, own)))
