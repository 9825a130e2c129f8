"""What an ONNX network would need with 8-bit weights and activations (extra `onnx`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from boardless.fit.need import Need
from boardless_sim.errors import BoardlessError, ModelError
from boardless_sim.files import read_file

_WORD = 4
_MOST_BYTES = 256 << 20
# These give their input another shape or name: no bytes of their own.
_VIEWS = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"}
_CONVOLUTIONS = {"Conv", "ConvInteger", "QLinearConv"}
_PRODUCTS = {"Gemm", "MatMul", "MatMulInteger", "QLinearMatMul"}


@dataclass(frozen=True)
class LiveTensor:
    """A value that exists while the network runs: its bytes, first and last node that need it."""

    size_bytes: int
    first: int
    last: int


def need_of_onnx(path: Path) -> Need:
    """Weights and activations at a byte each. Raises `ModelError`."""
    graph = _graph(path)
    weights = {entry.name: prod(entry.dims) for entry in graph.initializer}
    shapes = {name: tuple(dims) for name, dims in _shapes(path, graph)}
    shapes |= {entry.name: tuple(entry.dims) for entry in graph.initializer}
    return Need(
        name=path.name,
        flash_bytes=sum(weights.values()),
        activation_bytes=planned(_tensors(path, graph, weights, shapes)),
        macs=sum(_macs(path, node, shapes) for node in graph.node),
    )


def planned(tensors: Iterable[LiveTensor]) -> int:
    """The bytes of all, first fit, the largest first: as the firmware's arena is planned."""
    placed: list[tuple[LiveTensor, int]] = []
    for tensor in sorted(tensors, key=lambda each: -each.size_bytes):
        rivals = sorted(
            (offset, offset + other.size_bytes)
            for other, offset in placed
            if other.first <= tensor.last and tensor.first <= other.last
        )
        offset = 0
        for start, end in rivals:
            if start - offset >= tensor.size_bytes:
                break
            offset = max(offset, end)
        placed.append((tensor, offset))
    return max((offset + tensor.size_bytes for tensor, offset in placed), default=0)


def _graph(path: Path) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise BoardlessError(f"{path}: needs onnx: pip install 'boardless[onnx]'") from error
    content = read_file(path, "an ONNX file", ModelError, _MOST_BYTES)
    try:
        model = onnx.load_model_from_string(content)
        return onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:  # its parser raises protobuf's errors, of no common base
        raise ModelError(f"{path}: not read ({error}), expected an ONNX file") from error


def _shapes(path: Path, graph: Any) -> Iterator[tuple[str, list[int]]]:
    for place, value in enumerate((*graph.input, *graph.output, *graph.value_info)):
        dims = value.type.tensor_type.shape.dim
        # An open first dimension of an input is the batch: one frame at a time.
        found = [d.dim_value or (1 if number == 0 else 0) for number, d in enumerate(dims)]
        if 0 in found:
            raise ModelError(f"{path}: {value.name!r} has an open shape, expected sizes ({place})")
        yield value.name, found


def _tensors(
    path: Path, graph: Any, weights: dict[str, int], shapes: dict[str, tuple[int, ...]]
) -> list[LiveTensor]:
    storage: dict[str, str] = {}
    spans: dict[str, tuple[int, int]] = {
        value.name: (-1, -1) for value in graph.input if value.name not in weights
    }
    for number, node in enumerate(graph.node):
        for name in node.input:
            key = storage.get(name, name)
            if key in spans:
                spans[key] = (spans[key][0], number)
        for name in filter(None, node.output):
            if node.op_type in _VIEWS and storage.get(node.input[0], node.input[0]) in spans:
                storage[name] = storage.get(node.input[0], node.input[0])
            else:
                spans[name] = (number, number)
    for value in graph.output:
        key = storage.get(value.name, value.name)
        spans[key] = (spans[key][0], len(graph.node))
    return [LiveTensor(_words(path, name, shapes), *span) for name, span in spans.items()]


def _words(path: Path, name: str, shapes: dict[str, tuple[int, ...]]) -> int:
    if name not in shapes:
        raise ModelError(f"{path}: the shape of {name!r} is not known, expected one")
    return -(-prod(shapes[name]) // _WORD) * _WORD


def _macs(path: Path, node: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    if node.op_type in _CONVOLUTIONS:
        weight = node.input[3 if node.op_type == "QLinearConv" else 1]
        return prod(_shape(path, node.output[0], shapes)) * prod(_shape(path, weight, shapes)[1:])
    if node.op_type in _PRODUCTS:
        first = _shape(path, node.input[0], shapes)
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        inner = first[0] if transposed else first[-1]
        return prod(_shape(path, node.output[0], shapes)) * inner
    return 0


def _shape(path: Path, name: str, shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    if name not in shapes:
        raise ModelError(f"{path}: the shape of {name!r} is not known, expected one")
    return shapes[name]
