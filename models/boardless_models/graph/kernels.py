"""Which kernel of the firmware runs an operator, and the room that it works in.

The same rules as `firmware/nn/m4` and `firmware/nn/cmsis` decide by; tests hold them together.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from boardless_models.graph.cost import arena, in_words, largest_value
from boardless_models.graph.graph import Convolve, Graph, Operator, Value, Window
from boardless_models.int8.scaling import INT8_MAXIMUM, INT8_MINIMUM
from boardless_sim.errors import ModelError

Backend = Literal["plain", "m4", "cmsis"]
BACKENDS: tuple[Backend, ...] = ("plain", "m4", "cmsis")

RAM_BUDGET_BYTES = 112 * 1024
CHUNK = 4  # channels that the m4 kernels take at once
WORD_BYTES, HALF_BYTES = 4, 2
POINT, WIDE = Window(1, 1), Window(3, 3, 1, 1, 1, 1)
LARGEST_SUM, LARGEST_PRODUCT = 1 << 30, 255 * 128
LEAST_EXPONENT = -23
# Of nn_m4_winograd.c: when it is used, and how many tiles it has at work.
LEAST_TILES, TILE_CHANNELS, LARGEST_FILTER = 9, range(12, 257), 1024
POSITIONS, TILE_BATCH = 16, 8
GREATEST_EXPONENT = {"single": -2, "double": -1}


def scratch_bytes(graph: Graph, backend: Backend) -> int:
    """The arena, and the largest room that an operator's kernel works in."""
    rooms = {"plain": lambda *_: 0, "m4": m4_work_bytes, "cmsis": cmsis_work_bytes}
    work = max(rooms[backend](graph, operator) for operator in graph.operators)
    return arena(graph)[1] + work


def check_ram(graph: Graph, budget: int) -> None:
    """Refuse what does not fit the memory: by how much, and which tensor is the largest."""
    needed = scratch_bytes(graph, "m4")
    over = needed - budget
    if over > 0:
        raise ModelError(
            f"{needed} bytes of RAM, {over} over the budget of {budget}; "
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
    if not isinstance(operator, Convolve):
        return "no sums of products"
    source, target = ends(graph, operator)
    shape = source.shape
    if is_dense(graph, operator) and operator.pool == 1 and shape.channels % CHUNK == 0:
        return ""
    if operator.window not in ((WIDE,) if operator.depthwise else (POINT, WIDE)):
        return "a window other than 3x3 with a border of one, or 1x1, in steps of one"
    if (target.shape.height, target.shape.width) != (
        shape.height // operator.pool,
        shape.width // operator.pool,
    ):
        return "an output of another size than the input"
    if operator.depthwise:
        return "" if shape.channels == target.shape.channels else "a depth multiplier"
    grey = operator.window == WIDE and shape.channels == 1
    if target.shape.channels % CHUNK or (shape.channels % CHUNK and not grey):
        return f"{shape.channels} to {target.shape.channels} channels, not multiples of {CHUNK}"
    if (operator.least, operator.most) != (INT8_MINIMUM, INT8_MAXIMUM):
        return f"a clamp to {operator.least} to {operator.most}"
    return sums_reason(graph, operator)


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
    """Widened activations and four channels' weights (nn_m4.h)."""
    if not isinstance(operator, Convolve) or slow_reason(graph, operator):
        return 0
    shape = graph.values[operator.input].shape
    if is_dense(graph, operator) and operator.pool == 1 and shape.channels % CHUNK == 0:
        return HALF_BYTES * shape.channels
    if takes_winograd(graph, operator):
        return winograd_bytes(graph, operator)
    border = operator.window.left
    columns = shape.width + 2 * border + shape.width % 2
    if operator.depthwise:
        return HALF_BYTES * (shape.height + 2) * columns
    side, rows, chunks = operator.window.rows, operator.window.rows, shape.channels // CHUNK
    height = shape.height + 2 * border
    if side > 1 and shape.channels == 1:
        rows, chunks = 1, 1
    planes = height * chunks * columns * 2
    weights = rows * chunks * 2 * side * CHUNK
    return WORD_BYTES * (planes + weights)


def winograd_tiles(graph: Graph, operator: Convolve) -> tuple[int, int]:
    """Rows and columns of tiles of two by two outputs, before a pool."""
    _, target = ends(graph, operator)
    step = 1 if operator.pool == 2 else 2
    return -(-target.shape.height // step), -(-target.shape.width // step)


def takes_winograd(graph: Graph, operator: Operator) -> bool:
    """Whether m4 runs a convolution, of those that it runs, tile by tile (nn_m4_winograd.c)."""
    if not isinstance(operator, Convolve):
        return False
    source, target = ends(graph, operator)
    rows, columns = winograd_tiles(graph, operator)
    inputs, outputs = source.shape.channels, target.shape.channels
    return (
        operator.window == WIDE
        and not operator.depthwise
        and inputs in TILE_CHANNELS
        and inputs * outputs <= LARGEST_FILTER
        and rows * columns >= LEAST_TILES
    )


def winograd_bytes(graph: Graph, operator: Convolve) -> int:
    """Planes, transformed weights, the values and the sums of eight tiles."""
    source, target = ends(graph, operator)
    rows, columns = winograd_tiles(graph, operator)
    pairs = source.shape.channels // 2
    planes = (2 * rows + 2) * pairs * (2 * columns + 2)
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
