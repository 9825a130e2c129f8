from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Convolve
from boardless_models.graph.kernels import m4_kernel
from boardless_models.graph.reference import run_graph
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, FileTensor, Options, TfliteFile
from boardless_models.tflite.flatbuffer import root_table
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from tests.models.tflite.tflite_cases import CASES, Maker, random_frames, residual

Capture = pytest.CaptureFixture[str]
MUTATIONS = 4_000
SECONDS = 60
MEMORY_KIB = 128 * 1024


def imported(capsys: Capture, *arguments: object) -> tuple[int, str]:
    """The exit code of the step, and all that it says."""
    code = cli.main(["model", "import", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out + said.err


def plain_chain(seed: int = 1) -> TfliteFile:
    make = Maker(seed, 10, 10)
    at = make.conv(make.source, 4)
    at = make.pool(at, tfl.MAX_POOL_2D)
    return make.file(make.softmax(make.dense(make.depthwise(at), 6)))


def with_tensor(file: TfliteFile, at: int, **changes: object) -> TfliteFile:
    tensors = list(file.tensors)
    tensors[at] = replace(tensors[at], **changes)  # type: ignore[arg-type]
    return replace(file, tensors=tuple(tensors))


def with_operator(file: TfliteFile, at: int, **changes: object) -> TfliteFile:
    operators = list(file.operators)
    operators[at] = replace(operators[at], **changes)  # type: ignore[arg-type]
    return replace(file, operators=tuple(operators))


def first_output(file: TfliteFile, at: int) -> int:
    return file.operators[at].outputs[0]


@pytest.mark.parametrize("name", CASES)
def test_graph_comes_back_from_its_artifact(tmp_path: Path, name: str, capsys: Capture) -> None:
    file = CASES[name](2)
    source, output = tmp_path / "user.tflite", tmp_path / "user.npz"
    source.write_bytes(tfl.write_tflite(file, "user"))
    code, said = imported(capsys, source, output, "--rounding", "double")
    assert code == 0, said
    found, made = load_artifact(output).graph, fused(graph_of(file, "user", "double"))
    shape = made.values[made.input].shape
    frames = random_frames(3, 3, shape.height, shape.width)
    for left, right in zip(run_graph(found, frames), run_graph(made, frames), strict=True):
        assert np.array_equal(left, right)


def test_a_graph_that_says_more_than_kernels_can_is_refused(tmp_path: Path) -> None:
    graph = graph_of(residual(1), "x", "double")
    first = graph.operators[0]
    assert isinstance(first, Convolve)
    spiteful = replace(first, least=5, most=-5)
    with pytest.raises(ModelError, match="op 0 CONV_2D: clamp 5 to -5"):
        graph_check(spiteful)


def graph_check(first: object) -> None:
    from boardless_models.graph.check import check_graph

    graph = graph_of(residual(1), "x", "double")
    check_graph(replace(graph, operators=(first, *graph.operators[1:])))  # type: ignore[arg-type]


BAD: dict[str, tuple[Callable[[TfliteFile], TfliteFile], str]] = {
    "float": (
        lambda file: with_tensor(file, 0, kind=tfl.FLOAT32),
        "tensor 'value_0' is float32, expected int8: quantise it (TFLiteConverter:",
    ),
    "float inside": (
        lambda file: with_tensor(file, first_output(file, 2), kind=tfl.FLOAT32),
        "op 2 DEPTHWISE_CONV_2D: tensor 'value_7' is float32",
    ),
    "dynamic": (
        lambda file: with_tensor(file, 0, shape=(1, -1, 10, 1)),
        "tensor 'value_0' has a dynamic shape",
    ),
    "operator": (
        lambda file: with_operator(file, 3, code=42),
        "op 3 DIV: tensor 'value_10': this operator is not supported",
    ),
    "several inputs": (
        lambda file: replace(file, inputs=(*file.inputs, 2)),
        "2 inputs ('value_0', 'b_1'), 1 outputs",
    ),
    "uint8": (
        lambda file: with_tensor(file, 0, kind=tfl.UINT8),
        "tensor 'value_0' is uint8, expected int8: convert it again with TensorFlow 2",
    ),
    "int16": (
        lambda file: with_tensor(file, 0, kind=tfl.INT16),
        "tensor 'value_0' is int16, expected int8: convert it with activations of 8 bits",
    ),
    "unknown operator": (
        lambda file: with_operator(file, 3, code=76),
        "op 3 RSQRT: tensor 'value_10': this operator is not supported",
    ),
    "softmax in the middle": (
        lambda file: with_operator(file, 1, code=tfl.SOFTMAX),
        "op 1 SOFTMAX: tensor 'value_4': expected as the last operator only",
    ),
    "dilation": (
        lambda file: with_operator(
            file, 0, options=replace(file.operators[0].options, dilation_width=2)
        ),
        "op 0 CONV_2D: a dilated window",
    ),
    "weights that are computed": (
        lambda file: with_tensor(file, 1, data=b""),
        "op 0 CONV_2D: weights 'w_1' are not a constant",
    ),
    "weights with a zero point": (
        lambda file: with_tensor(file, 1, zero_points=np.array([0, 1, 0, 0])),
        "op 0 CONV_2D: weights 'w_1' have a zero point",
    ),
    "weights too short": (
        lambda file: with_tensor(file, 1, data=b"1234"),
        "op 0 CONV_2D: tensor 'w_1': 4 bytes of data, expected 36",
    ),
    "bias of float": (
        lambda file: with_tensor(file, 2, kind=tfl.FLOAT32),
        "op 0 CONV_2D: bias 'b_1', expected 4 int32",
    ),
    "scale of nothing": (
        lambda file: with_tensor(file, 3, scales=np.array([0.0], np.float32)),
        "op 0 CONV_2D: tensor 'value_3': scale 0, zero point",
    ),
    "scale of no number": (
        lambda file: with_tensor(file, 3, scales=np.array([np.nan], np.float32)),
        "op 0 CONV_2D: tensor 'value_3': scale nan",
    ),
    "output of another size": (
        lambda file: with_tensor(file, 3, shape=(1, 9, 10, 4)),
        "op 0 CONV_2D: tensor 'value_3' is 9x10, expected 10x10",
    ),
    "a batch": (
        lambda file: with_tensor(file, 0, shape=(2, 10, 10, 1)),
        "tensor 'value_0' is [2, 10, 10, 1], expected [1,H,W,C]",
    ),
    "two outputs": (
        lambda file: replace(file, outputs=(3, 4)),
        "1 inputs ('value_0'), 2 outputs ('value_3', 'value_4')",
    ),
    "tensor that is not there": (
        lambda file: with_operator(file, 0, inputs=(0, 99, 2)),
        "op 0 CONV_2D: input or output 1 is not there",
    ),
    "a value used before it is computed": (
        lambda file: with_operator(file, 0, inputs=(7, 1, 2)),
        "op 0 CONV_2D: tensor 'value_7' is not computed before",
    ),
    "a factor without end": (
        lambda file: with_tensor(file, 3, scales=np.array([1e-20], np.float32)),
        "op 0 CONV_2D: requantise factor",
    ),
}


def joined(seed: int, change: Callable[[Maker, int], int]) -> TfliteFile:
    """A convolution, and what follows it."""
    make = Maker(seed, 6, 6)
    at = make.conv(make.source, 4, activation=tfl.NO_ACTIVATION)
    return make.file(make.dense(change(make, at), 3))


def with_scale(make: Maker, at: int, scale: float) -> int:
    make.tensors[at] = replace(make.tensors[at], scales=np.array([scale], np.float32))
    return at


def with_axis(make: Maker, at: int) -> int:
    last = make.operators[-1]
    make.operators[-1] = replace(last, options=Options(axis=1))
    return at


JOINED: dict[str, tuple[Callable[[Maker, int], int], str]] = {
    "a border of the batch": (
        lambda make, at: make.moved(tfl.PAD, at, (2, 9, 7, 4), [[1, 0], [0, 0], [0, 0], [0, 0]]),
        "op 1 PAD: paddings [[1, 0], [0, 0], [0, 0], [0, 0]], expected 0 to 255 and none of the",
    ),
    "a part that is not there": (
        lambda make, at: make.moved(tfl.SLICE, at, (1, 1, 1, 1), [0, 0, 99, 0], [1, 1, 1, 1]),
        "op 1 SLICE: from [0, 0, 99, 0] of [1, 1, 1, 1], more than there is",
    ),
    "a mean over channels": (
        lambda make, at: make.append(
            tfl.MEAN, [at, make.integers("axes", [3])], make.like(at, (1, 6, 6, 1))
        ),
        "op 1 MEAN: axes [3], expected rows and columns (1, 2)",
    ),
    "a slope for each pixel": (
        lambda make, at: make.prelu(at, 144),
        "op 1 PRELU: slopes 'slopes_4' of [1, 1, 144], expected one or 4, one a channel",
    ),
    "a logistic on a grid of its own": (
        lambda make, at: with_scale(make, make.table(at, tfl.LOGISTIC), 0.25),
        "op 1 LOGISTIC: tensor 'value_4': scale 0.25, zero point -128; expected 0.00390625, -128",
    ),
    "rows one after the other": (
        lambda make, at: with_axis(make, make.concatenate(at, at)),
        "op 1 CONCATENATION: axis 1, expected that of the channels",
    ),
    "parts on two grids": (
        lambda make, at: with_scale(make, make.concatenate(at, at), 0.5),
        "op 1 CONCATENATION: tensor 'value_4' has another scale or size than its parts",
    ),
}


@pytest.mark.parametrize("name", JOINED)
def test_what_stands_between_convolutions_is_named_too(name: str) -> None:
    change, message = JOINED[name]
    with pytest.raises(ModelError) as caught:
        graph_of(joined(1, change), "x", "double")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_taken_is_named_with_its_place(
    tmp_path: Path, name: str, capsys: Capture
) -> None:
    change, message = BAD[name]
    source = tmp_path / "bad.tflite"
    source.write_bytes(tfl.write_tflite(change(plain_chain()), "bad"))
    code, said = imported(capsys, source, tmp_path / "bad.npz")
    assert (code, message in said) == (2, True), said
    assert not (tmp_path / "bad.npz").exists()


def test_everything_that_is_not_supported_is_listed_at_once() -> None:
    file = with_operator(with_operator(plain_chain(), 1, code=5), 3, code=18)
    with pytest.raises(ModelError) as caught:
        graph_of(file, "x", "double")
    assert str(caught.value).count("\n") == 2
    assert "op 1 DEPTH_TO_SPACE: tensor 'value_4'" in str(caught.value)
    assert "op 3 MUL: tensor 'value_10'" in str(caught.value)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--budget", "over the budget of 100; op 3 FULLY_CONNECTED alone takes"),
        (
            "--ram-budget",
            "over the budget of 100; the largest is tensor 'value_0'",
        ),
    ],
)
def test_over_budget_is_said_with_how_much_and_where(
    tmp_path: Path, option: str, message: str, capsys: Capture
) -> None:
    source = tmp_path / "big.tflite"
    source.write_bytes(tfl.write_tflite(plain_chain(), "big"))
    arguments = [str(source), str(tmp_path / "big.npz"), "--rounding", "double", option, "100"]
    code, said = imported(capsys, *arguments)
    assert (code, message in said) == (2, True), said
    assert len(said.strip().splitlines()) == 1


def test_what_the_plain_kernels_run_is_said(tmp_path: Path, capsys: Capture) -> None:
    """A convolution to five channels is gathered; its pool would cost it that kernel."""
    source, output = tmp_path / "net.tflite", tmp_path / "net.npz"
    make = Maker(4, 10, 10)
    at = make.conv(make.conv(make.source, 4), 5)
    file = make.file(make.softmax(make.dense(make.pool(at, tfl.MAX_POOL_2D), 6, per_channel=True)))
    source.write_bytes(tfl.write_tflite(file, "net"))
    code, said = imported(capsys, source, output, "--rounding", "double")
    assert code == 0, said
    assert "\n4 operators: " in said
    lines = [line for line in said.splitlines() if "plain kernel (" in line]
    assert lines == [
        "op 2 MAX_POOL_2D: plain kernel (channels not in fours, or more than 255 pixels)"
    ]
    graph = load_artifact(output).graph
    kernels = [m4_kernel(graph, operator) for operator in graph.operators]
    assert kernels == ["conv2d", "gather", "plain", "gather"]


@pytest.mark.parametrize("content", [b"", b"TFL3", bytes(8), b"\x1c\0\0\0TFL3", b"x" * 400])
def test_a_file_that_is_no_tflite_is_one_line(
    tmp_path: Path, content: bytes, capsys: Capture
) -> None:
    source = tmp_path / "no.tflite"
    source.write_bytes(content)
    code, said = imported(capsys, source, tmp_path / "no.npz")
    assert (code, "not a readable .tflite" in said) == (2, True)
    assert len(said.strip().splitlines()) == 1


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    code, said = imported(capsys, tmp_path / "gone.tflite", tmp_path / "no.npz")
    assert (code, "No such file" in said) == (2, True)


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """Bytes changed, cut, repeated, or a word set to an extreme."""
    data = bytearray(content)
    for _ in range(int(random.integers(1, 5))):
        at = int(random.integers(0, len(data)))
        match int(random.integers(0, 5)):
            case 0:
                data[at] = int(random.integers(0, 256))
            case 1:
                data[at : at + 4] = int(random.choice([0, 1, 0x7FFF, 0xFFFF])).to_bytes(4, "little")
            case 2:
                data[at : at + 4] = b"\xff\xff\xff\x7f"
            case 3:
                data = data[: max(9, at)]
            case _:
                data[at:at] = data[at : at + 8]
    return bytes(data)


def test_thousands_of_damaged_files_are_refused_or_taken_but_never_crash() -> None:
    """A `ModelError` or a graph; nothing else, in bounded time and memory."""
    random = np.random.default_rng(20)
    sources = [tfl.write_tflite(case(1), "x") for case in CASES.values()]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    refused = 0
    for number in range(MUTATIONS):
        content = mutated(sources[number % len(sources)], random)
        try:
            graph_of(tfl.read_tflite(content), "x", "double")
        except ModelError:
            refused += 1
    assert time.process_time() - started < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KIB
    assert MUTATIONS // 4 < refused < MUTATIONS


def test_what_survives_damage_can_be_run() -> None:
    random = np.random.default_rng(21)
    sources = [tfl.write_tflite(case(1), "x") for case in CASES.values()]
    ran = 0
    for number in range(1_000):
        content = mutated(sources[number % len(sources)], random)
        try:
            graph = graph_of(tfl.read_tflite(content), "x", "double")
        except ModelError:
            continue
        shape = graph.values[graph.input].shape
        frames = random_frames(1, 1, shape.height, shape.width)
        run_graph(graph, np.repeat(frames[..., None], shape.channels, axis=3))
        ran += 1
    assert ran > 50


def test_tensors_that_share_one_large_buffer_are_refused() -> None:
    """What would be gigabytes once every tensor has its copy."""
    tensor = FileTensor("w", (1, 1000), tfl.INT8, bytes(1000))
    file = TfliteFile((tensor,), (FileOperator(tfl.ADD, (0, 0), (0,), Options()),), (0,), (0,))
    content = tfl.write_tflite(file, "x")
    found = tfl.read_tflite(content)
    assert len(found.tensors[0].data) == 1000
    with pytest.raises(ModelError, match="shares its data with others"):
        tfl.read_tensor(
            root_table(content, tfl.IDENTIFIER).tables(2)[0].tables(0)[0],
            [np.zeros(0, np.uint8), np.zeros(1000, np.uint8)],
            999,
        )


def test_import_of_an_exported_artifact_loads(
    artifact_path: Path, tmp_path: Path, capsys: Capture
) -> None:
    tflite, output = tmp_path / "fashion_mnist_8k.tflite", tmp_path / "fashion_mnist_8k.npz"
    assert cli.main(["model", "export", str(artifact_path), str(tflite)]) == 0
    capsys.readouterr()
    code, said = imported(capsys, tflite, output)
    assert code == 0, said
    assert "plain kernel" not in said
    made, trained = load_artifact(output).graph, load_artifact(artifact_path).graph
    frames = random_frames(4, 2, 28, 28)
    for left, right in zip(run_graph(made, frames), run_graph(trained, frames), strict=True):
        assert np.array_equal(left, right)
