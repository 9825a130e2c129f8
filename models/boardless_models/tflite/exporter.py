"""A graph as a full-int8 .tflite, without TensorFlow: what the reader makes the same graph of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.graph.graph import (
    Add,
    AddConstant,
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
    Value,
    Window,
    output_extent,
)
from boardless_models.graph.kernels import is_dense
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, FileTensor, Options, TfliteFile
from boardless_models.tflite.pixels import PIXELS
from boardless_models.tflite.pointwise import BY_ITSELF, FUNCTION_CODES, RANGES, clamp_of
from boardless_sim.errors import ModelError

CLAMPS = {activation: code for code, activation in BY_ITSELF.items()}


def tflite_of(graph: Graph) -> TfliteFile:
    """The graph's operators in the file's words. Raises `ModelError` naming one that has none."""
    return Exporter(graph).file()


def tflite_bytes(graph: Graph, sha256: str) -> bytes:
    """The file, which names the artifact that it comes from."""
    description = f"{graph.name}, sha256 {sha256}, by boardless_models.tflite.exporter"
    return tfl.write_tflite(tflite_of(graph), description)


def extents(value: Value) -> tuple[int, int, int, int]:
    """[1,H,W,C]."""
    return 1, value.shape.height, value.shape.width, value.shape.channels


def dense_extents(value: Value) -> tuple[int, int]:
    """[1,C]."""
    return 1, value.shape.channels


class Exporter:
    """One graph on its way to a file."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors: list[FileTensor] = []
        self.operators: list[FileOperator] = []
        self.numbers: dict[int, int] = {}

    def file(self) -> TfliteFile:
        """Every operator in turn."""
        unknown = [value.name for value in self.graph.values if value.scale <= 0.0]
        if unknown:
            raise ModelError(
                f"tensor {unknown[0]!r} has no scale, expected an artifact quantised with them"
            )
        first, *others = operators = self.graph.operators
        pixels = isinstance(first, Lookup) and first.function == PIXELS
        # What maps a frame's bytes stands before the network, not in it.
        source = self.value(first.output if pixels else self.graph.input)
        for operator in others if pixels else operators:
            try:
                self.handler(operator)(operator)
            except ModelError as complaint:
                raise ModelError(f"{operator.name}: {complaint}") from complaint
        ends = (source,), (self.read(self.graph.output),)
        return TfliteFile(tuple(self.tensors), tuple(self.operators), *ends)

    def handler(self, operator: Operator) -> Callable[[Any], None]:
        """What writes an operator of this kind."""
        handlers: dict[type, Callable[[Any], None]] = {
            Convolve: self.convolution,
            Pool: self.pool,
            Add: self.add,
            AddConstant: self.add_constant,
            Prelu: self.prelu,
            Lookup: self.lookup,
            Mean: self.mean,
            Concatenate: self.concatenate,
            Multiply: self.multiply,
            Select: self.select,
        }
        return handlers[type(operator)]

    def tensor(self, tensor: FileTensor) -> int:
        """The tensor's number."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def activation(self, value: Value, shape: tuple[int, ...], name: str = "") -> int:
        """An int8 tensor between two operators, on the grid of a value."""
        return self.tensor(
            FileTensor(
                name or value.name,
                shape,
                tfl.INT8,
                scales=np.array([value.scale], np.float32),
                zero_points=np.array([value.zero_point], np.int64),
            )
        )

    def value(self, index: int, shape: tuple[int, ...] = ()) -> int:
        """A new value; [1,H,W,C] where nothing else is said."""
        found = self.graph.values[index]
        self.numbers[index] = self.activation(found, shape or extents(found))
        return self.numbers[index]

    def integers(self, name: str, values: NDArray[np.int32]) -> int:
        """A constant of shapes or axes."""
        return self.tensor(FileTensor(name, values.shape, tfl.INT32, values.tobytes()))

    def read(self, index: int) -> int:
        """The tensor of a value; another view of one becomes a RESHAPE of it."""
        if index not in self.numbers:
            value = self.graph.values[index]
            shape = self.integers(f"{value.name}, shape", np.array(extents(value), np.int32))
            inputs = self.numbers[value.storage], shape
            self.append(tfl.RESHAPE, inputs, self.value(index))
        return self.numbers[index]

    def append(
        self, code: int, inputs: tuple[int, ...], output: int, options: Options | None = None
    ) -> None:
        """One operator of the file."""
        self.operators.append(FileOperator(code, inputs, (output,), options or Options()))

    def convolution(self, operator: Convolve) -> None:
        """CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED, and the pool that it took with it."""
        source, target = (self.graph.values[at] for at in (operator.input, operator.output))
        if is_dense(self.graph, operator) and operator.pool == 1 and not operator.depthwise:
            return self.dense(operator, source, target)
        code = tfl.DEPTHWISE_CONV_2D if operator.depthwise else tfl.CONV_2D
        options, rows, columns, number = self.placed(operator, self.read(operator.input))
        options = replace(
            options,
            depth_multiplier=target.shape.channels // source.shape.channels,
            activation=activation_of(operator.least, operator.most, target),
        )
        inputs = number, *self.constants(operator, source, operator.scales)
        if operator.pool == 1:
            return self.append(code, inputs, self.value(operator.output), options)
        before = 1, rows, columns, target.shape.channels
        between = self.activation(target, before, f"{target.name}, before its pool")
        self.append(code, inputs, between, options)
        side = operator.pool
        pool = Options(
            padding=tfl.VALID,
            stride_width=side,
            stride_height=side,
            window_width=side,
            window_height=side,
        )
        return self.append(tfl.MAX_POOL_2D, (between,), self.value(operator.output), pool)

    def dense(self, operator: Convolve, source: Value, target: Value) -> None:
        """FULLY_CONNECTED, with one scale where that is what its factors were made of."""
        scales = operator.scales
        if (scales == scales[0]).all():
            scales = scales[:1]
        options = Options(activation=activation_of(operator.least, operator.most, target))
        # It takes all of a value as one pixel by itself.
        number = self.numbers.get(operator.input)
        number = self.numbers[source.storage] if number is None else number
        inputs = number, *self.constants(operator, source, scales)
        output = self.value(operator.output, dense_extents(target))
        self.append(tfl.FULLY_CONNECTED, inputs, output, options)

    def constants(
        self, operator: Convolve, source: Value, scales: NDArray[np.float32]
    ) -> tuple[int, int]:
        """Weights and bias."""
        weight, axis = operator.weight, 0
        if operator.depthwise:
            weight, axis = weight.transpose(3, 1, 2, 0), 3
        elif is_dense(self.graph, operator):
            weight = weight.reshape(len(weight), -1)
        bias_scales = np.asarray(np.float32(source.scale) * scales, np.float32)
        zeros = np.zeros(len(scales), np.int64)
        name = f"{operator.name}, weights"
        weights = FileTensor(name, weight.shape, tfl.INT8, weight.tobytes(), scales, zeros, axis)
        name, bias = f"{operator.name}, bias", operator.bias
        biases = FileTensor(name, bias.shape, tfl.INT32, bias.tobytes(), bias_scales, zeros)
        return self.tensor(weights), self.tensor(biases)

    def placed(self, operator: Convolve | Pool, number: int) -> tuple[Options, int, int, int]:
        """Padding and steps of a window, what it makes, and what it reads: a PAD where it must."""
        window = operator.window
        source, target = (self.graph.values[at] for at in (operator.input, operator.output))
        pool = operator.pool if isinstance(operator, Convolve) else 1
        options = Options(stride_width=window.stride_columns, stride_height=window.stride_rows)
        wanted = target.shape.height, target.shape.width
        for padding in (tfl.SAME, tfl.VALID):
            found = windows(window, source.shape.height, source.shape.width, padding == tfl.SAME)
            (rows, top), (columns, left) = found
            fits = (rows // pool, columns // pool) == wanted
            if fits and (top, left) == (window.top, window.left):
                return replace(options, padding=padding), rows, columns, number
        if isinstance(operator, Pool):
            raise ModelError("a pool with a border of its own")
        rows, columns = wanted[0] * pool, wanted[1] * pool
        number = self.padded(window, source, number, rows, columns)
        return replace(options, padding=tfl.VALID), rows, columns, number

    def padded(self, window: Window, source: Value, number: int, rows: int, columns: int) -> int:
        """A PAD with the border of a window that makes so many rows and columns."""
        height, width = source.shape.height, source.shape.width
        bottom = (rows - 1) * window.stride_rows + window.rows - window.top - height
        right = (columns - 1) * window.stride_columns + window.columns - window.left - width
        bottom, right = max(bottom, 0), max(right, 0)
        pairs = [[0, 0], [window.top, bottom], [window.left, right], [0, 0]]
        paddings = self.integers(f"{source.name}, paddings", np.array(pairs, np.int32))
        shape = 1, window.top + height + bottom, window.left + width + right, source.shape.channels
        output = self.activation(source, shape, f"{source.name}, padded")
        self.append(tfl.PAD, (number, paddings), output)
        return output

    def pool(self, operator: Pool) -> None:
        """MAX_POOL_2D and AVERAGE_POOL_2D."""
        code = tfl.MAX_POOL_2D if operator.kind == "max" else tfl.AVERAGE_POOL_2D
        options, _, _, number = self.placed(operator, self.read(operator.input))
        options = replace(
            options,
            window_width=operator.window.columns,
            window_height=operator.window.rows,
            activation=activation_of(
                operator.least, operator.most, self.graph.values[operator.output]
            ),
        )
        self.append(code, (number,), self.value(operator.output), options)

    def add(self, operator: Add) -> None:
        """ADD of two values, or SUB."""
        subtracts = operator.signs == (1, -1)
        if not subtracts and operator.signs != (1, 1):
            raise ModelError("takes the first of two values away")
        target = self.graph.values[operator.output]
        inputs = self.read(operator.input), self.read(operator.second)
        options = Options(activation=activation_of(operator.least, operator.most, target))
        code = tfl.SUB if subtracts else tfl.ADD
        self.append(code, inputs, self.value(operator.output), options)

    def multiply(self, operator: Multiply) -> None:
        """MUL."""
        target = self.graph.values[operator.output]
        inputs = self.read(operator.input), self.read(operator.second)
        options = Options(activation=activation_of(operator.least, operator.most, target))
        self.append(tfl.MUL, inputs, self.value(operator.output), options)

    def select(self, operator: Select) -> None:
        """Several operators could have been it."""
        raise ModelError("moves values; hold the file that it was imported from against peers")

    def add_constant(self, operator: AddConstant) -> None:
        """Only what the constant adds is kept, not the constant."""
        raise ModelError("adds a constant that the artifact has only in the sum's steps")

    def prelu(self, operator: Prelu) -> None:
        """PRELU where it is known what a slope is worth; a clamp by itself."""
        if operator.slope_scale <= 0.0:
            if operator.above != operator.below:
                raise ModelError("a slope without a scale: imported from a LEAKY_RELU")
            target = self.graph.values[operator.output]
            code = CLAMPS[activation_of(operator.least, operator.most, target)]
            return self.append(code, (self.read(operator.input),), self.value(operator.output))
        slopes = self.tensor(
            FileTensor(
                f"{operator.name}, slopes",
                (1, 1, len(operator.slope)),
                tfl.INT8,
                operator.slope.tobytes(),
                np.array([operator.slope_scale], np.float32),
                np.array([operator.slope_zero_point], np.int64),
            )
        )
        inputs = self.read(operator.input), slopes
        return self.append(tfl.PRELU, inputs, self.value(operator.output))

    def lookup(self, operator: Lookup) -> None:
        """The function that the table stands for."""
        if operator.function not in FUNCTION_CODES:
            raise ModelError(f"a table of the function {operator.function!r}")
        code = FUNCTION_CODES[operator.function]
        self.append(code, (self.read(operator.input),), self.value(operator.output))

    def mean(self, operator: Mean) -> None:
        """MEAN over rows and columns."""
        axes = self.integers(f"{operator.name}, axes", np.array([1, 2], np.int32))
        options = Options(keep_dimensions=1)
        inputs = self.read(operator.input), axes
        self.append(tfl.MEAN, inputs, self.value(operator.output), options)

    def concatenate(self, operator: Concatenate) -> None:
        """CONCATENATION of the channels of two values."""
        inputs = self.read(operator.input), self.read(operator.second)
        self.append(tfl.CONCATENATION, inputs, self.value(operator.output), Options(axis=3))


def windows(
    window: Window, height: int, width: int, same: bool
) -> tuple[tuple[int, int], tuple[int, int]]:
    """How many windows fit, and the border before the first: of rows, of columns."""
    return (
        output_extent(height, window.rows, window.stride_rows, same),
        output_extent(width, window.columns, window.stride_columns, same),
    )


def activation_of(least: int, most: int, target: Value) -> int:
    """The fused activation that clamps so."""
    for code in RANGES:
        try:
            if clamp_of(code, target) == (least, most):
                return code
        except ModelError:
            continue
    raise ModelError(f"a clamp to {least} to {most}, expected that of a ReLU")
