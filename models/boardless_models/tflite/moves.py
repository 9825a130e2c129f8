"""The operators of a user's .tflite that move values, in the order in which they run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boardless_models.graph.graph import Value
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator
from boardless_models.tflite.layers import FileLayers
from boardless_models.tflite.moving import Places, bordered, nearest, part, place_of, split, strided
from boardless_models.tflite.reduce import border_of, integers
from boardless_models.tflite.tensors import grid_of
from boardless_models.tflite.values import Padded
from boardless_sim.errors import ModelError


class FileMoves(FileLayers):
    """Borders, parts and repeats as selections."""

    def move(self, index: int, operator: FileOperator, first: int, places: Places) -> None:
        """One output of an operator whose grid stays; `first` is the value that it moves."""
        number, target = self.output(operator)
        source = self.values[first]
        shape = target.shape
        extents = shape.height, shape.width, shape.channels
        found = tuple(len(axis) for axis in places.axes)
        if found != extents or grid(source) != grid(target):
            raise ModelError(f"tensor {target.name!r}, expected {list(found)} on the same scale")
        name = f"op {index} {operator.name}"
        self.operators.append(places.selection(name, first, number, target.zero_point))

    def pad(self, index: int, operator: FileOperator) -> None:
        """PAD puts zeros around; a convolution that reads it takes them as its border."""
        first, source = self.input(operator)
        paddings = self.tensor(operator.inputs, 1)
        pairs = integers(paddings)
        if pairs.shape != (4, 2) or pairs[[0, 3]].any():
            return self.move(index, operator, first, bordered(source, pairs))
        border = border_of(paddings)
        number, target = self.output(operator)
        if target.shape != border.around(source.shape) or grid(source) != grid(target):
            raise ModelError(f"tensor {target.name!r} is not {source.name!r} with its border")
        del self.values[number]
        self.padded[number] = Padded(f"op {index} {operator.name}", first, border)
        return None

    def fill_border(self, index: int) -> None:
        found = self.padded[index]
        source, border = self.values[found.source], found.border
        sides = [[0, 0], [border.top, border.bottom], [border.left, border.right], [0, 0]]
        places = bordered(source, np.array(sides, np.int32))
        self.new_value(index)
        made = places.selection(found.name, found.source, index, source.zero_point)
        self.operators.append(made)

    def pad_anything(self, index: int, operator: FileOperator) -> None:
        """PADV2 and MIRROR_PAD."""
        first, source = self.input(operator)
        pairs = integers(self.tensor(operator.inputs, 1))
        if operator.code == tfl.MIRROR_PAD:
            return self.move(index, operator, first, bordered(source, pairs, operator.options.mode))
        value = self.tensor(operator.inputs, 2)
        if value.kind != tfl.INT8 or len(value.data) != 1 or grid_of(value) != grid(source):
            raise ModelError(f"tensor {value.name!r}, expected one int8 on the same scale")
        self.move(index, operator, first, bordered(source, pairs))
        filler = int.from_bytes(value.data, "little", signed=True)
        self.operators[-1] = bordered(source, pairs).selection(
            f"op {index} {operator.name}", first, operator.outputs[0], filler
        )
        return None

    def slice(self, index: int, operator: FileOperator) -> None:
        """SLICE and STRIDED_SLICE."""
        first, source = self.input(operator)
        numbers = [
            integers(self.tensor(operator.inputs, place)).reshape(-1).tolist()
            for place in range(1, len(operator.inputs))
        ]
        if len(numbers) != (2 if operator.code == tfl.SLICE else 3):
            raise ModelError(f"{len(operator.inputs)} inputs")
        if operator.code == tfl.SLICE:
            places = part(source, *numbers)
        else:
            places = strided(source, numbers, operator.options)
        self.move(index, operator, first, places)

    def split(self, index: int, operator: FileOperator) -> None:
        """SPLIT, in equal parts, and SPLIT_V."""
        equal = operator.code == tfl.SPLIT
        number = operator.inputs[1 if equal else 0] if len(operator.inputs) > 1 else -1
        first, source = self.input(FileOperator(operator.code, (number,), ()))
        axes = integers(self.tensor(operator.inputs, 0 if equal else 2)).reshape(-1).tolist()
        rank, count = len(self.file.tensors[number].shape), len(operator.outputs)
        if len(axes) != 1 or not count:
            raise ModelError(f"{len(axes)} axes, {count} outputs")
        extent = len(Places.whole(source).axes[place_of(axes[0], rank)])
        sizes = [extent // count] * count
        if not equal:
            sizes = integers(self.tensor(operator.inputs, 1)).reshape(-1).tolist()
        if len(sizes) != count:
            raise ModelError(f"{len(sizes)} parts in {count} outputs")
        for place, found in enumerate(split(source, axes[0], rank, sizes)):
            own = FileOperator(operator.code, operator.inputs, operator.outputs[place:])
            self.move(index, own, first, found)
            if place:  # the name alone is that of the first, whose output a peer is watched by
                name = f"{self.operators[-1].name}, part {place}"
                self.operators[-1] = replace(self.operators[-1], name=name)

    def resize(self, index: int, operator: FileOperator) -> None:
        """RESIZE_NEAREST_NEIGHBOR."""
        first, source = self.input(operator)
        size = integers(self.tensor(operator.inputs, 1)).reshape(-1).tolist()
        if len(size) != 2:
            raise ModelError(f"a size of {size}, expected rows and columns")
        self.move(index, operator, first, nearest(source, size, operator.options))


def grid(value: Value) -> tuple[float, int]:
    """Scale and zero point."""
    return value.scale, value.zero_point
