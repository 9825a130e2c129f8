"""The network in the firmware against the integer reference, layer by layer and frame by frame."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import numpy as np

from boardless.running.jobs import classify_in_jobs
from boardless.running.session import BoardSetup
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.golden import load_golden
from boardless_models.graph.reference import run_graph
from boardless_models.int8.score import decide
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.result import parse_result
from tests.firmware.conftest import BUILD, REPO

ARTIFACT = REPO / "models" / "artifacts" / "fashion_mnist_8k.npz"
GOLDEN = REPO / "models" / "golden" / "fashion_mnist_8k.npz"
DATASET = Path("/usr/share/datasets/fashion-mnist")
FRAMES = DATASET / "t10k-images-idx3-ubyte.gz"
LABELS = DATASET / "t10k-labels-idx1-ubyte.gz"
_LAYER = re.compile(r"l- layer=(\d+) bytes=(\d+) crc32=([0-9a-f]{8})")
_BATCH = 500


def test_every_layer_of_every_golden_frame_has_the_bytes_of_the_reference() -> None:
    golden = load_golden(GOLDEN)
    engine = NativeEngine()
    engine.load(load_image(BUILD / "nn_golden.elf"))
    for number, frame in enumerate(golden.frames):
        engine.show(Frame(f"golden[{number}]", frame))
    for number in range(len(golden.frames)):
        before = len(engine.uart_lines())
        reason = engine.run(1e6, lambda line: line.text.startswith("r-"))
        assert reason == StopReason.RESULT
        lines = [line.text for line in engine.uart_lines()[before:]]
        found = [match.groups() for line in lines if (match := _LAYER.match(line))]
        expected = [
            (str(layer), str(output[number].size), f"{zlib.crc32(output[number].tobytes()):08x}")
            for layer, output in enumerate(golden.outputs)
        ]
        assert found == expected, f"golden frame {number}"
        result = parse_result(lines[-1])
        assert (result.class_index, result.score) == (
            golden.classes[number],
            golden.scores[number],
        )
    engine.close()


def _reference(count: int) -> list[tuple[int, int]]:
    network = load_artifact(ARTIFACT).graph
    frames = [frame.luma for frame in open_frames(FRAMES, limit=count)]
    decisions = []
    for start in range(0, count, _BATCH):
        logits = run_graph(network, np.stack(frames[start : start + _BATCH]))[-1]
        for row in logits.reshape(len(logits), -1):
            decision = decide(row, network.score_step)
            decisions.append((decision.class_index, decision.score))
    return decisions


def test_test_frames_agree_with_the_reference_in_class_and_score() -> None:
    """Through camera, DMA and firmware; `make bench` does it with all 10,000."""
    count = 2_000
    report = classify_in_jobs(
        BoardSetup(BUILD / "boardless.elf"),
        open_frames(FRAMES, labels=LABELS, limit=count),
        jobs=min(2, os.cpu_count() or 1),
        limit_us=1e6,
    )
    found = [(result.class_index, result.score) for result in report.results]
    expected = _reference(count)
    assert len(found) == count
    differing = [
        f"frame {i}: firmware {found[i]}, reference {expected[i]}"
        for i in range(count)
        if found[i] != expected[i]
    ]
    assert differing == []
    assert report.accuracy is not None
    assert report.accuracy >= 0.90
