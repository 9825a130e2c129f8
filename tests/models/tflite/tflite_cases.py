"""Small random networks as .tflite, one for each thing that the import must get right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.graph.graph import output_extent
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, FileTensor, Options, TfliteFile


class Maker:
    """A network that grows by an operator at a time, with random weights and grids."""

    def __init__(self, seed: int, height: int = 9, width: int = 11, channels: int = 1) -> None:
        self.random = np.random.default_rng(seed)
        self.tensors: list[FileTensor] = []
        self.operators: list[FileOperator] = []
        self.source = self.value((1, height, width, channels), scale=1 / 255, zero_point=-128)

    def file(self, output: int) -> TfliteFile:
        return TfliteFile(tuple(self.tensors), tuple(self.operators), (self.source,), (output,))

    def add(self, tensor: FileTensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def value(
        self, shape: tuple[int, ...], scale: float | None = None, zero_point: int | None = None
    ) -> int:
        grid = self.random.uniform(0.02, 0.06) if scale is None else scale
        point = int(self.random.integers(-128, 100)) if zero_point is None else zero_point
        return self.add(
            FileTensor(
                f"value_{len(self.tensors)}",
                shape,
                tfl.INT8,
                scales=np.array([grid], np.float32),
                zero_points=np.array([point], np.int64),
            )
        )

    def like(self, index: int, shape: tuple[int, ...]) -> int:
        tensor = self.tensors[index]
        return self.value(shape, float(tensor.scales[0]), int(tensor.zero_points[0]))

    def constants(
        self, shape: tuple[int, ...], axis: int, scales: int, low: float = 0.002
    ) -> list[int]:
        weight = self.random.integers(-127, 128, shape).astype(np.int8)
        grid = self.random.uniform(low, 3 * low, scales).astype(np.float32)
        bias = self.random.integers(-3_000, 3_000, shape[axis]).astype(np.int32)
        zeros = np.zeros(scales, np.int64)
        number = len(self.tensors)
        return [
            self.add(
                FileTensor(f"w_{number}", shape, tfl.INT8, weight.tobytes(), grid, zeros, axis)
            ),
            self.add(
                FileTensor(
                    f"b_{number}",
                    bias.shape,
                    tfl.INT32,
                    bias.tobytes(),
                    grid * np.float32(0.01),
                    zeros,
                )
            ),
        ]

    def append(
        self, code: int, inputs: list[int], output: int, options: Options | None = None
    ) -> int:
        operator = FileOperator(code, tuple(inputs), (output,), options or Options())
        self.operators.append(operator)
        return output

    def windowed(self, source: int, options: Options, rows: int, columns: int) -> tuple[int, int]:
        _, height, width, _ = self.tensors[source].shape
        same = options.padding == tfl.SAME
        return (
            output_extent(height, rows, options.stride_height, same)[0],
            output_extent(width, columns, options.stride_width, same)[0],
        )

    def conv(
        self,
        source: int,
        outputs: int,
        kernel: tuple[int, int] = (3, 3),
        strides: tuple[int, int] = (1, 1),
        padding: int = tfl.SAME,
        activation: int = tfl.RELU,
        per_channel: bool = True,
    ) -> int:
        channels = self.tensors[source].shape[3]
        options = Options(
            padding=padding,
            stride_height=strides[0],
            stride_width=strides[1],
            activation=activation,
        )
        constants = self.constants((outputs, *kernel, channels), 0, outputs if per_channel else 1)
        extents = self.windowed(source, options, *kernel)
        output = self.value((1, *extents, outputs))
        return self.append(tfl.CONV_2D, [source, *constants], output, options)

    def depthwise(
        self,
        source: int,
        multiplier: int = 1,
        kernel: tuple[int, int] = (3, 3),
        strides: tuple[int, int] = (1, 1),
        padding: int = tfl.SAME,
    ) -> int:
        channels = self.tensors[source].shape[3] * multiplier
        options = Options(
            padding=padding,
            stride_height=strides[0],
            stride_width=strides[1],
            depth_multiplier=multiplier,
            activation=tfl.RELU6,
        )
        constants = self.constants((1, *kernel, channels), 3, channels, 0.004)
        extents = self.windowed(source, options, *kernel)
        output = self.value((1, *extents, channels))
        return self.append(tfl.DEPTHWISE_CONV_2D, [source, *constants], output, options)

    def pool(
        self,
        source: int,
        code: int,
        window: tuple[int, int] = (2, 2),
        strides: tuple[int, int] = (2, 2),
        padding: int = tfl.VALID,
    ) -> int:
        options = Options(
            padding=padding,
            stride_height=strides[0],
            stride_width=strides[1],
            window_height=window[0],
            window_width=window[1],
        )
        extents = self.windowed(source, options, *window)
        output = self.like(source, (1, *extents, self.tensors[source].shape[3]))
        return self.append(code, [source], output, options)

    def dense(self, source: int, outputs: int, per_channel: bool = False) -> int:
        size = int(np.prod(self.tensors[source].shape))
        constants = self.constants((outputs, size), 0, outputs if per_channel else 1, 0.001)
        output = self.value((1, outputs), scale=0.2, zero_point=3)
        return self.append(tfl.FULLY_CONNECTED, [source, *constants], output)

    def reshape(self, source: int, shape: tuple[int, ...]) -> int:
        extents = np.array(shape, np.int32)
        constant = self.add(FileTensor("extents", extents.shape, tfl.INT32, extents.tobytes()))
        return self.append(tfl.RESHAPE, [source, constant], self.like(source, shape))

    def plus(
        self,
        first: int,
        second: int,
        activation: int = tfl.NO_ACTIVATION,
        scale: float | None = None,
    ) -> int:
        output = self.value(self.tensors[first].shape, scale)
        return self.append(tfl.ADD, [first, second], output, Options(activation=activation))

    def both(self, code: int, first: int, second: int, activation: int = tfl.NO_ACTIVATION) -> int:
        output = self.value(self.tensors[first].shape)
        return self.append(code, [first, second], output, Options(activation=activation))

    def moved(
        self,
        code: int,
        source: int,
        shape: tuple[int, ...],
        *numbers: list[Any],
        options: Options | None = None,
    ) -> int:
        given = [self.integers(f"numbers_{len(self.tensors)}", each) for each in numbers]
        output = self.like(source, shape)
        return self.append(code, [source, *given], output, options or Options())

    def split(self, source: int, axis: int, parts: int) -> list[int]:
        shape = list(self.tensors[source].shape)
        shape[axis] //= parts
        number = self.add(FileTensor("axis", (), tfl.INT32, np.int32(axis).tobytes()))
        outputs = [self.like(source, tuple(shape)) for _ in range(parts)]
        operator = FileOperator(tfl.SPLIT, (number, source), tuple(outputs), Options(parts=parts))
        self.operators.append(operator)
        return outputs

    def plus_constant(
        self, source: int, values: int, is_first: bool = False, code: int = tfl.ADD
    ) -> int:
        data = self.random.integers(-128, 128, values).astype(np.int8).tobytes()
        scale = np.array([self.random.uniform(0.005, 0.05)], np.float32)
        points = np.array([self.random.integers(-128, 128)], np.int64)
        constant = self.add(
            FileTensor(f"added_{len(self.tensors)}", (values,), tfl.INT8, data, scale, points)
        )
        inputs = [constant, source] if is_first else [source, constant]
        return self.append(code, inputs, self.value(self.tensors[source].shape))

    def scaled(self, source: int, values: int) -> int:
        data = self.random.integers(-100, 101, values).astype(np.int8).tobytes()
        scale, point = np.array([0.02], np.float32), np.array([3], np.int64)
        constant = self.add(
            FileTensor(f"factors_{len(self.tensors)}", (values,), tfl.INT8, data, scale, point)
        )
        return self.append(tfl.MUL, [source, constant], self.value(self.tensors[source].shape))

    def by_itself(self, source: int, code: int, alpha: float = 0.0) -> int:
        tensor = self.tensors[source]
        output = self.value(tensor.shape, float(tensor.scales[0]), int(tensor.zero_points[0]))
        return self.append(code, [source], output, Options(alpha=alpha))

    def prelu(self, source: int, slopes: int, zero_point: int = 0) -> int:
        values = self.random.integers(-128, 128, slopes).astype(np.int8)
        constant = FileTensor(
            f"slopes_{len(self.tensors)}",
            (1, 1, slopes),
            tfl.INT8,
            values.tobytes(),
            np.array([self.random.uniform(0.001, 0.004)], np.float32),
            np.array([zero_point], np.int64),
        )
        inputs = [source, self.add(constant)]
        return self.append(tfl.PRELU, inputs, self.value(self.tensors[source].shape))

    def table(self, source: int, code: int) -> int:
        grids = {tfl.LOGISTIC: (1 / 256, -128), tfl.TANH: (1 / 128, 0)}
        output = self.value(self.tensors[source].shape, *grids.get(code, (None, None)))
        return self.append(code, [source], output)

    def integers(self, name: str, values: list[object]) -> int:
        array = np.array(values, np.int32)
        return self.add(FileTensor(name, array.shape, tfl.INT32, array.tobytes()))

    def mean(self, source: int, keep: bool = True, scale: float | None = None) -> int:
        channels = self.tensors[source].shape[3]
        shape = (1, 1, 1, channels) if keep else (1, channels)
        output = self.like(source, shape) if scale is None else self.value(shape, scale)
        inputs = [source, self.integers("axes", [1, 2])]
        return self.append(tfl.MEAN, inputs, output, Options(keep_dimensions=int(keep)))

    def pad(self, source: int, top: int, bottom: int, left: int, right: int) -> int:
        _, height, width, channels = self.tensors[source].shape
        shape = (1, height + top + bottom, width + left + right, channels)
        paddings = self.integers("paddings", [[0, 0], [top, bottom], [left, right], [0, 0]])
        return self.append(tfl.PAD, [source, paddings], self.like(source, shape))

    def concatenate(self, *sources: int) -> int:
        channels = sum(self.tensors[source].shape[3] for source in sources)
        shape = (*self.tensors[sources[0]].shape[:3], channels)
        output = self.like(sources[0], shape)
        return self.append(tfl.CONCATENATION, [*sources], output, Options(axis=3))

    def softmax(self, source: int) -> int:
        output = self.value(self.tensors[source].shape, 1 / 256, -128)
        return self.append(tfl.SOFTMAX, [source], output, Options(beta=1.0))


def strides_and_borders(seed: int) -> TfliteFile:
    """Strides of two and three, windows that are not square, SAME with uneven borders, VALID."""
    make = Maker(seed, 17, 14)
    at = make.conv(make.source, 3, (5, 3), (2, 1))
    at = make.conv(at, 5, (3, 4), (1, 2), tfl.VALID, tfl.NO_ACTIVATION, per_channel=False)
    at = make.conv(at, 4, (2, 2), (1, 1), tfl.SAME, tfl.RELU_N1_TO_1)
    return make.file(make.dense(at, 7, per_channel=True))


def depthwise_and_pools(seed: int) -> TfliteFile:
    """Depth multipliers, ReLU6, overlapping and padded pools, a mean over everything."""
    make = Maker(seed, 12, 13)
    at = make.depthwise(make.source, 6, (3, 3), (1, 1))
    at = make.pool(at, tfl.MAX_POOL_2D, (3, 3), (2, 2), tfl.SAME)
    at = make.depthwise(at, 2, (3, 2), (1, 2), tfl.VALID)
    at = make.pool(at, tfl.AVERAGE_POOL_2D, (3, 3), (1, 1), tfl.SAME)
    at = make.conv(at, 9, (1, 1))
    _, height, width, _ = make.tensors[at].shape
    at = make.pool(at, tfl.AVERAGE_POOL_2D, (height, width), (1, 1))
    return make.file(make.reshape(at, (1, 9)))


def residual(seed: int) -> TfliteFile:
    """Two branches and their sum, a reshape, two dense layers and a softmax."""
    make = Maker(seed, 8, 8)
    first = make.conv(make.source, 6)
    second = make.conv(first, 6, activation=tfl.NO_ACTIVATION)
    at = make.plus(first, second, tfl.RELU)
    third = make.depthwise(at)
    at = make.plus(at, third)
    at = make.pool(at, tfl.MAX_POOL_2D)
    at = make.reshape(at, (1, 96))
    at = make.dense(at, 12)
    return make.file(make.softmax(make.dense(at, 10)))


def activations(seed: int) -> TfliteFile:
    """Activations that stand by themselves."""
    make = Maker(seed, 6, 7)
    at = make.conv(make.source, 4, activation=tfl.NO_ACTIVATION)
    at = make.by_itself(at, tfl.RELU_OP)
    at = make.conv(at, 4, (1, 1), activation=tfl.NO_ACTIVATION)
    at = make.by_itself(at, tfl.RELU6_OP)
    return make.file(make.dense(at, 3))


def leaky(seed: int) -> TfliteFile:
    """A slope below zero that is an option, not a tensor."""
    make = Maker(seed, 6, 7)
    at = make.conv(make.source, 4, activation=tfl.NO_ACTIVATION)
    at = make.by_itself(at, tfl.LEAKY_RELU, 0.1)
    return make.file(make.dense(at, 3))


def ties(seed: int) -> TfliteFile:
    """A sum whose output has twice the scale of both inputs: every second one is a tie."""
    make = Maker(seed, 7, 6)
    at = make.conv(make.source, 4, activation=tfl.NO_ACTIVATION)
    twice = 2.0 * float(make.tensors[at].scales[0])
    at = make.plus(at, make.by_itself(at, tfl.RELU_OP), scale=twice)
    return make.file(make.dense(at, 4))


def slopes_and_tables(seed: int) -> TfliteFile:
    """PReLU with a slope a channel and with one for all, and the activations that take a table."""
    make = Maker(seed, 7, 9)
    at = make.conv(make.source, 6, activation=tfl.NO_ACTIVATION)
    at = make.prelu(at, 6)
    at = make.conv(at, 4, activation=tfl.NO_ACTIVATION)
    at = make.prelu(at, 1, zero_point=-128)
    for code in (tfl.HARD_SWISH, tfl.LOGISTIC, tfl.TANH):
        at = make.table(make.conv(at, 4, activation=tfl.NO_ACTIVATION), code)
    return make.file(make.dense(at, 5))


def means_and_borders(seed: int) -> TfliteFile:
    """Borders of a PAD before strided convolutions, and means over all pixels."""
    make = Maker(seed, 13, 10)
    at = make.conv(make.pad(make.source, 0, 1, 0, 1), 4, strides=(2, 2), padding=tfl.VALID)
    at = make.depthwise(make.pad(at, 1, 2, 2, 0), padding=tfl.VALID)
    at = make.conv(make.pad(at, 1, 1, 0, 0), 8, kernel=(3, 1))
    first = make.mean(at, scale=float(make.tensors[at].scales[0]) / 2)
    at = make.conv(at, 5, kernel=(2, 2))
    second = make.mean(at, keep=False)
    first = make.dense(first, 5)
    return make.file(make.plus(first, make.dense(second, 5)))


def concatenations(seed: int) -> TfliteFile:
    """Branches side by side: two of them, and three of different widths."""
    make = Maker(seed, 6, 8)
    at = make.conv(make.source, 6)
    at = make.concatenate(at, make.pool(at, tfl.MAX_POOL_2D, (3, 3), (1, 1), tfl.SAME))
    pools = [make.pool(at, tfl.AVERAGE_POOL_2D, (side, side), (1, 1), tfl.SAME) for side in (2, 3)]
    at = make.concatenate(at, *pools, at)
    return make.file(make.dense(make.conv(at, 3, (1, 1)), 4))


def constants_added(seed: int) -> TfliteFile:
    """A constant for each channel, on either side of the sum, and one for all."""
    make = Maker(seed, 7, 6)
    at = make.plus_constant(make.conv(make.source, 5, activation=tfl.NO_ACTIVATION), 5)
    at = make.plus_constant(make.conv(at, 3, activation=tfl.NO_ACTIVATION), 3, is_first=True)
    return make.file(make.plus_constant(make.dense(at, 6), 1))


def products_and_differences(seed: int) -> TfliteFile:
    """MUL of two branches and by one pixel for all (squeeze and excite), SUB with both signs."""
    make = Maker(seed, 8, 7)
    at = make.conv(make.source, 4, activation=tfl.NO_ACTIVATION)
    other = make.conv(make.source, 4, activation=tfl.NO_ACTIVATION)
    at = make.both(tfl.MUL, at, other, tfl.RELU)
    at = make.both(tfl.MUL, at, make.pool(at, tfl.AVERAGE_POOL_2D, (8, 7), (1, 1)))
    at = make.both(tfl.SUB, at, make.table(other, tfl.LOGISTIC))
    at = make.plus_constant(at, 4, code=tfl.SUB)
    at = make.plus_constant(at, 1, is_first=True, code=tfl.SUB)
    at = make.scaled(make.scaled(at, 4), 1)
    return make.file(make.dense(at, 3))


def moves(seed: int) -> TfliteFile:
    """Borders, parts and repeats that no convolution takes with it."""
    make = Maker(seed, 6, 7)
    at = make.pad(make.conv(make.source, 6, activation=tfl.NO_ACTIVATION), 1, 0, 2, 1)
    first, second = make.split(at, 3, 2)
    left = make.moved(tfl.SLICE, first, (1, 5, 8, 2), [0, 1, 2, 1], [-1, 5, 8, 2])
    masks = Options(begin_mask=0b1001, end_mask=0b1001)
    numbers = [0, 1, -1, 0], [0, -1, 0, 0], [1, 2, -2, 2]
    right = make.moved(tfl.STRIDED_SLICE, second, (1, 3, 5, 2), *numbers, options=masks)
    size = Options(half_pixel_centers=seed % 2, align_corners=seed // 2 % 2)
    right = make.moved(tfl.RESIZE_NEAREST_NEIGHBOR, right, (1, 5, 8, 2), [5, 8], options=size)
    at = make.concatenate(left, right)
    pairs = [[0, 0], [1, 1], [0, 2], [1, 1]]
    at = make.moved(tfl.MIRROR_PAD, at, (1, 7, 10, 6), pairs, options=Options(mode=seed % 2))
    at = make.moved(tfl.PAD, at, (1, 7, 10, 8), [[0, 0], [0, 0], [0, 0], [0, 2]])
    return make.file(make.dense(at, 3))


CASES: dict[str, Callable[[int], TfliteFile]] = {
    "strides and borders": strides_and_borders,
    "depthwise and pools": depthwise_and_pools,
    "residual": residual,
    "activations": activations,
    "leaky": leaky,
    "ties": ties,
    "constants added": constants_added,
    "slopes and tables": slopes_and_tables,
    "means and borders": means_and_borders,
    "concatenations": concatenations,
    "products and differences": products_and_differences,
    "moves": moves,
}


def random_frames(seed: int, count: int, height: int, width: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    frames = random.integers(0, 256, (count, height, width), np.uint8)
    frames[::3] = random.choice(np.array([0, 255], np.uint8), frames[::3].shape)
    return frames
