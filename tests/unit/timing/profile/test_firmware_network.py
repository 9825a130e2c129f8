"""Layers read from memory as nn_model.h lays them out."""

from __future__ import annotations

import struct

import pytest

from boardless.timing.profile.firmware_network import FirmwareNetwork, Layer, read_network
from boardless_sim.errors import EngineError

MODEL, TENSORS, LAYERS = 0x0800_4000, 0x0800_5000, 0x0800_6000
CONV2D, DEPTHWISE, MAX_POOL, ADD, LOOKUP = 0, 1, 2, 4, 5
SHAPES = [(28, 28, 1), (14, 14, 8), (14, 14, 8), (1, 1, 10), (1, 1, 392)]


class Memory:
    def __init__(self, *layers: bytes) -> None:
        model = struct.pack("<4IH4B2x", TENSORS, LAYERS, 0, 4096, 0, len(layers), 0, 3, 0)
        tensors = b"".join(struct.pack("<I3Hbx", 0, *shape, -128) for shape in SHAPES)
        self.parts = {MODEL: model, TENSORS: tensors, LAYERS: b"".join(layers)}

    def read_memory(self, address: int, size: int) -> bytes:
        for start, data in self.parts.items():
            if start <= address and address + size <= start + len(data):
                return data[address - start : address - start + size]
        raise EngineError(f"no memory at {address:#010x}")


def layer(
    kind: int, ends: tuple[int, int, int], window: tuple[int, int], bits: int = 8, pool: int = 1
) -> bytes:
    first, second, output = ends
    numbers = (kind, first, second, output, *window, 1, 1, 0, 0, -128, 127, bits | pool << 4)
    return struct.pack("<4I10B2bBxH", 0, 0, 0, 0, *numbers, 0)


def read(*layers: bytes) -> FirmwareNetwork:
    return read_network(Memory(*layers), MODEL)


def only(*layers: bytes) -> Layer:
    (found,) = read(*layers).layers
    return found


def test_a_convolution_with_its_pool() -> None:
    found = only(layer(CONV2D, (0, 0, 1), (3, 3), bits=4, pool=2))
    assert str(found) == "conv2d 3×3"
    assert (found.input, found.output, found.bits, found.pool) == (SHAPES[0], SHAPES[1], 4, 2)
    assert found.macs == 28 * 28 * 8 * 9
    assert found.tensor_bytes == 28 * 28 + 14 * 14 * 8


@pytest.mark.parametrize(
    ("entry", "name", "macs", "tensor_bytes"),
    [
        (layer(CONV2D, (1, 1, 2), (1, 1)), "conv2d 1×1", 14 * 14 * 8 * 8, 2 * 1568),
        (layer(CONV2D, (4, 4, 3), (1, 1)), "dense", 3920, 402),
        (layer(DEPTHWISE, (1, 1, 2), (3, 3)), "depthwise 3×3", 14 * 14 * 8 * 9, 2 * 1568),
        (layer(MAX_POOL, (0, 0, 1), (2, 2)), "max pool 2×2", 0, 784 + 1568),
        (layer(ADD, (1, 2, 2), (1, 1)), "add", 0, 3 * 1568),
        (layer(LOOKUP, (1, 1, 2), (1, 1)), "look-up", 0, 2 * 1568),
    ],
)
def test_every_kind(entry: bytes, name: str, macs: int, tensor_bytes: int) -> None:
    found = only(entry)
    assert (str(found), found.macs, found.tensor_bytes) == (name, macs, tensor_bytes)


def test_a_layer_is_found_by_its_entry() -> None:
    network = read(layer(CONV2D, (0, 0, 1), (3, 3)), layer(ADD, (1, 2, 2), (1, 1)))
    second = network.layers[1]
    assert network.layer_at(network.entry_of(second)) == second


@pytest.mark.parametrize("entry", [LAYERS - 32, LAYERS + 16, LAYERS + 32])
def test_an_entry_that_is_none_is_refused(entry: int) -> None:
    network = read(layer(CONV2D, (0, 0, 1), (3, 3)))
    with pytest.raises(
        EngineError, match=f"layer at {entry:#010x}, expected one of 1 from 0x08006"
    ):
        network.layer_at(entry)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (layer(99, (0, 0, 1), (3, 3)), "kind 99, 8 bits, pool 1, expected kind 0 to"),
        (layer(CONV2D, (0, 0, 1), (3, 3), bits=2), "kind 0, 2 bits"),
        (layer(CONV2D, (0, 0, 1), (3, 3), pool=3), "pool 3, expected"),
        (layer(CONV2D, (0, 0, 200), (3, 3)), "no memory at"),
    ],
)
def test_another_layout_is_refused(entry: bytes, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        read(entry)


def test_a_network_without_layers_is_refused() -> None:
    with pytest.raises(EngineError, match="nn_model at 0x08004000: no layer, expected one"):
        read()
