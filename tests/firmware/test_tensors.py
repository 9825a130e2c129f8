"""Networks whose input is no picture, or whose output is no class, in the firmware."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless.running.classify import classify
from boardless.running.layers import compare_firmware
from boardless.session import BoardSetup
from boardless_models.graph.answer import answers
from boardless_models.graph.artifact import Artifact, load_artifact
from boardless_models.graph.graph import Task
from boardless_models.tflite import file as tfl
from boardless_sim.camera.tensor import in_bytes, open_tensors
from tests.firmware.conftest import REPO
from tests.models.tflite.tflite_cases import Maker

INPUTS, COUNT = 20, 6
SUITE = """
*** Settings ***
Library    Boardless

*** Test Cases ***
What The Network Says
    Power On Board    {elf}
    Show Tensor    {tensors}    2
    Run Until Result
    {check}
    [Teardown]    Power Off Board
"""


def network(outputs: int) -> bytes:
    make = Maker(7)
    make.source = make.value((1, INPUTS), 0.05, -3)
    at = make.dense(make.source, 12)
    return tfl.write_tflite(make.file(make.dense(at, outputs)), "tensor")


def built(folder: Path, outputs: int, task: Task) -> tuple[Artifact, Path]:
    """The network as an artifact, and the firmware that takes it from memory."""
    tflite, artifact, elf = folder / "n.tflite", folder / "n.npz", folder / "boardless-mailbox.elf"
    tflite.write_bytes(network(outputs))
    assert cli.main(["model", "import", str(tflite), str(artifact)]) == 0
    opened = load_artifact(artifact)
    assert opened.graph.task == task
    assert cli.main(["model", "export", str(artifact), str(folder / "generated")]) == 0
    firmware = REPO / "firmware"
    for name in (elf, folder / "nn_golden-mailbox.elf"):
        target = os.path.relpath(name, firmware)
        command = ["make", "--silent", f"BUILD={folder}", f"MODEL_ROOT={folder}", target]
        subprocess.run(command, check=True, cwd=firmware)
    return opened, elf


@pytest.mark.parametrize(
    ("outputs", "task", "check"),
    [
        (INPUTS, "error", "Result Error Should Be At Most    {value:.6f}"),
        (1, "values", "Result Value Should Be    0    {value:.6f}"),
        (300, "values", ""),
    ],
)
def test_what_is_no_class_is_printed_as_the_reference_computes_it(
    tmp_path: Path, outputs: int, task: Task, check: str, capsys: pytest.CaptureFixture[str]
) -> None:
    opened, elf = built(tmp_path, outputs, task)
    tensors, report = tmp_path / "x.npy", tmp_path / "run.json"
    frames = np.random.default_rng(1).integers(-128, 128, (COUNT, INPUTS)).astype(np.int8)
    np.save(tensors, frames)
    shown = in_bytes(frames).reshape(COUNT, 1, 1, INPUTS)
    expected = answers(opened.graph, shown)
    assert len(set(expected)) > 2
    with closing(BoardSetup(elf).power_on()) as engine:
        results = classify(engine, open_tensors(tensors)).results
    said = [result.normalised_line.partition(" frame=")[2] for result in results]
    assert said == [f"{number} {fields}" for number, fields in enumerate(expected)]
    found = compare_firmware(tmp_path / "nn_golden-mailbox.elf", opened, shown)
    assert (found.mismatches, found.first, found.values > 0) == (0, None, True)
    arguments = ["run", str(elf), "--tensors", str(tensors), "--model", str(opened.path)]
    assert cli.main([*arguments, "--json", str(report)]) == 0
    rows = json.loads(report.read_text("utf-8"))["results"]
    assert [(row["class"], row["values"]) for row in rows] == [
        (None, list(result.values)) for result in results
    ]
    verify = ["model", "verify", str(opened.path)]
    capsys.readouterr()
    assert cli.main([*verify, "--tensors", str(tensors)]) == 0
    assert capsys.readouterr().out.splitlines() == expected
    assert cli.main(verify) == 2
    assert f"its output is no class but {task}" in capsys.readouterr().err
    if check:
        assert run_suite(tmp_path, elf, check.format(value=results[2].values[0])) == 0
        assert run_suite(tmp_path, elf, check.format(value=results[2].values[0] - 2e-6)) == 1


def run_suite(folder: Path, elf: Path, check: str) -> int:
    """The exit code of a suite with this check."""
    suite = folder / "what.robot"
    suite.write_text(SUITE.format(elf=elf, tensors=folder / "x.npy", check=check), "utf-8")
    return cli.main(["test", str(suite), "--out", str(folder / "robot")])


def test_a_tensor_of_another_size_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf, tensors = REPO / "build" / "firmware" / "boardless-mailbox.elf", tmp_path / "x.npy"
    np.save(tensors, np.zeros((1, 783), np.int8))
    assert cli.main(["run", str(elf), "--tensors", str(tensors)]) == 2
    assert "x.npy[0]: found a tensor of 783 bytes, expected 784" in capsys.readouterr().err


def test_a_camera_takes_no_tensor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elf, tensors = REPO / "build" / "firmware" / "boardless.elf", tmp_path / "x.npy"
    np.save(tensors, np.zeros((1, 28, 28), np.uint8))
    assert cli.main(["run", str(elf), "--tensors", str(tensors)]) == 2
    assert "x.npy[0]: found a tensor, expected a picture" in capsys.readouterr().err
