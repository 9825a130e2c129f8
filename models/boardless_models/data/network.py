"""The architecture as data: typed layers, the shapes between them, and what they cost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from boardless_sim.errors import ModelError
from boardless_sim.json_text import parse_json


@dataclass(frozen=True)
class Shape:
    """Height, width and channels of a tensor, stored in that order."""

    height: int
    width: int
    channels: int

    @property
    def size(self) -> int:
        """How many values the tensor has."""
        return self.height * self.width * self.channels

    @property
    def text(self) -> str:
        """The extents, for a message."""
        return f"{self.height}x{self.width}x{self.channels}"


WEIGHT_BITS = (8, 4)
POOLS = (1, 2)
LARGEST_KERNEL, LARGEST_SIDE, INPUT_CHANNELS = 11, 96, (1, 3)
LEAST_CLASSES, MOST_CLASSES = 2, 256
ACTIVATIONS = ("relu", "relu6", "prelu", "hard-swish")


@dataclass(frozen=True)
class Conv2d:
    """Convolution, activation, then a max-pool of `pool` × `pool`; the border is padded with zero.

    `bits` is how wide a weight is stored.
    """

    out_channels: int
    kernel: int
    pool: int = 1
    bits: int = 8
    activation: str = "relu"


@dataclass(frozen=True)
class Depthwise:
    """3×3 convolution of each channel by itself, activation; the border is padded with zero."""

    kernel: int = 3
    bits: int = 8
    activation: str = "relu"


@dataclass(frozen=True)
class Dense:
    """Fully connected layer over the whole tensor, without activation."""

    out_channels: int
    bits: int = 8


Layer = Conv2d | Depthwise | Dense
KINDS: dict[str, type[Conv2d] | type[Depthwise] | type[Dense]] = {
    "conv2d": Conv2d,
    "depthwise": Depthwise,
    "dense": Dense,
}


@dataclass(frozen=True)
class Network:
    """A chain of layers from one input frame to the class logits."""

    name: str
    input: Shape
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class PlacedLayer:
    """One layer in its place: what goes in, what comes out, and how its weights are shaped."""

    layer: Layer
    input: Shape
    output: Shape
    weight_shape: tuple[int, int, int, int]
    macs: int

    @property
    def kind(self) -> str:
        """The name of the layer's kind, as files spell it."""
        return next(name for name, kind in KINDS.items() if isinstance(self.layer, kind))

    @property
    def is_last(self) -> bool:
        """Whether this layer puts out the logits."""
        return isinstance(self.layer, Dense)

    @property
    def pool(self) -> int:
        """The side of the max-pool that follows; 1 when there is none."""
        return self.layer.pool if isinstance(self.layer, Conv2d) else 1

    @property
    def activation(self) -> str:
        """The name of the activation; empty after the last layer."""
        return "" if isinstance(self.layer, Dense) else self.layer.activation

    @property
    def fan_in(self) -> int:
        """How many products make one sum."""
        _, rows, columns, channels = self.weight_shape
        return rows * columns * channels


def place(layer: Layer, shape: Shape) -> PlacedLayer:
    """The stage that a layer becomes when it is given a tensor of this shape."""
    match layer:
        case Conv2d(out_channels, kernel, pool):
            output = Shape(shape.height // pool, shape.width // pool, out_channels)
            weights = (out_channels, kernel, kernel, shape.channels)
            # A pooled layer computes only the pixels that the pool reads.
            pixels = output.height * output.width * pool * pool
            return PlacedLayer(layer, shape, output, weights, pixels * weights_in(weights))
        case Depthwise(kernel):
            weights = (shape.channels, kernel, kernel, 1)
            pixels = shape.height * shape.width
            return PlacedLayer(layer, shape, shape, weights, pixels * weights_in(weights))
        case Dense(out_channels):
            weights = (out_channels, shape.height, shape.width, shape.channels)
            return PlacedLayer(
                layer, shape, Shape(1, 1, out_channels), weights, weights_in(weights)
            )


def weights_in(shape: tuple[int, int, int, int]) -> int:
    """How many weights a layer of this weight shape has."""
    outputs, rows, columns, channels = shape
    return outputs * rows * columns * channels


def stages(network: Network) -> tuple[PlacedLayer, ...]:
    """Every layer in its place, from the input frame to the logits."""
    placed: list[PlacedLayer] = []
    shape = network.input
    for layer in network.layers:
        placed.append(place(layer, shape))
        shape = placed[-1].output
    return tuple(placed)


def network_to_json(network: Network) -> str:
    """The architecture as canonical JSON, the same text for the same network."""
    layers = [
        {"kind": stage.kind, **unusual(layer)}
        for layer, stage in zip(network.layers, stages(network), strict=True)
    ]
    body = {"name": network.name, "input": asdict(network.input), "layers": layers}
    return json.dumps(body, sort_keys=True)


def unusual(layer: Layer) -> dict[str, Any]:
    """The fields of a layer; `bits` and `activation` only where they are not the usual ones."""
    usual = {"bits": 8, "activation": "relu"}
    return {key: value for key, value in asdict(layer).items() if usual.get(key) != value}


def network_from_json(text: str) -> Network:
    """The architecture read back; anything not understood is a `ModelError`."""
    try:
        body = parse_json(text, "the architecture", "a network", ModelError)
        network = Network(
            name=str(body["name"]),
            input=Shape(**checked_extents(body["input"])),
            layers=tuple(layer_from(entry) for entry in body["layers"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as cause:
        raise ModelError(f"the architecture is not understood: {cause!r}") from cause
    check_network(network)
    return network


def check_network(network: Network) -> None:
    """Refuse what cannot be trained or run, naming the layer and what was expected there."""
    if not network.layers or not isinstance(network.layers[-1], Dense):
        raise ModelError(f"{network.name}: expected a dense layer as the last one")
    shape = network.input
    if max(shape.height, shape.width) > LARGEST_SIDE or shape.channels not in INPUT_CHANNELS:
        raise ModelError(
            f"{network.name}: an input of {shape.text}, expected at most "
            f"{LARGEST_SIDE}x{LARGEST_SIDE} and 1 or 3 channels"
        )
    for index, stage in enumerate(stages(network)):
        complaint = wrong_with(stage, is_end=index == len(network.layers) - 1)
        if complaint:
            raise ModelError(f"{network.name}: layer {index} ({stage.kind}): {complaint}")


def wrong_with(stage: PlacedLayer, is_end: bool) -> str:
    """What is wrong with a layer in its place; empty where nothing is."""
    match stage.layer:
        case Dense(outputs):
            if not is_end:
                return "expected as the last layer only"
            if not LEAST_CLASSES <= outputs <= MOST_CLASSES:
                return f"{outputs} classes, expected {LEAST_CLASSES} to {MOST_CLASSES}"
            return ""
        case Conv2d(kernel=kernel, pool=pool):
            if pool not in POOLS:
                return f"a pool of {pool}, expected 1 (none) or 2"
            if min(stage.output.height, stage.output.width) < 1:
                return f"a pool of {pool} leaves nothing of {stage.input.text}"
        case Depthwise(kernel=kernel, bits=bits):
            if bits != 8:
                return f"weights of {bits} bits, expected 8"
    if kernel % 2 == 0 or kernel > LARGEST_KERNEL:
        return f"a kernel of {kernel}, expected an odd one of at most {LARGEST_KERNEL}"
    return ""


def layer_from(entry: dict[str, Any]) -> Layer:
    """One layer from its JSON object."""
    fields = {key: value for key, value in entry.items() if key != "kind"}
    activation = fields.pop("activation", "relu")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation {activation!r}, expected one of {ACTIVATIONS}")
    if fields.get("bits", 8) not in WEIGHT_BITS:
        raise ValueError(f"bits is {fields['bits']!r}, expected one of {WEIGHT_BITS}")
    checked: dict[str, Any] = dict(checked_extents(fields))
    if activation != "relu":
        checked["activation"] = activation
    return KINDS[entry["kind"]](**checked)


def checked_extents(fields: dict[str, Any]) -> dict[str, int]:
    """The fields, if every one is an integer that a layer can have."""
    for key, value in fields.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1024:
            raise ValueError(f"{key} is {value!r}, expected an integer from 1 to 1024")
    return fields
