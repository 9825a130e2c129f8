"""A .tflite as data: tensors, operators and what the schema calls their fields (version 3)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.tflite.flatbuffer import (
    Bytes,
    FlatTable,
    NewTable,
    Scalar,
    file_bytes,
    root_table,
    text,
    vector,
)
from boardless_models.tflite.operator_names import operator_name
from boardless_sim.errors import ModelError

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
DATA_ALIGNMENT = 16
MOST_DIMENSIONS, MOST_SCALES, MOST_LISTED = 8, 1 << 14, 256

FLOAT32, INT32, UINT8, INT16, INT8 = 0, 2, 3, 7, 9
TYPE_NAMES = {0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 6: "bool"}
TYPE_NAMES |= {7: "int16", 9: "int8", 17: "int4"}
SAME, VALID = 0, 1
NO_ACTIVATION, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3

ADD, AVERAGE_POOL_2D, CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED = 0, 1, 3, 4, 9
MAX_POOL_2D, RELU_OP, RELU_N1_TO_1_OP, RELU6_OP = 17, 19, 20, 21
RESHAPE, SOFTMAX, SQUEEZE, PRELU, EXPAND_DIMS, LEAKY_RELU = 22, 25, 43, 54, 70, 98
CONCATENATION, LOGISTIC, TANH, PAD, MEAN, HARD_SWISH = 2, 14, 28, 34, 40, 117
DEQUANTIZE, TRANSPOSE, STRIDED_SLICE, SHAPE, PACK, QUANTIZE = 6, 39, 45, 77, 83, 114
MUL, SUB, SPLIT, PADV2, SLICE, MIRROR_PAD, SPLIT_V = 18, 41, 49, 60, 65, 100, 102
RESIZE_NEAREST_NEIGHBOR = 97
# The version of each operator that takes int8.
VERSIONS = {ADD: 2, CONV_2D: 3, DEPTHWISE_CONV_2D: 3, FULLY_CONNECTED: 4, MAX_POOL_2D: 2}
VERSIONS |= {AVERAGE_POOL_2D: 2, RELU_OP: 2, RELU6_OP: 2, SOFTMAX: 2, RELU_N1_TO_1_OP: 1}
VERSIONS |= {LEAKY_RELU: 2, CONCATENATION: 2, LOGISTIC: 2, TANH: 2, PAD: 2, MEAN: 2, PADV2: 2}
VERSIONS |= {MUL: 2, SUB: 2, SPLIT: 2, SPLIT_V: 2, SLICE: 2, STRIDED_SLICE: 2, MIRROR_PAD: 2}
VERSIONS |= {RESIZE_NEAREST_NEIGHBOR: 2}


@dataclass(frozen=True)
class FileTensor:
    """A tensor; `data` is empty for activations, `scales` for what is not quantised."""

    name: str
    shape: tuple[int, ...]
    kind: int
    data: bytes = b""
    scales: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    zero_points: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    axis: int = 0
    is_dynamic: bool = False


@dataclass(frozen=True)
class Options:
    """The options that any operator here has; each operator reads its own of them."""

    padding: int = SAME
    stride_width: int = 0
    stride_height: int = 0
    window_width: int = 0
    window_height: int = 0
    depth_multiplier: int = 0
    activation: int = NO_ACTIVATION
    dilation_width: int = 1
    dilation_height: int = 1
    keep_dimensions: int = 0
    weights_format: int = 0
    beta: float = 0.0
    alpha: float = 0.0
    axis: int = 0
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0
    align_corners: int = 0
    half_pixel_centers: int = 0
    mode: int = 0
    parts: int = 0


@dataclass(frozen=True)
class FileOperator:
    """An operator; an optional input that is not given is -1."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options = Options()

    @property
    def name(self) -> str:
        """The schema's name."""
        return operator_name(self.code)


@dataclass(frozen=True)
class TfliteFile:
    """The one graph of a file."""

    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


# Code: the number in the union of options, and the slot and kind of each field.
Fields = dict[str, tuple[int, str]]
STEPS: Fields = {"padding": (0, "b"), "stride_width": (1, "i"), "stride_height": (2, "i")}
POOL: Fields = {"window_width": (3, "i"), "window_height": (4, "i"), "activation": (5, "b")}
DENSE: Fields = {"activation": (0, "b"), "weights_format": (1, "b"), "keep_dimensions": (2, "b")}
MASKS: Fields = {"begin_mask": (0, "i"), "end_mask": (1, "i"), "ellipsis_mask": (2, "i")}
MASKS |= {"new_axis_mask": (3, "i"), "shrink_axis_mask": (4, "i")}


def dilated(slot: int) -> Fields:
    """The three fields that end the options of a convolution."""
    return {
        "activation": (slot, "b"),
        "dilation_width": (slot + 1, "i"),
        "dilation_height": (slot + 2, "i"),
    }


OPTION_FIELDS: dict[int, tuple[int, Fields]] = {
    CONV_2D: (1, STEPS | dilated(3)),
    DEPTHWISE_CONV_2D: (2, STEPS | {"depth_multiplier": (3, "i")} | dilated(4)),
    AVERAGE_POOL_2D: (5, STEPS | POOL),
    MAX_POOL_2D: (5, STEPS | POOL),
    FULLY_CONNECTED: (8, DENSE),
    SOFTMAX: (9, {"beta": (0, "f")}),
    CONCATENATION: (10, {"axis": (0, "i"), "activation": (1, "b")}),
    ADD: (11, {"activation": (0, "b")}),
    MEAN: (27, {"keep_dimensions": (0, "b")}),
    LEAKY_RELU: (75, {"alpha": (0, "f")}),
    MUL: (21, {"activation": (0, "b")}),
    SUB: (28, {"activation": (0, "b")}),
    STRIDED_SLICE: (32, MASKS),
    SPLIT: (35, {"parts": (0, "i")}),
    SPLIT_V: (79, {"parts": (0, "i")}),
    RESIZE_NEAREST_NEIGHBOR: (74, {"align_corners": (0, "b"), "half_pixel_centers": (1, "b")}),
    MIRROR_PAD: (77, {"mode": (0, "b")}),
}
DEFAULTS = {option.name: option.default for option in fields(Options)}


def read_tflite(content: bytes) -> TfliteFile:
    """Decode a file. Raises `ModelError` where it is damaged or has more than one graph."""
    model = root_table(content, IDENTIFIER)
    version = model.integer(0, "I")
    if version != SCHEMA_VERSION:
        raise ModelError(f"schema version {version}, expected {SCHEMA_VERSION}")
    graphs = model.tables(2)
    if len(graphs) != 1:
        names = ", ".join(repr(graph.text(4)) for graph in graphs[:4])
        raise ModelError(
            f"{len(graphs)} graphs ({names}), expected one: neither control flow nor state that is "
            "kept from one inference to the next is taken"
        )
    codes = [max(code.integer(0, "b"), code.integer(3, "i")) for code in model.tables(1)]
    data = [buffer.numbers(0, "u1") for buffer in model.tables(4)]
    tensors, left = [], len(content)
    for table in graphs[0].tables(0):
        tensors.append(read_tensor(table, data, left))
        left -= len(tensors[-1].data)
    return TfliteFile(
        tensors=tuple(tensors),
        operators=tuple(read_operator(table, codes) for table in graphs[0].tables(3)),
        inputs=indices(graphs[0], 1),
        outputs=indices(graphs[0], 2),
    )


def indices(table: FlatTable, slot: int) -> tuple[int, ...]:
    """A vector of tensor numbers, not many."""
    found = table.numbers(slot, "<i4")
    if found.size > MOST_LISTED:
        raise ModelError(f"{found.size} tensors in one list, expected at most {MOST_LISTED}")
    return tuple(int(index) for index in found)


def read_tensor(table: FlatTable, buffers: list[NDArray[np.uint8]], most_bytes: int) -> FileTensor:
    """One tensor with its data; together they are no more than the file."""
    name, number = table.text(3), table.integer(2, "I")
    if number >= len(buffers):
        raise ModelError(f"tensor {name!r}: buffer {number} of {len(buffers)}")
    if buffers[number].size > most_bytes:
        raise ModelError(f"tensor {name!r}: shares its data with others, expected its own")
    shape, signature = table.numbers(0, "<i4"), table.numbers(7, "<i4")
    if max(shape.size, signature.size) > MOST_DIMENSIONS:
        raise ModelError(f"tensor {name!r}: {shape.size} dimensions, expected at most 8")
    quantization = table.table(4)
    if table.table(6) is not None:
        raise ModelError(f"tensor {name!r}: sparse, expected a dense tensor")
    grid: dict[str, Any] = {}
    if quantization is not None:
        grid = {
            "scales": quantization.numbers(2, "<f4"),
            "zero_points": quantization.numbers(3, "<i8"),
            "axis": quantization.integer(6, "i"),
        }
        if max(grid["scales"].size, grid["zero_points"].size) > MOST_SCALES:
            raise ModelError(f"tensor {name!r}: more than {MOST_SCALES} scales")
    return FileTensor(
        name=name,
        shape=tuple(int(extent) for extent in (*np.maximum(shape[:1], 1), *shape[1:])),
        kind=table.integer(1, "b"),
        data=buffers[number].tobytes(),
        # The first extent is the batch: converters leave it open, and one frame at a time is run.
        is_dynamic=bool((shape[1:] < 1).any() or (signature[1:] < 0).any()),
        **grid,
    )


def read_operator(table: FlatTable, codes: list[int]) -> FileOperator:
    """One operator with the options that its code has."""
    number = table.integer(0, "I")
    if number >= len(codes):
        raise ModelError(f"operator code {number} of {len(codes)}")
    code = codes[number]
    options = Options()
    kind, slots = OPTION_FIELDS.get(code, (0, {}))
    found = table.table(4)
    if found is not None and slots and table.integer(3, "B") == kind:
        options = Options(
            **{name: found.scalar(*slots[name], DEFAULTS[name]) for name in slots},  # type: ignore[arg-type]
        )
    return FileOperator(code, indices(table, 1), indices(table, 2), options)


def write_tflite(file: TfliteFile, description: str) -> bytes:
    """Encode a file; buffer 0 is the empty one, every constant has its own."""
    codes = sorted({operator.code for operator in file.operators})
    buffers = [NewTable()]
    tensors: list[NewTable] = []
    for tensor in file.tensors:
        tensors.append(tensor_node(tensor, len(buffers) if tensor.data else 0))
        if tensor.data:
            data = Bytes(len(tensor.data), tensor.data, DATA_ALIGNMENT)
            buffers.append(NewTable({0: data}))
    graph: dict[int, Any] = {
        0: tensors,
        1: vector(file.inputs, "<i4"),
        2: vector(file.outputs, "<i4"),
        3: [operator_node(operator, codes) for operator in file.operators],
        4: text("main"),
    }
    model: dict[int, Any] = {
        0: Scalar("I", SCHEMA_VERSION),
        1: [code_node(code) for code in codes],
        2: [NewTable(graph)],
        3: text(description),
        4: buffers,
    }
    return file_bytes(NewTable(model), IDENTIFIER)


def code_node(code: int) -> NewTable:
    """An operator's code, in its old field of a byte and in its new one."""
    version = VERSIONS.get(code, 1)
    return NewTable({0: Scalar("b", min(code, 127)), 2: Scalar("i", version), 3: Scalar("i", code)})


def tensor_node(tensor: FileTensor, buffer: int) -> NewTable:
    """One tensor and its grid."""
    body: dict[int, Any] = {
        0: vector(tensor.shape, "<i4"),
        1: Scalar("b", tensor.kind),
        2: Scalar("I", buffer),
        3: text(tensor.name),
    }
    if tensor.scales.size:
        body[4] = NewTable(
            {
                2: vector(tensor.scales, "<f4"),
                3: vector(tensor.zero_points, "<i8"),
                # A bias that says the axis of its weights is refused by LiteRT.
                6: Scalar("i", tensor.axis if tensor.axis < len(tensor.shape) else 0),
            }
        )
    return NewTable(body)


def operator_node(operator: FileOperator, codes: list[int]) -> NewTable:
    """One operator and its options."""
    body: dict[int, Any] = {
        0: Scalar("I", codes.index(operator.code)),
        1: vector(operator.inputs, "<i4"),
        2: vector(operator.outputs, "<i4"),
    }
    if operator.code in OPTION_FIELDS:
        kind, slots = OPTION_FIELDS[operator.code]
        values = {
            slot: Scalar(form, getattr(operator.options, name))
            for name, (slot, form) in slots.items()
        }
        body[3], body[4] = Scalar("B", kind), NewTable(values)
    return NewTable(body)
