"""One piece of a sweep's work: some frames through one firmware on one board."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from boardless.running.classify import RunReport, UnreadableResult, classify
from boardless.running.latency import TOTAL, time_us
from boardless.running.session import BoardSetup
from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import FirmwareImage, ImagePlan, image_from
from boardless_sim.errors import BoardlessError

SCHEMA = 1
Row = tuple[tuple[str, str], ...]  # an axis and its value, of every axis


@dataclass(frozen=True)
class SweepTask:
    """Frames `start` to `start + count` of a source, for one row of the table.

    `inputs` are SHA-256 of everything that goes in, so that `key` names the result.
    """

    row: Row
    start: int
    count: int
    setup: BoardSetup
    limit_us: float
    inputs: tuple[str, ...] = field(repr=False)

    @cached_property
    def key(self) -> str:
        """Equal for equal work, whatever the files are called."""
        parts = (*self.inputs, str(self.limit_us), tool_hash())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def run_task(task: SweepTask, elf: bytes, frames: Iterable[Frame]) -> dict[str, Any]:
    """The task's line of results. What stops one firmware is a result, not the sweep's end."""
    began = time.perf_counter()  # shown, and what the growth is planned from; no verdict
    row: dict[str, Any] = {"schema": SCHEMA, "key": task.key, "row": dict(task.row)}
    row |= {"start": task.start, "count": task.count}
    try:
        report = _report(task, elf, frames)
    except BoardlessError as error:
        return row | {"problem": str(error), "host_s": time.perf_counter() - began}
    return row | _figures(report) | {"host_s": time.perf_counter() - began}


def hash_of_frames(frames: Iterable[Frame]) -> str:
    """Over what the lens sees and the truth."""
    found = hashlib.sha256()
    for frame in frames:
        found.update(f"{frame.label} {frame.luma.shape}".encode())
        found.update(frame.luma.tobytes())
        if frame.colour is not None:
            found.update(frame.colour.tobytes())
    return found.hexdigest()


@cache
def tool_hash() -> str:
    """What runs the work: the version, and the sources of the virtual board and what runs it."""
    import boardless.running
    import boardless_sim

    found = hashlib.sha256(version("boardless").encode())
    for package in (boardless_sim, boardless.running):
        for folder in package.__path__:
            for path in sorted(Path(folder).rglob("*")):
                if path.suffix in {".py", ".c", ".h", ".json"}:
                    found.update(path.read_bytes())
    return found.hexdigest()


def _report(task: SweepTask, elf: bytes, frames: Iterable[Frame]) -> RunReport:
    image = _image(task.setup.elf, elf, task.setup.image)
    with closing(task.setup.power_on(image)) as engine:
        try:
            return classify(engine, frames, task.limit_us)
        except UnreadableResult as error:
            return error.report


@lru_cache(maxsize=4)
def _image(path: Path, raw: bytes, plan: ImagePlan) -> FirmwareImage:
    return image_from(path, raw, plan)


def _figures(report: RunReport) -> dict[str, Any]:
    times = [time_us(result, TOTAL) for result in report.results]
    known = [us for us in times if us is not None]
    fails = [
        {"check": seen.finding.kind, "grade": seen.finding.grade.value, "text": seen.finding.text}
        for seen in report.observations
    ]
    return {
        "frames": len(report.results),
        "correct": report.correct,
        "latency_us": known,
        "basis": report.timing_basis.name,
        "stop_reason": report.stop_reason.value,
        "detail": report.detail,
        "board_checks": fails,
        "fingerprint": _fingerprint(report),
    }


def _fingerprint(report: RunReport) -> str:
    """Over the classes and scores: equal on every machine that may run the work."""
    lines = [(r.class_index, r.score, dict(r.times_us)) for r in report.results]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()
