"""The values of a user's .tflite that are computed so far, numbered as the file's tensors are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from boardless_models.graph.graph import Value
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, FileTensor, TfliteFile
from boardless_models.tflite.reduce import Border
from boardless_models.tflite.tensors import grid_of, shape_of
from boardless_sim.errors import ModelError

# What to do about values of another type.
ADVICE = {
    tfl.FLOAT32: "quantise it (TFLiteConverter: a representative_dataset, TFLITE_BUILTINS_INT8)",
    tfl.UINT8: "convert it again with TensorFlow 2, whose quantised networks are int8",
    tfl.INT16: "convert it with activations of 8 bits",
}


@dataclass(frozen=True)
class Padded:
    """A PAD of rows and columns: its name, the value before it, its border."""

    name: str
    source: int
    border: Border

    def fits(self, window: tuple[int, ...]) -> bool:
        """Whether every window of this size sees something behind the border."""
        border = self.border
        sides = max(border.top, border.bottom), max(border.left, border.right)
        return all(side < size for side, size in zip(sides, window, strict=False))


class FileValues:
    """What the operators of one file have put out, each value checked when it is made."""

    def __init__(self, file: TfliteFile) -> None:
        self.file = file
        self.values: dict[int, Value] = {}
        # What a PAD put out that only convolutions read so far.
        self.padded: dict[int, Padded] = {}

    def numbered(self) -> tuple[tuple[Value, ...], dict[int, int]]:
        """The values in use, and their new numbers."""
        numbers = {old: new for new, old in enumerate(self.values)}
        values = (replace(value, storage=numbers[value.storage]) for value in self.values.values())
        return tuple(values), numbers

    def assume_output(self, operator: FileOperator) -> None:
        """Go on behind an operator that was refused, so that the others are judged too."""
        for index in operator.outputs:
            try:
                if index not in self.values:
                    self.new_value(index)
            except ModelError:
                continue

    def named(self, indices: tuple[int, ...]) -> str:
        """The first of some tensors, for a message."""
        if not indices or not 0 <= indices[0] < len(self.file.tensors):
            return "no tensor"
        return f"tensor {self.file.tensors[indices[0]].name!r}"

    def tensor(self, indices: tuple[int, ...], place: int) -> FileTensor:
        """The tensor at a place of a list; it must be there."""
        if place >= len(indices) or not 0 <= indices[place] < len(self.file.tensors):
            raise ModelError(f"input or output {place} is not there")
        return self.file.tensors[indices[place]]

    def new_value(self, index: int, storage: int | None = None) -> int:
        """An activation: int8, one scale, one zero point, fixed extents."""
        tensor = self.tensor((index,), 0)
        if tensor.kind != tfl.INT8:
            kind = tfl.TYPE_NAMES.get(tensor.kind, f"type {tensor.kind}")
            advice = ADVICE.get(tensor.kind, "a network of full integers")
            raise ModelError(f"tensor {tensor.name!r} is {kind}, expected int8: {advice}")
        if min(tensor.shape, default=0) < 1 or (tensor.is_dynamic and index in self.file.inputs):
            raise ModelError(f"tensor {tensor.name!r} has a dynamic shape, expected a fixed one")
        if index in self.values:
            raise ModelError(f"tensor {tensor.name!r} is computed twice")
        scale, zero_point = grid_of(tensor)
        own = index if storage is None else storage
        self.values[index] = Value(tensor.name, shape_of(tensor), scale, zero_point, own)
        return index

    def input(self, operator: FileOperator, place: int = 0) -> tuple[int, Value]:
        """An input that is an activation and already computed."""
        tensor = self.tensor(operator.inputs, place)
        index = operator.inputs[place]
        if tensor.data:
            raise ModelError(f"tensor {tensor.name!r} is a constant, expected an activation")
        if index in self.padded and index not in self.values:
            self.fill_border(index)
        if index not in self.values:
            raise ModelError(f"tensor {tensor.name!r} is not computed before")
        return index, self.values[index]

    def fill_border(self, index: int) -> None:
        """A PAD that something else than a convolution reads."""
        raise NotImplementedError

    def output(self, operator: FileOperator) -> tuple[int, Value]:
        """The one output, new."""
        self.tensor(operator.outputs, 0)
        index = self.new_value(operator.outputs[0])
        return index, self.values[index]
