"""Convolutions, fully connected layers and pools of a user's .tflite as operators of a graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.graph.graph import Convolve, Operator, Pool, Value, Window, output_extent
from boardless_models.int8.scaling import largest_weight, quantize_multiplier
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, TfliteFile
from boardless_models.tflite.pointwise import clamp_of
from boardless_models.tflite.reduce import Border
from boardless_models.tflite.tensors import constant, is_positive
from boardless_models.tflite.values import FileValues
from boardless_sim.errors import ModelError


class FileLayers(FileValues):
    """The operators of a file that have weights or windows, in the order in which they run."""

    def __init__(self, file: TfliteFile) -> None:
        super().__init__(file)
        self.operators: list[Operator] = []

    def convolution(self, index: int, operator: FileOperator) -> None:
        """CONV_2D and DEPTHWISE_CONV_2D."""
        depthwise = operator.code == tfl.DEPTHWISE_CONV_2D
        number, source, border = self.convolved(operator)
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
        window = self.window(operator, weight.shape[1], weight.shape[2], source, target, border)
        self.add_convolution(
            f"op {index} {operator.name}", operator, number, target_number, weight, scales, window
        )

    def convolved(self, operator: FileOperator) -> tuple[int, Value, Border]:
        """What a convolution reads, and the border that a PAD before it has put around."""
        self.tensor(operator.inputs, 0)
        padded = self.padded.get(operator.inputs[0])
        window = self.tensor(operator.inputs, 1).shape[1:3]
        if padded is None or not padded.fits(window):
            return *self.input(operator), Border()
        return padded.source, self.values[padded.source], padded.border

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
        every = np.broadcast_to(scales, (outputs,))
        factors = [source.scale * float(scale) / target.scale for scale in every]
        pairs = [quantize_multiplier(factor) for factor in factors]
        least, most = clamp_of(operator.options.activation, target)
        # Over one channel it is a convolution like any other.
        depthwise = operator.code == tfl.DEPTHWISE_CONV_2D and source.shape.channels > 1
        # Weights that all stand on the grid of 4 bits are stored so, two to a byte.
        fits = int(np.abs(weight.astype(np.int32)).max(initial=0)) <= largest_weight(4)
        self.operators.append(
            Convolve(
                name,
                source_number,
                target_number,
                depthwise,
                window,
                np.ascontiguousarray(weight),
                self.biases(operator, outputs),
                np.array([multiplier for multiplier, _ in pairs], np.int32),
                np.array([exponent for _, exponent in pairs], np.int8),
                np.array(np.broadcast_to(scales, (outputs,)), np.float32),
                least,
                most,
                bits=4 if fits and not depthwise else 8,
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
        extents = options.window_height, options.window_width
        window = self.window(operator, *extents, source, target, Border())
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
        self,
        operator: FileOperator,
        rows: int,
        columns: int,
        source: Value,
        target: Value,
        border: Border,
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
        shape = border.around(source.shape)
        height, top = output_extent(shape.height, rows, strides[0], same)
        width, left = output_extent(shape.width, columns, strides[1], same)
        if (height, width) != (target.shape.height, target.shape.width):
            raise ModelError(
                f"tensor {target.name!r} is {target.shape.height}x{target.shape.width}, "
                f"expected {height}x{width}"
            )
        top, left = top + border.top, left + border.left
        if top >= rows or left >= columns:
            raise ModelError(f"a border of {top}, {left} for a window of {rows}x{columns}")
        return Window(rows, columns, *strides, top, left)
