"""The reference against a definition of the sums that is nothing but loops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boardless_models.graph.graph import Convolve, Graph
from boardless_models.graph.reference import run_graph
from boardless_models.int8.scaling import ROUNDINGS, Rounding, scaled
from tests.nn.random_graphs import random_frames, random_graph


def plain_sum(
    graph: Graph, operator: Convolve, tensor: NDArray[np.int8], place: tuple[int, int, int]
) -> int:
    """One sum of products over the window at a row, a column and a channel."""
    source, window = graph.values[operator.input], operator.window
    row, column, channel = place
    total = int(operator.bias[channel])
    for down in range(window.rows):
        for right in range(window.columns):
            y = row * window.stride_rows - window.top + down
            x = column * window.stride_columns - window.left + right
            if not (0 <= y < source.shape.height and 0 <= x < source.shape.width):
                continue
            if operator.depthwise:
                each = len(operator.weight) // source.shape.channels
                pixel = [int(tensor[y, x, channel // each])]
            else:
                pixel = [int(value) for value in tensor[y, x]]
            weights = operator.weight[channel, down, right].tolist()
            for value, weight in zip(pixel, weights, strict=True):
                total += (value - source.zero_point) * weight
    return total


def plain_output(
    graph: Graph, operator: Convolve, tensor: NDArray[np.int8], way: Rounding
) -> NDArray[np.int8]:
    """Every pixel: the sums of its pool, the largest of them requantised and clamped."""
    target = graph.values[operator.output]
    shape, side = target.shape, operator.pool
    output = np.zeros((shape.height, shape.width, shape.channels), np.int8)
    for y, x, channel in np.ndindex(output.shape):
        total = max(
            plain_sum(graph, operator, tensor, (y * side + down, x * side + right, channel))
            for down in range(side)
            for right in range(side)
        )
        multiplier, exponent = operator.multiplier[channel], operator.exponent[channel]
        factor = np.array(multiplier, np.int64), np.array(exponent, np.int64)
        found = int(scaled(np.array(total, np.int64), *factor, way)) + target.zero_point
        output[y, x, channel] = min(max(found, operator.least), operator.most)
    return output


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("seed", range(6))
def test_convolutions_are_what_loops_make_of_them(seed: int, way: Rounding) -> None:
    graph = random_graph(seed, way)
    *_, frame = random_frames(seed, 3, graph.values[graph.input].shape)
    outputs = [output[0] for output in run_graph(graph, frame[None])]
    tensor = (frame.astype(np.int16) - 128).astype(np.int8)
    for operator, found in zip(graph.operators, outputs, strict=True):
        assert isinstance(operator, Convolve)
        source = graph.values[operator.input].shape
        tensor = tensor.reshape(source.height, source.width, source.channels)
        assert np.array_equal(plain_output(graph, operator, tensor, way), found), operator.name
        tensor = found
