"""Disturbances before the lens: seeded, harmless at 0, worse with severity."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boardless_sim.camera.frame import Frame
from boardless_sim.errors import FaultError
from boardless_sim.faults.optics import OPTICS, disturbed


def scene() -> NDArray[np.uint8]:
    """A light to the left of the middle, above a dark ground: nothing that repeats."""
    y, x = np.indices((28, 28))
    return (30 + 200 * np.exp(-((x - 9) ** 2 + (y - 13) ** 2) / 30)).astype(np.uint8)


def seen(name: str, severity: float, seed: int = 1, number: int = 7) -> NDArray[np.uint8]:
    frames = [Frame(f"{n}", scene(), label=n) for n in range(number + 1)]
    frame = list(disturbed(frames, name, severity, seed))[number]
    assert frame.label == number
    return frame.luma


def harm(name: str, severity: float) -> float:
    return float(np.abs(seen(name, severity).astype(float) - scene()).mean())


@pytest.mark.parametrize("name", OPTICS)
def test_at_none_nothing_changes(name: str) -> None:
    assert np.array_equal(seen(name, 0.0), scene())


@pytest.mark.parametrize("name", OPTICS)
def test_more_is_worse(name: str) -> None:
    assert 0 < harm(name, 0.2) < harm(name, 0.9)


@pytest.mark.parametrize("name", OPTICS)
def test_the_same_seed_is_the_same_picture(name: str) -> None:
    assert np.array_equal(seen(name, 0.6), seen(name, 0.6))


@pytest.mark.parametrize("name", ["noise", "rotation", "shift", "dirt", "glare", "occlusion"])
def test_another_seed_is_another_picture(name: str) -> None:
    assert any(not np.array_equal(seen(name, 0.6), seen(name, 0.6, seed)) for seed in range(2, 6))


def test_colour_is_disturbed_with_its_luma() -> None:
    grey = scene()
    frame = Frame("one", grey, colour=np.dstack([grey] * 3))
    (found,) = disturbed([frame], "occlusion", 0.5, seed=3)
    assert found.colour is not None
    assert np.array_equal(found.colour[..., 1], found.luma)


@pytest.mark.parametrize(("name", "severity"), [("fog", 0.5), ("blur", 2), ("blur", float("nan"))])
def test_what_is_none_is_refused(name: str, severity: float) -> None:
    with pytest.raises(FaultError, match="expected"):
        disturbed([], name, severity, seed=1)
