"""Graphs of random shapes whose sums reach both ends of what a kernel must hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.graph.graph import Convolve, Graph, Value, Window, output_extent
from boardless_models.int8.scaling import Rounding

LARGEST_BIAS = 1 << 30
POOLED = 0.41  # the share of convolutions that have a pool
WIDE = Window(3, 3, 1, 1, 1, 1)


class RandomGraph:
    """Convolutions one after the other, drawn from a seed."""

    def __init__(self, seed: int, shape: Shape | None = None) -> None:
        self.random = np.random.default_rng(seed)
        shape = shape or Shape(self.draw(1, 13), self.draw(1, 13), self.draw(1, 1 + 8 * (seed % 2)))
        self.values = [Value("input", shape, 1.0, -128, 0)]
        self.operators: list[Convolve] = []

    def draw(self, least: int, most: int) -> int:
        return int(self.random.integers(least, most + 1))

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def extremes(self, largest: int, shape: tuple[int, ...]) -> NDArray[np.int8]:
        ends = self.random.choice(np.array([-largest, 0, largest]), shape)
        spread = self.random.integers(-largest, largest + 1, shape)
        return np.where(self.random.random(shape) < 0.5, ends, spread).astype(np.int8)

    def add(self, depthwise: bool = False, flat: bool = False, wide_to: int = 0) -> None:
        """One more convolution; flat: over everything as one pixel; wide_to: 3×3 to as many."""
        if flat:
            last = self.values[-1]
            self.values.append(
                Value("flat", Shape(1, 1, last.shape.size), 1.0, last.zero_point, last.storage)
            )
        source = self.values[-1]
        window, shape = self.window(source.shape, flat)
        if wide_to:
            window, shape = WIDE, (source.shape.height, source.shape.width)
        inputs = source.shape.channels
        many = self.draw(1, 4) * (4 if self.chance(0.7) else 1)
        outputs = inputs * (1 if self.chance(0.8) else 2) if depthwise else wide_to or many
        bits = 4 if not depthwise and self.chance(0.4) else 8
        pool = 2 if not depthwise and min(shape) >= 2 and self.chance(POOLED) else 1
        target = Shape(shape[0] // pool, shape[1] // pool, outputs)
        largest = 7 if bits == 4 else 127
        weight_shape = (outputs, window.rows, window.columns, 1 if depthwise else inputs)
        weight = self.extremes(largest, weight_shape)
        # The spread of the sums, brought down to about the spread of int8.
        lowered = int(np.log2(weight[0].size) / 2) + (7 if bits == 8 else 3)
        wild = self.chance(0.2)  # sums near the end of 32 bits, and factors near one
        bias = self.random.integers(-30_000, 30_000, outputs)
        if wild:
            bias = self.random.choice(np.array([-LARGEST_BIAS, 0, LARGEST_BIAS]), outputs)
        exponent = -lowered - self.random.integers(0, 3, outputs)
        zero_point = -128 if self.chance(0.7) else self.draw(-128, 127)
        least = zero_point if self.chance(0.6) else -128
        self.values.append(Value("value", target, 1.0, zero_point, len(self.values)))
        self.operators.append(
            Convolve(
                name=f"layer {len(self.operators)}",
                input=len(self.values) - 2,
                output=len(self.values) - 1,
                depthwise=depthwise,
                window=window,
                weight=weight,
                bias=bias.astype(np.int32),
                multiplier=self.random.integers(1 << 30, 1 << 31, outputs).astype(np.int32),
                exponent=exponent.astype(np.int8),
                scales=np.ones(outputs, np.float32),
                least=least,
                most=127,
                pool=pool,
                bits=bits,
            )
        )

    def window(self, shape: Shape, flat: bool) -> tuple[Window, tuple[int, int]]:
        """Mostly what the m4 kernels take, and the pixels that it makes."""
        if flat or self.chance(0.3):
            return Window(1, 1), (shape.height, shape.width)
        if self.chance(0.8):
            return WIDE, (shape.height, shape.width)
        side, stride = self.draw(1, 5), self.draw(1, 2)
        rows, top = output_extent(shape.height, side, stride, same=True)
        columns, left = output_extent(shape.width, side, stride, same=True)
        return Window(side, side, stride, stride, top, left), (rows, columns)

    def graph(self, rounding: Rounding) -> Graph:
        return Graph(
            "random",
            tuple(self.values),
            tuple(self.operators),
            input=0,
            output=len(self.values) - 1,
            rounding=rounding,
            score_step=700,
        )


class StridedGraph(RandomGraph):
    """Windows of up to eleven, steps of up to three, with a border or without."""

    depthwise = False

    def add(self, depthwise: bool = False, flat: bool = False, wide_to: int = 0) -> None:
        self.depthwise = depthwise
        super().add(depthwise, flat, wide_to)

    def chance(self, share: float) -> bool:
        """No pool: a window under one is another kernel's."""
        return share != POOLED and super().chance(share)

    def window(self, shape: Shape, flat: bool) -> tuple[Window, tuple[int, int]]:
        if flat:
            return super().window(shape, flat)
        rows, columns = (
            self.draw(1, min(11, shape.height + 2)),
            self.draw(1, min(5, shape.width + 1)),
        )
        steps = self.draw(1, 3), self.draw(1, 3)
        if self.depthwise:
            rows = columns = 3
            steps = (self.draw(1, 2),) * 2
        same = self.chance(0.6) or rows > shape.height or columns > shape.width
        height, top = output_extent(shape.height, rows, steps[0], same)
        width, left = output_extent(shape.width, columns, steps[1], same)
        return Window(rows, columns, *steps, top, left), (height, width)


def strided_graph(seed: int, rounding: Rounding) -> Graph:
    """What is gathered and what goes by planes: two of each, and a fully connected layer."""
    random = np.random.default_rng((seed, 5))
    height, width, channels = (int(random.integers(*span)) for span in ((3, 20), (3, 20), (1, 13)))
    made = StridedGraph(seed, Shape(height, width, channels))
    made.add()
    made.add(depthwise=True)
    made.add()
    made.add(depthwise=True)
    made.add(flat=True)
    return made.graph(rounding)


def random_graph(seed: int, rounding: Rounding) -> Graph:
    """Two convolutions, one of them now and then depthwise, and a fully connected layer."""
    made = RandomGraph(seed)
    made.add()
    made.add(depthwise=made.chance(0.4))
    made.add(flat=True)
    return made.graph(rounding)


def wide_graph(seed: int, channels: int, rounding: Rounding) -> Graph:
    """Two convolutions of 3×3 that m4 runs tile by tile, and a fully connected layer."""
    height, width = np.random.default_rng((seed, channels)).integers(6, 12, 2)
    made = RandomGraph(seed, Shape(int(height), int(width), channels))
    made.add(wide_to=channels)
    made.add(wide_to=4 * made.draw(1, 4))
    made.add(flat=True)
    return made.graph(rounding)


def random_frames(seed: int, count: int, shape: Shape) -> NDArray[np.uint8]:
    """[N,H,W,C]; the first ones are flat, at both ends."""
    random = np.random.default_rng(seed)
    frames = random.integers(0, 256, (count, shape.height, shape.width, shape.channels), np.uint8)
    frames[0], frames[1] = 0, 255
    return frames
