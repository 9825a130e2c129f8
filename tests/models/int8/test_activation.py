from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from boardless import cli
from boardless_models.data.network import stages
from boardless_models.graph.chain import graph_of_chain
from boardless_models.graph.cost import network_bytes
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Lookup, Pool, Prelu
from boardless_models.graph.graph_reference import run_graph
from boardless_models.graph.kernels import slow_reason
from boardless_models.graph.model_cost import graph_costs
from boardless_models.int8.activation import Slopes, Tabled, hard_swish_table
from boardless_models.int8.artifact import load_artifact, save_artifact
from boardless_models.int8.forward import activated, layer_outputs
from boardless_models.int8.quantize import quantize
from boardless_models.int8.reference import infer
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_models.int8.verify import batch_outputs
from boardless_models.tflite import file as tfl
from boardless_models.tflite.exporter import tflite_of
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from tests.models.int8.activation_cases import (
    ACTIVATIONS,
    checkpoint_of,
    network_of,
    put_arrays,
    quantized_of,
)
from tests.models.tflite.tflite_cases import random_frames

FRAMES = random_frames(3, 30, 9, 10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("way", ROUNDINGS)
def test_reference_fast_path_and_graph_put_out_the_same(activation: str, way: Rounding) -> None:
    for seed in range(4):
        quantized = quantized_of(activation, seed, way)
        graph = fused(graph_of_chain(quantized))
        ends = layer_ends(len(quantized.layers), [operator.name for operator in graph.operators])
        fast, whole = batch_outputs(quantized, FRAMES), run_graph(graph, FRAMES[..., None])
        for number, frame in enumerate(FRAMES):
            slow = infer(quantized, frame).outputs
            for layer, end in enumerate(ends):
                assert np.array_equal(fast[layer][number], slow[layer]), (seed, layer)
                found = whole[end][number].reshape(slow[layer].shape)
                assert np.array_equal(found, slow[layer]), (seed, graph.operators[end].name)


def layer_ends(layers: int, names: list[str]) -> list[int]:
    """The last operator of each layer."""
    last = {int(name.split()[1]): number for number, name in enumerate(names)}
    assert sorted(last) == list(range(layers))
    return [last[layer] for layer in range(layers)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(4))
def test_integers_are_near_the_floats(activation: str, seed: int) -> None:
    checkpoint = checkpoint_of(activation, seed)
    quantized = quantize(checkpoint)
    frames = np.random.default_rng(9).integers(0, 256, (40, 9, 10), np.uint8)
    floats = layer_outputs(stages(checkpoint.network), checkpoint.layers, frames)
    first = quantized.layers[0]
    assert first.scales is not None
    assert first.activation is not None
    integers = batch_outputs(quantized, frames)[0].astype(np.float64)
    error = np.abs((integers - first.output_zero_point) * first.scales.output - floats[0])
    # Half a step of the sums and half of the outputs; the steepest slope is that of a PReLU.
    steepest = max(1.0, checkpoint.layers[0].slope)
    assert error.mean() < 0.5 * (first.activation.scale * steepest + first.scales.output)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("way", ROUNDINGS)
def test_artifact_comes_back_as_it_was_saved(tmp_path: Path, activation: str, way: str) -> None:
    quantized = quantized_of(activation, 2, "double" if way == "double" else "single")
    save_artifact(quantized, {}, tmp_path / "a.npz")
    found = load_artifact(tmp_path / "a.npz")
    for left, right in zip(
        batch_outputs(found, FRAMES), batch_outputs(quantized, FRAMES), strict=True
    ):
        assert np.array_equal(left, right)
    assert [type(layer.activation) for layer in found.layers] == [
        type(layer.activation) for layer in quantized.layers
    ]


BAD: dict[str, tuple[NDArray[np.generic], str]] = {
    "sums_scale_0": (np.array([0.0], np.float32), "layer 0: sums on a scale of 0.0"),
    "slope_0": (np.array([-3], np.int8), "layer 0: slope -3"),
    "factors_1": (np.array([[1 << 30, 0], [1 << 30, 16]], np.int32), "layer 1: factor 1073741824"),
    "sums_zero_point_1": (np.array([1, 2], np.int8), "sums_zero_point_1: int8 (2,)"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_activation_that_no_kernel_can_run_is_refused(tmp_path: Path, name: str) -> None:
    array, message = BAD[name]
    save_artifact(quantized_of("prelu", 1), {}, tmp_path / "a.npz")
    put_arrays(tmp_path / "a.npz", {name: array})
    with pytest.raises(ModelError) as caught:
        load_artifact(tmp_path / "a.npz")
    assert message in str(caught.value)


def test_a_table_of_another_length_is_refused(tmp_path: Path) -> None:
    save_artifact(quantized_of("hard-swish", 1), {}, tmp_path / "a.npz")
    put_arrays(tmp_path / "a.npz", {"table_0": np.zeros(255, np.int8)})
    with pytest.raises(ModelError, match=r"table_0: int8 \(255,\), expected int8 \(256,\)"):
        load_artifact(tmp_path / "a.npz")


def test_a_slope_below_zero_is_refused() -> None:
    checkpoint = checkpoint_of("prelu", 1)
    first = replace(checkpoint.layers[0], slope=-0.1)
    with pytest.raises(ModelError, match="a PReLU with a slope of -0.1, expected none below zero"):
        quantize(replace(checkpoint, layers=(first, *checkpoint.layers[1:])))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_bytes_are_those_of_the_graph(activation: str) -> None:
    graph = fused(graph_of_chain(quantized_of(activation, 1)))
    counted = sum(cost.model_bytes for cost in graph_costs(graph))
    assert sum(network_bytes(network_of(activation))) == counted


def test_a_prelu_stands_behind_its_pool_and_a_hard_swish_before_it() -> None:
    kinds = {
        activation: [
            type(operator)
            for operator in fused(graph_of_chain(quantized_of(activation, 1))).operators
        ]
        for activation in ACTIVATIONS
    }
    assert (kinds["prelu"].count(Prelu), kinds["prelu"].count(Pool)) == (3, 0)
    assert (kinds["hard-swish"].count(Lookup), kinds["hard-swish"].count(Pool)) == (3, 2)
    graph = fused(graph_of_chain(quantized_of("prelu", 1)))
    assert slow_reason(graph, graph.operators[0]) == ""


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("way", ROUNDINGS)
def test_the_way_to_a_tflite_and_back_is_the_same_graph(activation: str, way: Rounding) -> None:
    quantized = quantized_of(activation, 3, way)
    content = tfl.write_tflite(tflite_of(quantized), "x")
    back = fused(graph_of(tfl.read_tflite(content), "x", way))
    there = fused(graph_of_chain(quantized))
    pairs = zip(run_graph(there, FRAMES), run_graph(back, FRAMES), strict=True)
    assert all(np.array_equal(left, right) for left, right in pairs)
    assert graph_costs(back)[-1] == graph_costs(there)[-1]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("way", ROUNDINGS)
def test_verify_holds_the_chain_against_the_graph_of_its_tflite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], activation: str, way: Rounding
) -> None:
    artifact = tmp_path / "a.npz"
    save_artifact(quantized_of(activation, 1, way), {}, artifact)
    arguments = ["model", "verify", str(artifact), "--peer", "reference", "--frames", "0"]
    assert cli.main([*arguments, "--random", "40"]) == 0
    values = 40 * sum(stage.output.size for stage in stages(network_of(activation)))
    expected = f"reference ({way}): 0 of {values} values differ on 40 inputs\n"
    assert capsys.readouterr().out == expected


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
    for activation in ACTIVATIONS:
        quantized = quantized_of(activation, 0)
        for layer in quantized.layers:
            if layer.activation is not None:
                entries = layer.activation.entries(layer.output_zero_point)
                assert entries.max() >= 126
        kinds = {type(layer.activation) for layer in quantized.layers}
        assert kinds & {Slopes, Tabled}
