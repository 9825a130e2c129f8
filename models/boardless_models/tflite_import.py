"""A user's int8 .tflite as a graph, or a list of what is unsupported and where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boardless_models import tflite_file as tfl
from boardless_models.graph import (
    Add,
    Convolve,
    Graph,
    Operator,
    Pool,
    Value,
    Window,
    output_extent,
)
from boardless_models.graph_check import check_graph
from boardless_models.network import Shape
from boardless_models.scaling import Rounding, quantize_multiplier
from boardless_models.score import score_step
from boardless_models.tflite_file import FileOperator, TfliteFile
from boardless_models.tflite_pointwise import add_of, clamp_of, lookup_of
from boardless_models.tflite_tensors import constant, is_positive
from boardless_models.tflite_values import FileValues
from boardless_sim.errors import ModelError

LARGEST_SCORE_STEP = 0xFFFF
SHAPERS = (tfl.RESHAPE, tfl.SQUEEZE, tfl.EXPAND_DIMS)
POINTWISE = (tfl.RELU_OP, tfl.RELU6_OP, tfl.RELU_N1_TO_1_OP, tfl.LEAKY_RELU)


def graph_of(file: TfliteFile, name: str, rounding: Rounding) -> Graph:
    """The graph, checked. Raises `ModelError` naming every operator that is not supported."""
    return Importer(file).graph(name, rounding)


class Importer(FileValues):
    """One file on its way to a graph."""

    def __init__(self, file: TfliteFile) -> None:
        super().__init__(file)
        self.operators: list[Operator] = []
        self.beta = 1.0

    def graph(self, name: str, rounding: Rounding) -> Graph:
        """Every operator in turn; what cannot be taken is collected, then said at once."""
        if len(self.file.inputs) != 1 or len(self.file.outputs) != 1:
            counts = f"{len(self.file.inputs)} inputs, {len(self.file.outputs)} outputs"
            raise ModelError(f"{counts}; expected one of each")
        source = self.new_value(self.file.inputs[0])
        complaints: list[str] = []
        for index, operator in enumerate(self.file.operators):
            try:
                self.take(index, operator)
            except ModelError as complaint:
                complaints.append(f"op {index} {operator.name}: {complaint}")
                self.assume_output(operator)
        if complaints:
            raise ModelError("not supported:\n  " + "\n  ".join(complaints))
        output = self.file.outputs[0]
        if output not in self.values or not self.operators:
            raise ModelError(f"tensor {output}, the graph's output, is never computed")
        values, numbers = self.numbered()
        scale = self.values[output].scale
        step = min(score_step(scale * self.beta), LARGEST_SCORE_STEP)
        graph = Graph(
            name,
            values,
            tuple(renumbered(operator, numbers) for operator in self.operators),
            numbers[source],
            numbers[output],
            rounding,
            step,
        )
        check_graph(graph)
        return graph

    def take(self, index: int, operator: FileOperator) -> None:
        """One operator of the file."""
        code = operator.code
        if code in SHAPERS:
            self.reshape(operator)
        elif code == tfl.SOFTMAX:
            self.softmax(index, operator)
        elif code in (tfl.CONV_2D, tfl.DEPTHWISE_CONV_2D):
            self.convolution(index, operator)
        elif code == tfl.FULLY_CONNECTED:
            self.dense(index, operator)
        elif code in (tfl.MAX_POOL_2D, tfl.AVERAGE_POOL_2D):
            self.pool(index, operator)
        elif code == tfl.ADD or code in POINTWISE:
            self.pointwise(index, operator)
        else:
            raise ModelError(f"{self.named(operator.outputs)}: this operator is not supported")

    def reshape(self, operator: FileOperator) -> None:
        """The same bytes under other extents."""
        index, source = self.input(operator)
        target = self.new_value(operator.outputs[0] if operator.outputs else -1, source.storage)
        found = self.values[target]
        same_grid = (found.scale, found.zero_point) == (source.scale, source.zero_point)
        if found.shape.size != source.shape.size or not same_grid:
            raise ModelError(f"tensor {found.name!r} is not {self.values[index].name!r} reshaped")

    def softmax(self, index: int, operator: FileOperator) -> None:
        """As the last operator it becomes the score; the order of the classes stays."""
        number, _ = self.input(operator)
        self.tensor(operator.outputs, 0)
        is_last = index == len(self.file.operators) - 1
        if not is_last or operator.outputs[0] != self.file.outputs[0]:
            raise ModelError(f"{self.named(operator.outputs)}: expected as the last operator only")
        if not 0.0 < operator.options.beta <= 100.0:
            raise ModelError(f"beta {operator.options.beta}, expected more than 0, at most 100")
        self.beta = operator.options.beta
        self.file = replace(self.file, outputs=(number,))

    def convolution(self, index: int, operator: FileOperator) -> None:
        """CONV_2D and DEPTHWISE_CONV_2D."""
        depthwise = operator.code == tfl.DEPTHWISE_CONV_2D
        number, source = self.input(operator)
        target_number, target = self.output(operator)
        shape = self.tensor(operator.inputs, 1).shape
        if len(shape) != 4:
            raise ModelError(f"weights of {len(shape)} dimensions, expected 4")
        axis = 3 if depthwise else 0
        weight, scales = self.weights(operator, axis)
        weight = weight.transpose(3, 1, 2, 0) if depthwise else weight
        channels = source.shape.channels
        expected = 1 if depthwise else channels
        if weight.shape[3] != expected or (depthwise and shape[3] % channels):
            raise ModelError(
                f"weights of shape {shape} on {channels} channels (a grouped convolution is "
                "not supported)"
            )
        window = self.window(operator, weight.shape[1], weight.shape[2], source, target)
        self.add_convolution(
            f"op {index} {operator.name}", operator, number, target_number, weight, scales, window
        )

    def dense(self, index: int, operator: FileOperator) -> None:
        """FULLY_CONNECTED: a convolution of 1×1 over one pixel that has every value."""
        number, source = self.input(operator)
        target_number, target = self.output(operator)
        shape = self.tensor(operator.inputs, 1).shape
        if len(shape) != 2 or shape[1] != source.shape.size or shape[0] != target.shape.size:
            raise ModelError(
                f"weights of shape {shape}, expected ({target.shape.size}, {source.shape.size})"
            )
        if operator.options.weights_format:
            raise ModelError("shuffled weights, expected the default format")
        weight, scales = self.weights(operator, 0)
        if source.shape.channels != source.shape.size:
            flat = len(self.file.tensors) + number
            pixel = Shape(1, 1, source.shape.size)
            self.values[flat] = replace(source, name=f"{source.name} (flat)", shape=pixel)
            number = flat
        self.add_convolution(
            f"op {index} {operator.name}",
            operator,
            number,
            target_number,
            weight.reshape(shape[0], 1, 1, shape[1]),
            scales,
            Window(1, 1),
        )

    def weights(
        self, operator: FileOperator, axis: int
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Constant int8 weights, symmetric, with one scale or one a channel."""
        tensor = self.tensor(operator.inputs, 1)
        kind = tfl.TYPE_NAMES.get(tensor.kind, f"type {tensor.kind}")
        if tensor.kind != tfl.INT8 or not tensor.data:
            wrong = kind if tensor.kind != tfl.INT8 else "not a constant"
            raise ModelError(f"weights {tensor.name!r} are {wrong}, expected constant int8")
        array = constant(tensor, np.dtype(np.int8))
        if tensor.zero_points.any():
            raise ModelError(f"weights {tensor.name!r} have a zero point, expected none")
        if tensor.scales.size not in (1, tensor.shape[axis]) or not is_positive(tensor.scales):
            raise ModelError(f"weights {tensor.name!r}: scales do not fit, expected one a channel")
        if tensor.scales.size > 1 and tensor.axis != axis:
            raise ModelError(f"weights {tensor.name!r}: scales on axis {tensor.axis}, not {axis}")
        return array, tensor.scales

    def biases(self, operator: FileOperator, outputs: int) -> NDArray[np.int32]:
        """The bias, zeros where the file has none."""
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return np.zeros(outputs, np.int32)
        tensor = self.tensor(operator.inputs, 2)
        if tensor.kind != tfl.INT32 or tensor.shape != (outputs,):
            raise ModelError(f"bias {tensor.name!r}, expected {outputs} int32")
        return constant(tensor, np.dtype(np.int32))

    def add_convolution(
        self,
        name: str,
        operator: FileOperator,
        source_number: int,
        target_number: int,
        weight: NDArray[np.int8],
        scales: NDArray[np.float32],
        window: Window,
    ) -> None:
        """The factors as TensorFlow Lite computes them, and the operator."""
        source, target = self.values[source_number], self.values[target_number]
        outputs = len(weight)
        if target.shape.channels != outputs:
            raise ModelError(f"tensor {target.name!r}, expected {outputs} channels")
        if operator.code == tfl.FULLY_CONNECTED and scales.size == 1:
            product = np.float32(source.scale) * scales[0]  # in float32, unlike a convolution's
            factors = [float(product) / target.scale] * outputs
        else:
            every = np.broadcast_to(scales, (outputs,))
            factors = [source.scale * float(scale) / target.scale for scale in every]
        pairs = [quantize_multiplier(factor) for factor in factors]
        least, most = clamp_of(operator.options.activation, target)
        self.operators.append(
            Convolve(
                name,
                source_number,
                target_number,
                operator.code == tfl.DEPTHWISE_CONV_2D,
                window,
                np.ascontiguousarray(weight),
                self.biases(operator, outputs),
                np.array([multiplier for multiplier, _ in pairs], np.int32),
                np.array([exponent for _, exponent in pairs], np.int8),
                np.array(np.broadcast_to(scales, (outputs,)), np.float32),
                least,
                most,
            )
        )

    def pool(self, index: int, operator: FileOperator) -> None:
        """MAX_POOL_2D and AVERAGE_POOL_2D; the grid stays the same."""
        number, source = self.input(operator)
        target_number, target = self.output(operator)
        if (source.scale, source.zero_point) != (target.scale, target.zero_point):
            raise ModelError(f"tensor {target.name!r} has another scale than {source.name!r}")
        if source.shape.channels != target.shape.channels:
            raise ModelError(f"tensor {target.name!r}, expected {source.shape.channels} channels")
        options = operator.options
        window = self.window(operator, options.window_height, options.window_width, source, target)
        least, most = clamp_of(options.activation, target)
        self.operators.append(
            Pool(
                f"op {index} {operator.name}",
                number,
                target_number,
                "max" if operator.code == tfl.MAX_POOL_2D else "average",
                window,
                least,
                most,
            )
        )

    def window(
        self, operator: FileOperator, rows: int, columns: int, source: Value, target: Value
    ) -> Window:
        """Where the windows stand; the output's extents must be what they give."""
        options = operator.options
        strides = options.stride_height, options.stride_width
        if min(rows, columns, *strides) < 1 or max(rows, columns, *strides) > 255:
            raise ModelError(f"window {rows}x{columns}, strides {strides}; expected 1 to 255")
        if (options.dilation_height, options.dilation_width) != (1, 1):
            raise ModelError("a dilated window, expected dilation 1")
        if options.padding not in (tfl.SAME, tfl.VALID):
            raise ModelError(f"padding {options.padding}, expected SAME or VALID")
        same = options.padding == tfl.SAME
        height, top = output_extent(source.shape.height, rows, strides[0], same)
        width, left = output_extent(source.shape.width, columns, strides[1], same)
        if (height, width) != (target.shape.height, target.shape.width):
            raise ModelError(
                f"tensor {target.name!r} is {target.shape.height}x{target.shape.width}, "
                f"expected {height}x{width}"
            )
        return Window(rows, columns, *strides, top, left)

    def pointwise(self, index: int, operator: FileOperator) -> None:
        """ADD of two activations, and activations that stand by themselves."""
        name = f"op {index} {operator.name}"
        first, source = self.input(operator)
        if operator.code == tfl.ADD:
            second, other = self.input(operator, 1)
            target_number, target = self.output(operator)
            triple = (source, other, target)
            clamp = clamp_of(operator.options.activation, target)
            self.operators.append(add_of(name, (first, second, target_number), triple, clamp))
            return
        target_number, target = self.output(operator)
        self.operators.append(lookup_of(name, operator, first, target_number, source, target))


def renumbered(operator: Operator, numbers: dict[int, int]) -> Operator:
    """The operator on the graph's own numbers."""
    first, output = numbers[operator.input], numbers[operator.output]
    if isinstance(operator, Add):
        return replace(operator, input=first, second=numbers[operator.second], output=output)
    return replace(operator, input=first, output=output)
