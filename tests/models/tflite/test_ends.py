"""Ends that are not int8, a batch that is left open, and what a frame's byte means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Lookup
from boardless_models.graph.reference import run_graph
from boardless_models.tflite import file as tfl
from boardless_models.tflite.ends import without_ends
from boardless_models.tflite.file import FileOperator, FileTensor, TfliteFile
from boardless_models.tflite.pixels import with_pixels
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from tests.models.tflite.tflite_cases import Maker, random_frames


def chain(scale: float = 1.0 / 255.0, zero_point: int = -128, channels: int = 1) -> TfliteFile:
    make = Maker(3, 6, 6)
    make.source = make.value((1, 6, 6, channels), scale, zero_point)
    return make.file(make.softmax(make.dense(make.conv(make.source, 4), 3)))


def with_tensor(file: TfliteFile, tensor: FileTensor) -> tuple[TfliteFile, int]:
    return replace(file, tensors=(*file.tensors, tensor)), len(file.tensors)


def outside(file: TfliteFile, number: int, kind: int) -> FileTensor:
    inner = file.tensors[number]
    name = f"{inner.name} outside"
    if kind == tfl.FLOAT32:
        return FileTensor(name, inner.shape, kind)
    points = inner.zero_points + 128
    return FileTensor(name, inner.shape, kind, scales=inner.scales, zero_points=points)


def wrapped(file: TfliteFile, kind: int) -> TfliteFile:
    """As converters write it: a QUANTIZE before, and behind it a QUANTIZE or a DEQUANTIZE."""
    first, last = file.inputs[0], file.outputs[0]
    file, source = with_tensor(file, outside(file, first, kind))
    file, target = with_tensor(file, outside(file, last, kind))
    code = tfl.DEQUANTIZE if kind == tfl.FLOAT32 else tfl.QUANTIZE
    ends = FileOperator(tfl.QUANTIZE, (source,), (first,)), FileOperator(code, (last,), (target,))
    operators = ends[0], *file.operators, ends[1]
    return replace(file, operators=operators, inputs=(source,), outputs=(target,))


def before_softmax(file: TfliteFile) -> TfliteFile:
    """The softmax in floats, behind a DEQUANTIZE."""
    *operators, softmax = file.operators
    file, raw = with_tensor(file, outside(file, softmax.inputs[0], tfl.FLOAT32))
    file, made = with_tensor(file, outside(file, softmax.outputs[0], tfl.FLOAT32))
    dequantise = FileOperator(tfl.DEQUANTIZE, softmax.inputs, (raw,))
    late = replace(softmax, inputs=(raw,), outputs=(made,))
    return replace(file, operators=(*operators, dequantise, late), outputs=(made,))


@pytest.mark.parametrize("kind", [tfl.FLOAT32, tfl.UINT8])
def test_ends_that_are_not_int8_fold(kind: int) -> None:
    file = chain()
    assert without_ends(wrapped(file, kind)).operators == file.operators
    frames = random_frames(1, 4, 6, 6)
    plain, folded = (graph_of(each, "x", "double") for each in (file, wrapped(file, kind)))
    for left, right in zip(run_graph(plain, frames), run_graph(folded, frames), strict=True):
        assert np.array_equal(left, right)


def test_a_softmax_in_floats_folds() -> None:
    graph = graph_of(before_softmax(chain()), "x", "double")
    assert len(graph.operators) == 2


def test_an_end_on_another_grid_is_named() -> None:
    file = wrapped(chain(), tfl.UINT8)
    tensors = list(file.tensors)
    at = file.inputs[0]
    tensors[at] = replace(tensors[at], scales=tensors[at].scales * 2)
    with pytest.raises(ModelError, match="outside' has another scale than"):
        graph_of(replace(file, tensors=tuple(tensors)), "x", "double")


@pytest.mark.parametrize("extent", [-1, 0])
def test_an_open_batch_is_one(extent: int) -> None:
    file = chain()
    tensors = list(file.tensors)
    for at, tensor in enumerate(tensors):
        if not tensor.data:
            tensors[at] = replace(tensor, shape=(extent, *tensor.shape[1:]))
    content = tfl.write_tflite(replace(file, tensors=tuple(tensors)), "x")
    assert len(graph_of(tfl.read_tflite(content), "x", "double").operators) == 2


def test_arithmetic_of_shapes_is_left_out() -> None:
    file = chain()
    file, shape = with_tensor(file, FileTensor("shape", (4,), tfl.INT32))
    sums = FileOperator(tfl.SHAPE, (file.inputs[0],), (shape,))
    graph = graph_of(replace(file, operators=(sums, *file.operators)), "x", "double")
    assert len(graph.operators) == 2


# Scale, zero point: the grids that converters give frames in 0..1, -1..1 and 0..255.
COMMON = [(1 / 255, -128), (2 / 255, -1), (2 / 255, 0), (1.0, -128), (1 / 127.5, -1)]


@pytest.mark.parametrize(("scale", "zero_point"), COMMON)
def test_a_common_grid_takes_the_byte_less_128(scale: float, zero_point: int) -> None:
    graph = graph_of(chain(scale, zero_point), "x", "double")
    assert with_pixels(graph, None) == graph


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(1 / 127, 0), (1 / 255, -127), (1 / 200, -128), (2.0 / 127, 3)]
)
def test_a_grid_of_which_nobody_knows_is_refused(scale: float, zero_point: int) -> None:
    graph = graph_of(chain(scale, zero_point), "x", "double")
    with pytest.raises(ModelError, match="say what the bytes 0 and 255 stand for"):
        with_pixels(graph, None)
    assert with_pixels(graph, "tensor") == graph


@pytest.mark.parametrize(("scale", "zero_point", "channels"), [(0.6, 83, 1), (1 / 127, 0, 4)])
def test_a_grid_of_no_picture_is_a_tensors(scale: float, zero_point: int, channels: int) -> None:
    graph = graph_of(chain(scale, zero_point, channels), "x", "double")
    assert with_pixels(graph, None) == graph


def test_a_byte_is_mapped_as_quantize_would() -> None:
    """0 to 1 on a grid of 1/127 and zero: byte 255 is 127, byte 128 is 63.75."""
    graph = fused(graph_of(chain(1 / 127, 0), "x", "double"))
    found = with_pixels(graph, "0,1")
    first, *rest = found.operators
    assert isinstance(first, Lookup)
    assert [int(first.table[byte]) for byte in (0, 1, 2, 3, 128, 254, 255)] == [
        *(0, 0, 1, 1, 64, 127, 127)
    ]
    frames = random_frames(1, 4, 6, 6)
    seen = (first.table[frames].astype(np.int16) + 128).astype(np.uint8)
    for left, right in zip(run_graph(found, frames)[1:], run_graph(graph, seen), strict=True):
        assert np.array_equal(left, right)
    assert len(rest) == len(graph.operators)


@pytest.mark.parametrize("text", ["1", "1,0", "0,nan", "0,1,2", "a,b", "0,1e9"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    graph = graph_of(chain(), "x", "double")
    with pytest.raises(ModelError, match="expected LOW,HIGH as 0,1, or tensor"):
        with_pixels(graph, text)
