"""The layers of the network that a firmware runs, as its own memory describes them.

The layout is that of firmware/nn/nn_model.h: three structs of constants; `nn_backend_run` gets
pointers to two of them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

from boardless_sim.errors import EngineError

_MODEL = struct.Struct(
    "<4IH4B2x"
)  # tensors, layers, score table, arena; step, count, ends, rounding
_LAYER = struct.Struct(
    "<4I10B2bBxH"
)  # four pointers; kind, tensors, window, border; clamp; bits and pool; room
_TENSOR = struct.Struct("<I3Hbx")  # offset; height, width, channels; zero point
KINDS = (
    *("conv2d", "depthwise", "max pool", "average pool", "add", "look-up"),
    *("prelu", "mean", "concatenate", "multiply", "select"),
)
_CONV2D, _DEPTHWISE = 0, 1
_TAKES_TWO = ("add", "concatenate", "multiply")
_HAS_WINDOW = ("conv2d", "depthwise", "max pool", "average pool")


class ReadableBoard(Protocol):
    """What can be read of a board."""

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of RAM or Flash. Raises `EngineError` where there is no memory."""


Shape = tuple[int, int, int]  # height, width, channels


@dataclass(frozen=True)
class ArenaTensor:
    """Where one stands in the arena."""

    offset: int
    shape: Shape

    @property
    def size_bytes(self) -> int:
        """Of its int8 values."""
        return _size(self.shape)


_NOWHERE = ArenaTensor(0, (0, 0, 0))


@dataclass(frozen=True)
class Layer:
    """One layer. `tensor_bytes`: of what it reads and writes, in the arena.

    `macs`: multiplications of one inference; a layer that pools has those of the pixels that the
    pool reads. Pools, additions and look-ups have none.
    """

    index: int
    kind: str
    window: tuple[int, int]
    input: Shape
    output: Shape
    bits: int
    pool: int
    macs: int
    tensor_bytes: int
    source: ArenaTensor = _NOWHERE
    target: ArenaTensor = _NOWHERE

    def __str__(self) -> str:
        if self.kind not in _HAS_WINDOW:
            return self.kind
        if self.window == (1, 1) and self.input[:2] == (1, 1):
            return "dense"
        return f"{self.kind} {self.window[0]}×{self.window[1]}"


@dataclass(frozen=True)
class FirmwareNetwork:
    """Every layer, and where its entry stands."""

    layers: tuple[Layer, ...]
    first_entry: int

    def layer_at(self, entry: int) -> Layer:
        """The layer with its entry at an address. Raises `EngineError` for another address."""
        index, odd = divmod(entry - self.first_entry, _LAYER.size)
        if odd or not 0 <= index < len(self.layers):
            raise EngineError(
                f"nn_backend_run: layer at {entry:#010x}, expected one of {len(self.layers)} from "
                f"{self.first_entry:#010x} on, {_LAYER.size} bytes each (nn_model.h)"
            )
        return self.layers[index]

    def entry_of(self, layer: Layer) -> int:
        """The address of a layer's entry."""
        return self.first_entry + layer.index * _LAYER.size


def read_network(memory: ReadableBoard, address: int) -> FirmwareNetwork:
    """The network whose nn_model stands at an address. Raises `EngineError` for what is none."""
    tensors, entries, _, _, _, count, *_ = _MODEL.unpack(memory.read_memory(address, _MODEL.size))
    if not count:
        raise EngineError(f"nn_model at {address:#010x}: no layer, expected one (nn_model.h)")
    layers = tuple(
        _layer(memory, tensors, entries + index * _LAYER.size, index) for index in range(count)
    )
    return FirmwareNetwork(layers, entries)


def _layer(memory: ReadableBoard, tensors: int, address: int, index: int) -> Layer:
    fields = _LAYER.unpack(memory.read_memory(address, _LAYER.size))
    kind, first, second, output, rows, columns = fields[4:10]
    pool, bits = divmod(fields[16], 16)
    if kind >= len(KINDS) or bits not in (4, 8) or pool not in (1, 2):
        raise EngineError(
            f"nn_layer at {address:#010x}: kind {kind}, {bits} bits, pool {pool}, expected kind "
            f"0 to {len(KINDS) - 1}, 4 or 8 bits, pool 1 or 2 (nn_model.h)"
        )
    read_and_written = [_tensor(memory, tensors, number) for number in (first, second, output)]
    shapes = [tensor.shape for tensor in read_and_written]
    read = shapes[:2] if KINDS[kind] in _TAKES_TWO else shapes[:1]
    return Layer(
        index=index,
        kind=KINDS[kind],
        window=(rows, columns),
        input=shapes[0],
        output=shapes[2],
        bits=bits,
        pool=pool,
        macs=_macs(kind, (rows, columns), shapes[0], shapes[2], pool),
        tensor_bytes=sum(map(_size, read)) + _size(shapes[2]),
        source=read_and_written[0],
        target=read_and_written[2],
    )


def _tensor(memory: ReadableBoard, tensors: int, number: int) -> ArenaTensor:
    raw = memory.read_memory(tensors + number * _TENSOR.size, _TENSOR.size)
    offset, height, width, channels, _ = _TENSOR.unpack(raw)
    return ArenaTensor(offset, (height, width, channels))


def _macs(kind: int, window: tuple[int, int], source: Shape, target: Shape, pool: int) -> int:
    if kind not in (_CONV2D, _DEPTHWISE):
        return 0
    per_sum = window[0] * window[1] * (source[2] if kind == _CONV2D else 1)
    return _size(target) * pool**2 * per_sum


def _size(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]
