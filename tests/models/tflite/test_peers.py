from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from boardless import cli
from boardless_models.data.dataset import DATASET_FOLDER
from boardless_models.graph.graph import Convolve, Graph
from boardless_models.int8.scaling import Factor, Rounding, quantize_multiplier, scaled
from boardless_models.tflite import file as tfl
from boardless_models.tflite import peers as peers_module
from boardless_models.tflite.exporter import tflite_of
from boardless_models.tflite.peers import (
    PEERS,
    Int8,
    Mismatch,
    Peer,
    PeerComparison,
    compare,
    first_mismatch,
    frames_for,
    observed,
    report,
)
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from tests.models.graph.activation_cases import ACTIVATIONS, quantized_of
from tests.models.tflite.tflite_cases import CASES, Maker, concatenations, random_frames, residual

NAMES = [peer.name for peer in PEERS]
# XNNPACK multiplies LEAKY_RELU's values by factors of 8 bits: see below.
COARSER = ("leaky", "litert")
PAIRS = [(case, name) for case in CASES for name in NAMES if (case, name) != COARSER]


def installed(name: str) -> Peer:
    """The peer; a test of it is skipped where it is not there (extra `model`)."""
    peer = next(peer for peer in PEERS if peer.name == name)
    pytest.importorskip(peer.module, reason=f"{name}: pip install 'boardless[model]'")
    return peer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("case", "name"), PAIRS)
def test_every_value_of_a_users_graph_is_the_peers(case: str, name: str) -> None:
    peer = installed(name)
    for seed in range(3):
        comparison = compared(peer, case, seed)
        assert report(comparison).startswith(f"{name} ({peer.rounding}): 0")


def compared(peer: Peer, case: str, seed: int) -> PeerComparison:
    """Forty random frames through one random network."""
    file = CASES[case](seed)
    graph = graph_of(file, case, "double")
    shape = graph.values[graph.input].shape
    return compare(peer, file, graph, random_frames(seed, 40, shape.height, shape.width))


@pytest.mark.filterwarnings("ignore")
def test_a_coarser_kernel_of_a_peer_differs_in_few_values() -> None:
    """Why that pair is not held to every value; once it is, it belongs to the others."""
    case, name = COARSER
    peer = installed(name)
    found = [compared(peer, case, seed) for seed in range(40)]
    differing = sum(comparison.mismatches for comparison in found)
    assert 0 < differing < sum(comparison.values for comparison in found) / 10_000


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", [tfl.HARD_SWISH, tfl.LOGISTIC, tfl.TANH])
def test_every_entry_of_a_table_is_the_peers(name: str, code: int) -> None:
    peer = installed(name)
    frame = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    for seed in range(20):
        make = Maker(seed, 16, 16)
        scale, zero_point = make.random.uniform(0.005, 0.1), make.random.integers(-128, 128)
        make.source = make.value((1, 16, 16, 1), scale, int(zero_point))
        file = make.file(make.table(make.source, code))
        found = compare(peer, file, graph_of(file, "table", "double"), frame)
        assert (found.mismatches, found.first) == (0, None), seed


def sums_that_tell(factor: Factor, rival: Factor, way: Rounding) -> NDArray[np.int64]:
    """The sums that one factor brings to another int8 than its nearest rival does."""
    sums = np.arange(-(1 << 24), 1 << 24, dtype=np.int64)
    one, two = (
        scaled(sums, np.array(multiplier), np.array(exponent), way)
        for multiplier, exponent in (factor, rival)
    )
    return np.asarray(sums[(one != two) & (np.abs(one) < 120)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["tflite-micro", "litert-reference"])
def test_the_scales_of_a_dense_layer_are_multiplied_in_float64(name: str) -> None:
    """In float32, as TensorFlow's kernel_util.cc has it too, one value of millions differs."""
    peer = installed(name)
    scales = [np.float32(scale) for scale in (0.0003, 0.0011, 0.2)]
    factor = quantize_multiplier(float(scales[0]) * float(scales[1]) / float(scales[2]))
    rival = quantize_multiplier(float(scales[0] * scales[1]) / float(scales[2]))
    assert peer.dense_rounding != "float32"
    sums = sums_that_tell(factor, rival, peer.dense_rounding)
    assert len(sums) > 5
    make = Maker(1)
    make.source = make.value((1, 4), float(scales[0]), 0)
    file = make.file(make.dense(make.source, len(sums)))
    contents = {"w": bytes(4 * len(sums)), "b": sums.astype("<i4").tobytes()}
    file = replace(
        file,
        tensors=tuple(
            replace(tensor, data=contents[tensor.name[0]], scales=np.array(scales[1:2]))
            if tensor.name[0] in contents
            else tensor
            for tensor in file.tensors
        ),
    )
    graph = graph_of(file, "dense", "double")
    frames = np.full((1, 1, 1, 4), 128, np.uint8)
    found = compare(peer, file, graph, frames)
    assert (found.mismatches, found.first) == (0, None)
    (dense,) = graph.operators
    assert isinstance(dense, Convolve)
    wrong = replace(dense, multiplier=np.full_like(dense.multiplier, rival[0]))
    found = compare(peer, file, replace(graph, operators=(wrong,)), frames)
    assert found.mismatches == len(sums)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_value_behind_an_activation_is_the_peers(name: str, activation: str) -> None:
    peer = installed(name)
    for seed in range(4):
        file = tflite_of(quantized_of(activation, seed))
        graph = graph_of(file, activation, "double")
        found = compare(peer, file, graph, random_frames(seed, 40, 9, 10))
        assert (found.mismatches, found.first) == (0, None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_the_artifact_is_the_peers(
    name: str, trained: Graph, tmp_path: Path
) -> None:
    file = tflite_of(trained)
    graph = graph_of(file, "artifact", "double")
    frames = frames_for(graph, DATASET_FOLDER, 200, 500, 1)
    assert len(frames) == 700
    found = compare(installed(name), file, graph, frames)
    assert (found.mismatches, found.first, found.inputs) == (0, None, 700)
    assert found.values == 700 * sum(
        graph.values[operator.output].shape.size for operator in graph.operators
    )


class Liar:
    """A session whose one value is off by one."""

    def __init__(self, outputs: list[Int8]) -> None:
        self._outputs = outputs

    def run(self, frame: Int8) -> list[Int8]:
        return self._outputs


def test_a_value_that_differs_is_named_with_layer_index_and_both_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = residual(1)
    graph = graph_of(file, "x", "double")
    frames = random_frames(1, 1, 8, 8)
    from boardless_models.graph.reference import run_graph

    outputs = [output[0].copy() for output in run_graph(graph, frames)]
    truth = int(outputs[2][3, 4, 5])
    outputs[2][3, 4, 5] = wrong = truth - 1 if truth > 0 else truth + 1
    monkeypatch.setattr(peers_module, "session", lambda *_: Liar(outputs))
    found = compare(PEERS[0], file, graph, frames)
    assert found.mismatches == 1
    assert found.first == Mismatch("frame 0, op 2 ADD", (3, 4, 5), truth, wrong)
    assert f"op 2 ADD [3,4,5]: reference {truth}, peer {wrong}" in report(found)


def test_float32_takes_a_tie_to_even_where_single_takes_it_up() -> None:
    file = residual(1)
    graph = graph_of(file, "x", "double")
    operator = next(item for item in graph.operators if isinstance(item, Convolve))
    values = list(graph.values)
    values[operator.input] = replace(values[operator.input], scale=0.5)
    values[operator.output] = replace(values[operator.output], scale=1.0)
    one = replace(operator, scales=np.ones(len(operator.bias), np.float32))
    requantise = peers_module.requantise_of(
        PEERS[2], replace(graph, values=tuple(values), operators=(one,))
    )
    sums = np.full((1, 1, 1, len(one.bias)), 5, np.int64)
    assert requantise(one, sums).max() == 2


def test_first_mismatch_is_the_first() -> None:
    expected = np.zeros((2, 3), np.int8)
    found = expected.copy()
    found[1, 2], found[1, 0] = 4, 7
    assert first_mismatch("op 1", expected, found) == Mismatch("op 1", (1, 0), 0, 7)


def test_every_operator_but_reshape_and_softmax_is_watched() -> None:
    file = residual(1)
    graph = graph_of(file, "x", "double")
    watched, kept = observed(file, graph)
    assert [file.operators[number].name for number in (-1, -4)] == ["SOFTMAX", "RESHAPE"]
    assert kept == tuple(range(len(graph.operators)))
    assert len(watched.outputs) == len(kept) == len(file.operators) - 2


def test_a_concatenation_of_many_is_watched_where_it_ends() -> None:
    file = concatenations(1)
    graph = graph_of(file, "x", "double")
    watched, kept = observed(file, graph)
    assert len(kept) == len(file.operators) == len(graph.operators) - 2
    joined = [graph.values[graph.operators[at].output].shape.channels for at in kept]
    assert joined == [6, 6, 12, 12, 12, 48, 3, 4]
    assert len(watched.outputs) == len(kept)


def test_report_says_what_float32_does() -> None:
    line = report(PeerComparison("litert", "float32", 2, 10, 0, None, 3))
    assert line.splitlines()[1] == "  float32 and single differ on 3 of these values"


def test_a_peer_that_is_missing_says_how_to_install_it(artifact_path: Path) -> None:
    missing = Peer("gone", "double", "double", "no_such_package_here")
    with pytest.raises(
        ModelError, match=r"gone is not installed; pip install 'boardless\[model\]'"
    ):
        peers_module.imported(missing)


def test_step_says_what_is_wrong_and_exits_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    arguments = ["model", "verify", str(tmp_path / "x.tflite"), "--peer", "litert"]
    assert cli.main(arguments) == 2
    assert "not a readable .tflite" in capsys.readouterr().err
