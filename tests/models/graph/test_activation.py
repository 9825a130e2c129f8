from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boardless_models.data.network import stages
from boardless_models.graph.cost import graph_costs, network_bytes
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Lookup, Pool, Prelu
from boardless_models.graph.kernels import slow_reason
from boardless_models.graph.quantize import quantize
from boardless_models.graph.reference import prelu, run_graph
from boardless_models.int8.activation import hard_swish_table
from boardless_models.int8.forward import activated, layer_outputs
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_models.tflite import file as tfl
from boardless_models.tflite.exporter import tflite_of
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from tests.models.graph.activation_cases import (
    ACTIVATIONS,
    checkpoint_of,
    network_of,
    quantized_of,
)
from tests.models.tflite.tflite_cases import random_frames

FRAMES = random_frames(3, 30, 9, 10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(4))
def test_integers_are_near_the_floats(activation: str, seed: int) -> None:
    checkpoint = checkpoint_of(activation, seed)
    graph = quantize(checkpoint)
    frames = np.random.default_rng(9).integers(0, 256, (40, 9, 10), np.uint8)
    floats = layer_outputs(stages(checkpoint.network), checkpoint.layers, frames)
    outputs = run_graph(graph, frames)
    ends = [
        number
        for number, operator in enumerate(graph.operators)
        if number + 1 == len(graph.operators)
        or operator.name.split()[1] != graph.operators[number + 1].name.split()[1]
    ]
    assert len(ends) == len(floats)
    sums = graph.values[graph.operators[0].output]
    value = graph.values[graph.operators[ends[0]].output]
    found = (outputs[ends[0]].astype(np.float64) - value.zero_point) * value.scale
    error = np.abs(found - floats[0])
    # Half a step of the sums and half of the outputs; the steepest slope is that of a PReLU.
    steepest = max(1.0, checkpoint.layers[0].slope)
    assert error.mean() < 0.5 * (sums.scale * steepest + value.scale)


def test_a_slope_below_zero_is_refused() -> None:
    checkpoint = checkpoint_of("prelu", 1)
    first = replace(checkpoint.layers[0], slope=-0.1)
    with pytest.raises(ModelError, match="a PReLU with a slope of -0.1, expected none below zero"):
        quantize(replace(checkpoint, layers=(first, *checkpoint.layers[1:])))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_bytes_are_those_of_the_graph(activation: str) -> None:
    graph = quantized_of(activation, 1)
    counted = sum(cost.model_bytes for cost in graph_costs(graph))
    assert network_bytes(network_of(activation)) == counted


def test_a_prelu_stands_behind_its_pool_and_a_hard_swish_before_it() -> None:
    kinds = {
        activation: [type(operator) for operator in quantized_of(activation, 1).operators]
        for activation in ACTIVATIONS
    }
    assert (kinds["prelu"].count(Prelu), kinds["prelu"].count(Pool)) == (3, 0)
    assert (kinds["hard-swish"].count(Lookup), kinds["hard-swish"].count(Pool)) == (3, 2)
    graph = quantized_of("prelu", 1)
    assert slow_reason(graph, graph.operators[0]) == ""


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("way", ROUNDINGS)
def test_the_way_to_a_tflite_and_back_is_the_same_graph(activation: str, way: Rounding) -> None:
    there = quantized_of(activation, 3, way)
    content = tfl.write_tflite(tflite_of(there), "x")
    back = fused(graph_of(tfl.read_tflite(content), "x", way))
    pairs = zip(run_graph(there, FRAMES), run_graph(back, FRAMES), strict=True)
    assert all(np.array_equal(left, right) for left, right in pairs)
    assert graph_costs(back)[-1] == graph_costs(there)[-1]


def test_hard_swish_table_is_the_function_within_a_step() -> None:
    grids = (0.05, -20, 0.03, -116)
    table = hard_swish_table(*grids)
    x = np.asarray((np.arange(-128, 128) + 20) * 0.05, np.float64)
    real = np.clip(np.rint(activated(x, "hard-swish", 0.0) / 0.03) - 116, -128, 127)
    assert np.abs(table - real).max() <= 1
    assert (table != real).mean() < 0.05


def test_a_hard_swish_on_far_too_fine_a_grid_is_refused() -> None:
    with pytest.raises(ModelError, match="a hard-swish on an output scale of 1e-05"):
        hard_swish_table(0.05, 0, 1e-5, 0)


def test_the_range_before_an_activation_covers_what_comes_out_of_it() -> None:
    every = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
    for activation in ACTIVATIONS:
        graph = quantized_of(activation, 0)
        shaped = [found for found in graph.operators if isinstance(found, Prelu | Lookup)]
        assert len(shaped) == 3
        for found in shaped:
            if isinstance(found, Prelu):
                entries = prelu(graph, replace(found, slope=found.slope[:1]), every)
                assert entries.max() >= 126
            else:
                assert found.table.max() >= 126
