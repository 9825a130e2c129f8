"""A user's int8 .tflite as a graph, or a list of what is unsupported and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from boardless_models.graph.check import check_graph
from boardless_models.graph.graph import Concatenate, Graph, Value, likely_task, renumbered
from boardless_models.int8.scaling import Rounding
from boardless_models.int8.score import score_step
from boardless_models.tflite import file as tfl
from boardless_models.tflite.ends import without_ends
from boardless_models.tflite.file import FileOperator, TfliteFile
from boardless_models.tflite.moves import FileMoves
from boardless_models.tflite.pointwise import (
    FUNCTIONS,
    add_constant_of,
    add_of,
    clamp_of,
    multiply_of,
    prelu_of,
    relu_of,
    rescale_of,
    scale_of,
    table_of,
)
from boardless_models.tflite.reduce import integers, mean_of
from boardless_sim.errors import ModelError

LARGEST_SCORE_STEP = 0xFFFF
SHAPERS = (tfl.RESHAPE, tfl.SQUEEZE, tfl.EXPAND_DIMS)
SHAPE_SUMS = (tfl.SHAPE, tfl.STRIDED_SLICE, tfl.PACK)
CLAMPS = (tfl.RELU_OP, tfl.RELU6_OP, tfl.RELU_N1_TO_1_OP, tfl.LEAKY_RELU)
TABLES = (tfl.HARD_SWISH, *FUNCTIONS)
ACTIVATIONS = (*CLAMPS, *TABLES, tfl.PRELU)


def graph_of(file: TfliteFile, name: str, rounding: Rounding) -> Graph:
    """The graph, checked. Raises `ModelError` naming every operator that is not supported."""
    return Importer(without_ends(file)).graph(name, rounding)


class Importer(FileMoves):
    """One file on its way to a graph."""

    def __init__(self, file: TfliteFile) -> None:
        super().__init__(file)
        self.beta: float | None = None  # of a softmax at the end

    def graph(self, name: str, rounding: Rounding) -> Graph:
        """Every operator in turn; what cannot be taken is collected, then said at once."""
        if len(self.file.inputs) != 1 or len(self.file.outputs) != 1:
            ends = ("input", self.file.inputs), ("output", self.file.outputs)
            counts = ", ".join(self.listed(what, found) for what, found in ends)
            raise ModelError(f"{counts}; expected one of each: convert a part that has them")
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
        if output in self.padded and output not in self.values:
            self.fill_border(output)
        if not self.operators:
            raise ModelError("no operator that computes anything, expected one at least")
        if output not in self.values:
            raise ModelError(f"tensor {output}, the graph's output, is never computed")
        values, numbers = self.numbered()
        scale = self.values[output].scale
        step = min(score_step(scale * (self.beta or 1.0)), LARGEST_SCORE_STEP)
        task = likely_task(self.values[source].shape, self.values[output].shape)
        graph = Graph(
            name,
            values,
            tuple(renumbered(operator, numbers) for operator in self.operators),
            numbers[source],
            numbers[output],
            rounding,
            step,
            task="classes" if self.beta else task,
        )
        check_graph(graph)
        return graph

    def listed(self, what: str, numbers: tuple[int, ...]) -> str:
        """How many inputs or outputs, and the names of the first."""
        known = [number for number in numbers[:4] if 0 <= number < len(self.file.tensors)]
        names = ", ".join(repr(self.file.tensors[number].name) for number in known)
        return f"{len(numbers)} {what}s ({names}{', …' if len(numbers) > 4 else ''})"

    def take(self, index: int, operator: FileOperator) -> None:
        """One operator of the file."""
        handlers: dict[int, Callable[[int, FileOperator], None]] = {
            tfl.CONV_2D: self.convolution,
            tfl.DEPTHWISE_CONV_2D: self.convolution,
            tfl.FULLY_CONNECTED: self.dense,
            tfl.MAX_POOL_2D: self.pool,
            tfl.AVERAGE_POOL_2D: self.pool,
            tfl.ADD: self.add,
            tfl.MEAN: self.mean,
            tfl.PAD: self.pad,
            tfl.CONCATENATION: self.concatenation,
            tfl.SOFTMAX: self.softmax,
            tfl.QUANTIZE: self.requantise,
            tfl.TRANSPOSE: self.transpose,
            tfl.MUL: self.multiply,
            tfl.SUB: self.add,
            tfl.PADV2: self.pad_anything,
            tfl.MIRROR_PAD: self.pad_anything,
            tfl.SLICE: self.slice,
            tfl.SPLIT: self.split,
            tfl.SPLIT_V: self.split,
            tfl.RESIZE_NEAREST_NEIGHBOR: self.resize,
            **dict.fromkeys(SHAPE_SUMS, self.shape_sum),
            **dict.fromkeys(SHAPERS, self.reshape),
            **dict.fromkeys(ACTIVATIONS, self.activation),
        }
        handler = handlers.get(operator.code)
        if handler is None:
            raise ModelError(f"{self.named(operator.outputs)}: this operator is not supported")
        handler(index, operator)

    def reshape(self, _index: int, operator: FileOperator) -> None:
        """The same bytes under other extents."""
        index, source = self.input(operator)
        target = self.new_value(operator.outputs[0] if operator.outputs else -1, source.storage)
        found = self.values[target]
        same_grid = (found.scale, found.zero_point) == (source.scale, source.zero_point)
        if found.shape.size != source.shape.size or not same_grid:
            raise ModelError(f"tensor {found.name!r} is not {self.values[index].name!r} reshaped")

    def shape_sum(self, index: int, operator: FileOperator) -> None:
        """Arithmetic of shapes: for one frame they are fixed, and RESHAPE needs none of it."""
        first = next(iter(operator.inputs), -1)
        if operator.code == tfl.STRIDED_SLICE and (first in self.values or first in self.padded):
            return self.slice(index, operator)
        for index in operator.outputs:
            tensor = self.tensor((index,), 0)
            if tensor.kind != tfl.INT32:
                raise ModelError(f"tensor {tensor.name!r}: expected the int32 of a shape")
        return None

    def transpose(self, index: int, operator: FileOperator) -> None:
        """One that moves extents of one only: the bytes stay where they are."""
        source = self.tensor(operator.inputs, 0).shape
        order = integers(self.tensor(operator.inputs, 1)).reshape(-1).tolist()
        moved = [axis for axis in order if 0 <= axis < len(source) and source[axis] > 1]
        if sorted(order) != list(range(len(source))) or moved != sorted(moved):
            raise ModelError(f"order {order} of {list(source)}, expected one that moves no value")
        self.reshape(index, operator)

    def requantise(self, index: int, operator: FileOperator) -> None:
        """QUANTIZE of an int8 to another grid."""
        name = f"op {index} {operator.name}"
        first, source = self.input(operator)
        number, target = self.output(operator)
        self.operators.append(rescale_of(name, first, number, source, target))

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

    def add(self, index: int, operator: FileOperator) -> None:
        """ADD or SUB of two activations, or of one and a constant on either side."""
        name = f"op {index} {operator.name}"
        sides = [self.tensor(operator.inputs, place) for place in (0, 1)]
        signs = (1, -1) if operator.code == tfl.SUB else (1, 1)
        if sides[0].data:
            operator = replace(operator, inputs=operator.inputs[1::-1])
            signs = signs[1], signs[0]
        first, source = self.input(operator)
        if any(side.data for side in sides):
            target_number, target = self.output(operator)
            numbers, values = (first, target_number), (source, target)
            clamp = clamp_of(operator.options.activation, target)
            addend = self.tensor(operator.inputs, 1)
            self.operators.append(add_constant_of(name, numbers, values, addend, clamp, signs))
            return
        second, other = self.input(operator, 1)
        target_number, target = self.output(operator)
        triple = (source, other, target)
        clamp = clamp_of(operator.options.activation, target)
        made = add_of(name, (first, second, target_number), triple, clamp)
        self.operators.append(replace(made, signs=signs))

    def multiply(self, index: int, operator: FileOperator) -> None:
        """MUL of two activations, the second of one shape or of one pixel for all."""
        sides = [self.tensor(operator.inputs, place) for place in (0, 1)]
        if any(side.data for side in sides):
            return self.scale(index, operator, 0 if sides[0].data else 1)
        parts = [self.input(operator, place) for place in (0, 1)]
        (first, source), (second, other) = sorted(parts, key=lambda at: -at[1].shape.size)
        number, target = self.output(operator)
        clamp = clamp_of(operator.options.activation, target)
        name = f"op {index} {operator.name}"
        self.operators.append(
            multiply_of(name, (first, second, number), (source, other, target), clamp)
        )
        return None

    def scale(self, index: int, operator: FileOperator, constant: int) -> None:
        """MUL by a constant at one of its places, a number for all or one a channel."""
        first, source = self.input(operator, 1 - constant)
        number, target = self.output(operator)
        clamp = clamp_of(operator.options.activation, target)
        factors = self.tensor(operator.inputs, constant)
        name = f"op {index} {operator.name}"
        self.operators.append(scale_of(name, (first, number), (source, target), factors, clamp))

    def activation(self, index: int, operator: FileOperator) -> None:
        """An activation that stands by itself."""
        name = f"op {index} {operator.name}"
        first, source = self.input(operator)
        number, target = self.output(operator)
        if operator.code in CLAMPS:
            self.operators.append(relu_of(name, operator, first, number, source, target))
        elif operator.code == tfl.PRELU:
            slopes = self.tensor(operator.inputs, 1)
            self.operators.append(prelu_of(name, slopes, first, number, source, target))
        else:
            self.operators.append(table_of(name, operator.code, first, number, source, target))

    def mean(self, index: int, operator: FileOperator) -> None:
        """MEAN over rows and columns."""
        name = f"op {index} {operator.name}"
        first, source = self.input(operator)
        number, target = self.output(operator)
        axes = self.tensor(operator.inputs, 1)
        self.operators.append(mean_of(name, (first, number), source, target, axes))

    def concatenation(self, index: int, operator: FileOperator) -> None:
        """CONCATENATION of channels, two values at a time."""
        parts = [self.input(operator, place) for place in range(len(operator.inputs))]
        number, target = self.output(operator)
        if len(parts) < 2 or operator.options.activation != tfl.NO_ACTIVATION:
            raise ModelError(f"{len(parts)} inputs or an activation, expected at least 2 and none")
        rank = len(self.tensor(operator.outputs, 0).shape)
        if operator.options.axis not in (-1, rank - 1):
            raise ModelError(f"axis {operator.options.axis}, expected that of the channels")
        grids = {(value.scale, value.zero_point) for _, value in (*parts, (number, target))}
        pixels = {(v.shape.height, v.shape.width) for _, v in (*parts, (number, target))}
        if len(grids) != 1 or len(pixels) != 1:
            raise ModelError(f"tensor {target.name!r} has another scale or size than its parts")
        name = f"op {index} {operator.name}"
        joined, so_far = parts[0]
        for place, (part, value) in enumerate(parts[1:], start=2):
            channels = so_far.shape.channels + value.shape.channels
            last = place == len(parts)
            into = number if last else self.part(so_far, channels, place, number)
            so_far = self.values[into]
            if so_far.shape.channels != channels:
                raise ModelError(f"tensor {target.name!r}, expected {channels} channels")
            self.operators.append(Concatenate(name, joined, part, into))
            joined = into

    def part(self, value: Value, channels: int, place: int, number: int) -> int:
        """The first of several values that become one, under a number that no tensor has."""
        own = -(number * tfl.MOST_LISTED + place)
        shape = replace(value.shape, channels=channels)
        self.values[own] = replace(value, name=f"{value.name} and more", shape=shape, storage=own)
        return own
