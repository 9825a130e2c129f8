from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from boardless import cli
from boardless.fit.need import figure, need_of_figures, need_of_file
from boardless.fit.onnx_file import LiveTensor, planned
from boardless.fit.part import find, table
from boardless.fit.verdict import Rest, judge, judge_all
from boardless_sim.errors import BoardlessError

ARTIFACT = Path("models/artifacts/fashion_mnist_8k.npz")
H743 = find("stm32h743zi", table().parts)
F407 = find("stm32f407vg", table().parts)


def test_the_text_to_video_model_of_14_billion_parameters_is_too_large_by_these_factors() -> None:
    """The article's figures: 14 GB of int8 weights against 2 MB of Flash and 1 MB of SRAM."""
    need = need_of_figures(14e9, 8, activations=14e9, macs=14e9)
    flash, block, ram = judge(need, H743, Rest()).checks
    assert flash.needed == 14_000_000_000
    assert round(flash.factor) == 6_676
    assert round(ram.factor) == 12_947
    assert block.factor > ram.factor
    assert not any(verdict.fits for verdict in judge_all(need, table().parts, Rest()))


def test_the_first_missing_resource_is_named() -> None:
    small = need_of_figures(1e6, 8, activations=1e9, macs=None)
    failure = judge(small, F407, Rest()).first_failure
    assert failure is not None
    assert failure.name == "RAM in one block"
    assert failure.factor == 1e9 / (128 << 10)


def test_the_rest_of_the_firmware_counts() -> None:
    need = need_of_figures(1 << 20, 8, activations=1000, macs=None)
    assert judge(need, F407, Rest()).fits
    assert not judge(need, F407, Rest(flash_bytes=1)).fits
    ram = judge(need, F407, Rest(ram_bytes=192 << 10)).first_failure
    assert ram is not None
    assert ram.name == "RAM"


def test_time_is_a_limit_only_where_one_is_given() -> None:
    need = need_of_figures(1000, 8, activations=10, macs=168e6 * 2)
    assert judge(need, F407, Rest()).fits  # one second of SMLAD at least
    late = judge(need, F407, Rest(within_ms=999)).first_failure
    assert late is not None
    assert late.factor == pytest.approx(1000 / 999)
    assert judge(need, F407, Rest(within_ms=1000)).fits


def test_the_shipped_model_has_its_bytes_from_the_firmware_table() -> None:
    need = need_of_file(ARTIFACT)
    assert need.flash_bytes == 7_840  # .model of boardless.elf
    assert need.ram_bytes is not None
    assert need.cycles is not None
    found = judge(need, F407, Rest())
    assert found.fits
    assert found.latency.estimate == pytest.approx(need.cycles / 168e3)
    other = judge(need, H743, Rest()).latency
    assert other.estimate is None  # no table of cycles for a Cortex-M7
    assert other.at_least == other.multiply_bound


@pytest.mark.parametrize(
    ("text", "value"), [("14e9", 14e9), ("20G", 20e9), ("1.5kB", 1500), ("7", 7), ("2m", 2e6)]
)
def test_a_figure_is_read(text: str, value: float) -> None:
    assert figure(text) == value


@pytest.mark.parametrize("text", ["", "nan", "-1", "1e40", "14 apples", "inf", "0x10"])
def test_no_figure_is_refused(text: str) -> None:
    with pytest.raises(BoardlessError, match="no figure"):
        figure(text)


def test_tensors_that_never_meet_share_their_place() -> None:
    assert planned([LiveTensor(100, 0, 1), LiveTensor(60, 1, 2), LiveTensor(100, 2, 3)]) == 160
    assert planned([LiveTensor(100, 0, 3), LiveTensor(60, 1, 2), LiveTensor(100, 2, 3)]) == 260


def test_the_command_says_what_fits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    assert cli.main(["fit", str(ARTIFACT), "--any", "--json", str(path)]) == 0
    document = json.loads(path.read_text())
    assert document["schema"] == 1
    fitting = [part["part"] for part in document["parts"] if part["fits"]]
    assert "stm32f407vgt6" in fitting
    assert f"fits       {len(fitting)} of {len(table().parts)} parts" in capsys.readouterr().out


def test_the_command_fails_where_it_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fit", "--parameters", "14e9", "--bits", "8", "--activations", "20G"]
    assert cli.main([*arguments, "--chip", "stm32h743zi", "--why"]) == 1
    out = capsys.readouterr().out
    assert "no: Flash, 6,676 times" in out
    assert "RAM in one block  2e+10 of 524,288 bytes: missing" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit"],
        ["fit", "--any"],
        ["fit", str(ARTIFACT)],
        ["fit", str(ARTIFACT), "--any", "--macs", "4"],
        ["fit", "README.md", "--any"],
        ["fit", "missing.tflite", "--any"],
        ["fit", "--parameters", "x", "--any"],
    ],
)
def test_what_cannot_be_judged_is_no_verdict(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err


def test_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx: pip install 'boardless[onnx]'")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT

    def weights(name: str, *dims: int) -> object:
        return helper.make_tensor(name, kind, dims, [0.0] * math.prod(dims))

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1]),
            helper.make_node("Flatten", ["y"], ["f"]),
            helper.make_node("Gemm", ["f", "d"], ["z"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", kind, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("z", kind, ["batch", 10])],
        [weights("w", 4, 1, 3, 3), weights("b", 4), weights("d", 256, 10)],
    )
    path = tmp_path / "net.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    need = need_of_file(path)
    assert need.flash_bytes == 36 + 4 + 2560
    assert need.macs == 4 * 64 * 9 + 2560
    assert need.activation_bytes == 256 + 64  # the frame and what the convolution makes of it
    path.write_bytes(b"\x08junk")
    with pytest.raises(BoardlessError, match="expected an ONNX file"):
        need_of_file(path)
