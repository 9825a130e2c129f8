"""A graph that is a chain of what the fast kernels run, as the artifact that they take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boardless_models.artifact import QuantizedLayer, QuantizedNetwork, Scales, check_layer
from boardless_models.graph import Convolve, Graph, Pool, Value, Window
from boardless_models.layout import check_supported
from boardless_models.network import Conv2d, Dense, Depthwise, Layer, Network, stages
from boardless_models.reference import INPUT_ZERO_POINT
from boardless_models.rounding import INT8_MAXIMUM, INT8_MINIMUM, MULTIPLIER_BITS
from boardless_models.scaling import quantize_multiplier
from boardless_sim.errors import ModelError

PAIRS = Window(2, 2, 2, 2)


@dataclass(frozen=True)
class Link:
    """One layer of the chain, and the operator that holds its numbers."""

    layer: Layer
    operator: Convolve


def chain_of(graph: Graph) -> QuantizedNetwork:
    """The same network for the fast kernels. Raises `ModelError` with why they cannot run it."""
    if graph.rounding != "single":
        raise ModelError(f"{graph.rounding} rounding, the fast kernels round single")
    source = graph.values[graph.input]
    if source.zero_point != INPUT_ZERO_POINT:
        raise ModelError(f"input zero point {source.zero_point}, expected {INPUT_ZERO_POINT}")
    check_chain(graph)
    links = links_of(graph)
    network = Network(graph.name, source.shape, tuple(link.layer for link in links))
    check_supported(network)
    layers = []
    for index, (stage, link) in enumerate(zip(stages(network), links, strict=True)):
        layer = quantized_layer(graph, link.operator, stage.weight_shape)
        check_layer(layer, stage, index)
        layers.append(layer)
    return QuantizedNetwork(network, tuple(layers), graph.score_step)


def check_chain(graph: Graph) -> None:
    """Every operator reads what the one before it has put out."""
    held = graph.values[graph.input].storage
    for operator in graph.operators:
        if graph.values[operator.input].storage != held or not isinstance(
            operator, Convolve | Pool
        ):
            raise ModelError(f"{operator.name}: not a link of a chain of convolutions and pools")
        held = graph.values[operator.output].storage


def links_of(graph: Graph) -> list[Link]:
    """Convolutions, each with the pool that follows it, and the dense layer."""
    links: list[Link] = []
    operators = list(graph.operators)
    while operators:
        operator = operators.pop(0)
        if not isinstance(operator, Convolve):
            raise ModelError(f"{operator.name}: a pool that does not follow a convolution")
        pool = 1
        if not operator.depthwise and operators and isinstance(operators[0], Pool):
            pool = pool_of(operators.pop(0))
        links.append(Link(layer_of(graph, operator, pool, is_last=not operators), operator))
    return links


def pool_of(operator: object) -> int:
    """The side of a max-pool that the kernels take with a convolution."""
    assert isinstance(operator, Pool)
    clamp = operator.least, operator.most
    if (operator.kind, operator.window, clamp) != ("max", PAIRS, (INT8_MINIMUM, INT8_MAXIMUM)):
        raise ModelError(f"{operator.name}: expected a max-pool of 2x2")
    return PAIRS.rows


def layer_of(graph: Graph, operator: Convolve, pool: int, is_last: bool) -> Layer:
    """The layer that a convolution is, by its window and its clamp."""
    source, target = graph.values[operator.input], graph.values[operator.output]
    if is_last:
        return dense_of(operator, source)
    side = operator.window.rows
    border = side // 2
    if operator.window != Window(side, side, 1, 1, border, border) or side % 2 == 0:
        raise ModelError(f"{operator.name}: expected an odd window, stride 1, SAME")
    same = (source.shape.height, source.shape.width) == (target.shape.height, target.shape.width)
    if not same or (operator.least, operator.most) != (target.zero_point, INT8_MAXIMUM):
        raise ModelError(f"{operator.name}: expected a ReLU, and an output as large as the input")
    if not operator.depthwise:
        return Conv2d(target.shape.channels, side, pool)
    if source.shape.channels != target.shape.channels:
        raise ModelError(f"{operator.name}: expected depth multiplier 1")
    return Depthwise(side)


def dense_of(operator: Convolve, source: Value) -> Layer:
    """The last layer: over everything, without an activation."""
    single = source.shape.height == source.shape.width == 1
    if not single or (operator.least, operator.most) != (INT8_MINIMUM, INT8_MAXIMUM):
        raise ModelError(f"{operator.name}: expected a fully connected layer without activation")
    return Dense(len(operator.bias))


def quantized_layer(
    graph: Graph, operator: Convolve, shape: tuple[int, int, int, int]
) -> QuantizedLayer:
    """The operator's numbers as a layer's."""
    source, target = graph.values[operator.input], graph.values[operator.output]
    if operator.weight.size != np.prod(shape):
        raise ModelError(f"{operator.name}: weights {operator.weight.shape}, expected {shape}")
    shift = MULTIPLIER_BITS - operator.exponent.astype(np.int64)
    return QuantizedLayer(
        weight=operator.weight.reshape(shape),
        bias=operator.bias,
        multiplier=operator.multiplier,
        shift=np.clip(shift, 0, 255).astype(np.uint8),
        input_zero_point=source.zero_point,
        output_zero_point=target.zero_point,
        scales=scales_of(operator, source, target),
    )


def scales_of(operator: Convolve, source: Value, target: Value) -> Scales | None:
    """The scales, if the multipliers follow from them; a per-tensor dense layer's may not."""
    for scale, multiplier in zip(operator.scales, operator.multiplier, strict=True):
        factor = source.scale * float(scale) / target.scale
        if quantize_multiplier(factor)[0] != int(multiplier):
            return None
    return Scales(source.scale, operator.scales, target.scale)
