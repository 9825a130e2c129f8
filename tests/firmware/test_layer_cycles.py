"""The cycles that are estimated from the layers, against those that emulation counts."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from boardless.project.model_hash import require_model
from boardless.running.classify import classify
from boardless.running.layers import OBSERVER, Observed
from boardless.running.session import BoardSetup
from boardless_models.data.networks import FASHION_MNIST_8K
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.cycles import estimated_cycles, network_cycles, operator_cycles
from boardless_models.graph.stage_table import NEAR_PERCENT
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from tests.firmware.conftest import BUILD, REPO

GOLDEN = BUILD / "nn_golden.elf"
ARTIFACT = REPO / "models" / "artifacts" / "fashion_mnist_8k.npz"


def test_estimated_cycles_are_near_those_in_emulation() -> None:
    require_model(BUILD / "boardless.elf", ARTIFACT)
    with closing(BoardSetup(BUILD / "boardless.elf").power_on()) as engine:
        report = classify(engine, open_frames("pattern:bars", limit=1))
    measured = 168 * report.results[0].times_us["infer"]
    estimated = estimated_cycles(load_artifact(ARTIFACT).graph)
    assert estimated is not None
    assert abs(estimated / measured - 1) < NEAR_PERCENT / 100
    assert network_cycles(FASHION_MNIST_8K) == estimated


def test_every_layer_is_near_what_it_takes_in_emulation() -> None:
    artifact = load_artifact(ARTIFACT)
    observed, graph = Observed(GOLDEN, artifact), artifact.graph
    engine = observed.engine
    assert isinstance(engine, NativeEngine)
    with closing(engine):
        symbols = load_image(GOLDEN).symbols
        began: list[int] = []
        ended: list[int] = []
        engine.watch(symbols["nn_backend_run"].address & ~1, lambda: began.append(engine.cycles()))
        engine.watch(symbols[OBSERVER].address & ~1, lambda: ended.append(engine.cycles()))
        engine.show(Frame("grey", np.full((28, 28), 90, np.uint8)))
        observed.next_frame()
    for operator, first, last in zip(graph.operators, began, ended, strict=True):
        estimated = operator_cycles(graph, operator)
        assert estimated is not None
        assert estimated == pytest.approx(last - first, rel=0.12), operator.name
