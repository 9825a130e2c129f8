"""A user's own network in the firmware: from a .tflite to every layer's bytes in emulation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless.running.layers import compare_firmware
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.kernels import m4_kernel
from boardless_models.int8.scaling import ROUNDINGS, Rounding
from boardless_models.tflite import file as tfl
from boardless_sim.errors import ModelError
from tests.firmware.conftest import REPO
from tests.firmware.wrong import with_changed_weights
from tests.models.tflite.tflite_cases import Maker, random_frames

FRAMES = 6
SHIPPED = REPO / "models" / "artifacts" / "fashion_mnist_8k.npz"


def users_network() -> bytes:
    """Strides, borders, a sum of two branches, both pools, a ReLU by itself, a softmax."""
    make = Maker(9, 28, 28)
    first = make.conv(make.source, 4, (5, 3), (2, 1))
    at = make.pool(first, tfl.AVERAGE_POOL_2D, (3, 3), (2, 2), tfl.SAME)
    left = make.depthwise(at, 2)
    right = make.conv(at, 8, activation=tfl.NO_ACTIVATION)
    at = make.plus(left, make.by_itself(right, tfl.RELU_OP))
    at = make.pool(at, tfl.MAX_POOL_2D)
    return tfl.write_tflite(make.file(make.softmax(make.dense(at, 10))), "user")


@pytest.mark.parametrize("way", ROUNDINGS)
def test_every_layer_in_the_firmware_is_the_references(tmp_path: Path, way: Rounding) -> None:
    firmware, tflite, artifact = tmp_path / "firmware", tmp_path / "u.tflite", tmp_path / "u.npz"
    shutil.copytree(REPO / "firmware", firmware)
    tflite.write_bytes(users_network())
    assert cli.main(["model", "import", str(tflite), str(artifact), "--rounding", way]) == 0
    assert cli.main(["model", "export", str(artifact), str(firmware / "generated")]) == 0
    elf = tmp_path / "build" / "nn_golden.elf"
    double = f"NN_DOUBLE_ROUNDING={int(way == 'double')}"
    command = ["make", "--silent", "BUILD=../build", double, "../build/nn_golden.elf"]
    subprocess.run(command, check=True, cwd=firmware)
    opened = load_artifact(artifact)
    graph = opened.graph
    frames = random_frames(2, FRAMES, 28, 28)[..., None]
    found = compare_firmware(elf, opened, frames)
    assert (found.mismatches, found.first) == (0, None)
    sizes = [graph.values[operator.output].shape.size for operator in graph.operators]
    assert found.values == FRAMES * sum(sizes)


def test_a_colour_network_of_another_size_needs_no_change_of_c(tmp_path: Path) -> None:
    """From the camera through preprocessing to RGB, gathered windows and planes."""
    make = Maker(5, 32, 32)
    make.source = make.value((1, 32, 32, 3), 1.0 / 255.0, -128)
    at = make.conv(make.source, 8, (3, 3), (2, 2))
    at = make.conv(make.depthwise(at), 12, (1, 1))
    at = make.pool(make.conv(at, 8, (5, 3)), tfl.AVERAGE_POOL_2D)
    tflite, artifact = tmp_path / "u.tflite", tmp_path / "u.npz"
    tflite.write_bytes(tfl.write_tflite(make.file(make.softmax(make.dense(at, 5))), "user"))
    assert cli.main(["model", "import", str(tflite), str(artifact)]) == 0
    assert cli.main(["model", "export", str(artifact), str(tmp_path / "generated")]) == 0
    elf, firmware = tmp_path / "build" / "nn_golden.elf", REPO / "firmware"
    target = os.path.relpath(elf, firmware)
    command = ["make", "--silent", f"BUILD={elf.parent}", f"MODEL_ROOT={tmp_path}", target]
    subprocess.run(command, check=True, cwd=firmware)
    opened = load_artifact(artifact)
    kernels = {m4_kernel(opened.graph, operator) for operator in opened.graph.operators}
    assert {"gather", "depthwise"} <= kernels
    found = compare_firmware(elf, opened, np.zeros((FRAMES, 32, 32, 3), np.uint8))
    assert (found.mismatches, found.first) == (0, None)
    assert found.values > 0


def test_a_changed_weight_is_named_with_layer_index_and_both_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = with_changed_weights(REPO / "build" / "firmware" / "nn_golden.elf", tmp_path)
    arguments = ["model", "verify", str(SHIPPED), "--peer", "firmware", "--elf", str(wrong)]
    assert cli.main([*arguments, "--frames", "2", "--random", "2"]) == 1
    said = capsys.readouterr().out
    first = re.search(
        r"first: frame 0, (.+) \[\d+,\d+,\d+\]: reference (-?\d+), peer (-?\d+)", said
    )
    assert first, said
    assert first[1] in [operator.name for operator in load_artifact(SHIPPED).graph.operators]
    assert first[2] != first[3]


def test_a_firmware_without_the_observer_is_refused() -> None:
    elf = REPO / "build" / "firmware" / "boardless.elf"
    frames = random_frames(2, 1, 28, 28)[..., None]
    with pytest.raises(ModelError, match="no function layer_print, expected an nn_golden.elf"):
        compare_firmware(elf, load_artifact(SHIPPED), frames)


def test_the_run_of_another_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = REPO / "build" / "firmware" / "boardless.elf"
    tflite, artifact = tmp_path / "u.tflite", tmp_path / "u.npz"
    tflite.write_bytes(users_network())
    assert cli.main(["model", "import", str(tflite), str(artifact)]) == 0
    arguments = ["run", str(elf), "--frames", "pattern:bars", "--model", str(artifact)]
    assert cli.main(arguments) == 2
    expected = artifact.with_suffix(".sha256").read_text().split()[0]
    assert f"expected {expected}" in capsys.readouterr().err
