"""Tasks and lines of results as a sweep makes them, without a board."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from boardless.running.session import BoardSetup
from boardless.sweep.grid import Grid
from boardless.sweep.plan import FrameSet, StopRule, SweepBudget, SweepPlan
from boardless.sweep.work import SweepTask

CHUNK = 10


def task(elf: str, start: int, content: str = "") -> SweepTask:
    row = (("elf", elf), ("frames", "test"))
    inputs = (content or elf, f"frames {start}")
    return SweepTask(row, start, CHUNK, BoardSetup(Path(elf)), 1e6, inputs)


def grid(*tasks: SweepTask) -> Grid:
    return Grid(tasks, {}, {})


def plan(budget: SweepBudget = SweepBudget(), stop: StopRule = StopRule()) -> SweepPlan:  # noqa: B008
    source = FrameSet("test", "test", None, None)
    return SweepPlan(Path("plan.toml"), ("a", "b"), (source,), budget=budget, stop=stop)


def line(of: SweepTask, correct: int = CHUNK, latency_us: float = 9000.0) -> dict[str, Any]:
    return {
        "schema": 1,
        "key": of.key,
        "row": dict(of.row),
        "start": of.start,
        "count": of.count,
        "frames": CHUNK,
        "correct": correct,
        "latency_us": [latency_us] * CHUNK,
        "stop_reason": "result",
        "detail": "",
        "board_checks": [],
        "fingerprint": f"{of.key}",
    }


class FakeWorkers:
    """Answers in order, and remembers what it was given."""

    def __init__(self, answer: Callable[[SweepTask], dict[str, Any]] = line) -> None:
        self.ran: list[SweepTask] = []
        self._answer = answer

    def results(self, todo: deque[SweepTask]) -> Iterator[dict[str, Any]]:
        while todo:
            found = todo.popleft()
            self.ran.append(found)
            yield self._answer(found)
