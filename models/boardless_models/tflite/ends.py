"""The ends of a file that are not int8: a QUANTIZE or DEQUANTIZE there is not an operator to run.

What stands between is the network; the camera's bytes are mapped to its input when it is imported.
"""

from __future__ import annotations

from dataclasses import replace

from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, TfliteFile
from boardless_sim.errors import ModelError

UINT8_ZERO = 128


def without_ends(file: TfliteFile) -> TfliteFile:
    """The file from its first int8 tensor to its last; the same where it begins and ends so."""
    if len(file.inputs) != 1 or len(file.outputs) != 1:
        return file
    return without_output(without_input(file))


def without_input(file: TfliteFile) -> TfliteFile:
    """The file behind a QUANTIZE that alone reads the input."""
    number = file.inputs[0]
    readers = [operator for operator in file.operators if number in operator.inputs]
    if len(readers) != 1 or not is_end(file, readers[0], number, readers[0].outputs):
        return file
    rest = tuple(operator for operator in file.operators if operator is not readers[0])
    return replace(file, operators=rest, inputs=readers[0].outputs)


def without_output(file: TfliteFile) -> TfliteFile:
    """The file before a QUANTIZE or DEQUANTIZE that makes the output, or what a softmax reads."""
    last = maker(file, file.outputs[0])
    softmax = last if last is not None and last.code == tfl.SOFTMAX else None
    if softmax is not None:
        last = maker(file, softmax.inputs[0]) if softmax.inputs else None
    if last is None or not is_end(file, last, last.outputs[0], last.inputs):
        return file
    rest = [operator for operator in file.operators if operator not in (last, softmax)]
    if softmax is not None:
        return replace(file, operators=(*rest, replace(softmax, inputs=last.inputs)))
    return replace(file, operators=tuple(rest), outputs=last.inputs)


def maker(file: TfliteFile, number: int) -> FileOperator | None:
    """The operator that puts a tensor out."""
    return next((found for found in file.operators if number in found.outputs), None)


def is_end(file: TfliteFile, operator: FileOperator, outer: int, inner: tuple[int, ...]) -> bool:
    """Whether an operator only brings what is outside to int8, or int8 to what is outside."""
    codes = operator.code in (tfl.QUANTIZE, tfl.DEQUANTIZE)
    ends = (outer, *inner)
    if not codes or len(inner) != 1 or not all(0 <= end < len(file.tensors) for end in ends):
        return False
    outside, inside = (file.tensors[end] for end in ends)
    if inside.kind != tfl.INT8 or outside.kind not in (tfl.FLOAT32, tfl.UINT8):
        return False
    if outside.kind == tfl.UINT8:
        points = [tensor.zero_points.tolist() for tensor in (outside, inside)]
        same = outside.scales.tolist() == inside.scales.tolist() and points[0] == [
            point + UINT8_ZERO for point in points[1]
        ]
        if not same:
            raise ModelError(
                f"tensor {outside.name!r} has another scale than {inside.name!r}, expected the same"
            )
    return True
