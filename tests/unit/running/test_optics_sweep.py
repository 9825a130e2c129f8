from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boardless.running.optics_sweep import sweep
from boardless.running.session import BoardSetup
from boardless_sim.errors import FaultError, LabelError
from tests.unit.running.fake_engine import FakeEngine, frames

IMAGE: Any = None
SETUP = BoardSetup(Path("app.elf"))


@pytest.fixture(autouse=True)
def board(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its class is the first pixel of the frame."""
    monkeypatch.setattr(BoardSetup, "power_on", lambda _setup, _image=None: FakeEngine())


def test_a_curve_begins_at_the_clear_accuracy_and_falls() -> None:
    (curve,) = sweep(SETUP, IMAGE, frames(5), ["exposure drift"], [0, 1], seed=1)
    assert curve.disturbance == "exposure drift"
    assert curve.accuracies[0] == 1
    assert curve.accuracies[1] < 1


def test_frames_need_labels() -> None:
    with pytest.raises(LabelError, match="frames without labels"):
        sweep(SETUP, IMAGE, [replace(frames(1)[0], label=None)], ["blur"], [0], seed=1)


def test_a_disturbance_that_is_none_ends_it_before_a_run() -> None:
    with pytest.raises(FaultError, match="optics 'fog', expected one of: noise, blur"):
        sweep(SETUP, IMAGE, frames(1), ["blur", "fog"], [0], seed=1)
