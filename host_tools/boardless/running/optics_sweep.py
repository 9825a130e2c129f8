"""Accuracy against the severity of a disturbance before the lens, as a curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from boardless.running.classify import classify, require_results
from boardless.running.session import BoardSetup
from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.errors import LabelError
from boardless_sim.faults.optics import disturbed


@dataclass(frozen=True)
class AccuracyCurve:
    """The share of right classes at each severity."""

    disturbance: str
    accuracies: tuple[float, ...]


def sweep(
    setup: BoardSetup,
    image: FirmwareImage,
    frames: Sequence[Frame],
    disturbances: Sequence[str],
    severities: Sequence[float],
    seed: int,
    progress: Callable[[object], None] | None = None,
) -> list[AccuracyCurve]:
    """Every disturbance at every severity, each on a fresh board.

    Raises `LabelError` for frames without labels, `FaultError` for a disturbance that is none.
    """
    if any(frame.label is None for frame in frames):
        raise LabelError("frames without labels, expected some to count right classes by")
    for name in disturbances:
        disturbed([], name, 0.0, seed)  # before the first run, not after it
    clear = _accuracy(setup, image, frames) if 0 in severities else 0.0
    curves = []
    for name in disturbances:
        accuracies = []
        for severity in severities:
            seen = list(disturbed(frames, name, severity, seed))
            accuracies.append(clear if severity == 0 else _accuracy(setup, image, seen))
            if progress is not None:
                progress(name)
        curves.append(AccuracyCurve(name, tuple(accuracies)))
    return curves


def _accuracy(setup: BoardSetup, image: FirmwareImage, frames: Sequence[Frame]) -> float:
    with closing(setup.power_on(image)) as engine:
        report = require_results(classify(engine, frames))
    return report.accuracy or 0.0
