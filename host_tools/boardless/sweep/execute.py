"""A sweep: what is not done yet is worked on, until all is or the stop rule has enough."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from boardless.sweep.grid import Grid
from boardless.sweep.plan import SweepBudget, SweepPlan
from boardless.sweep.store import SweepStore
from boardless.sweep.summary import SweepRow, row_of
from boardless.sweep.work import Row, SweepTask


class Workers(Protocol):
    """Whoever runs tasks: this machine or a cluster."""

    def results(self, todo: deque[SweepTask]) -> Iterator[dict[str, Any]]:
        """Each task's line; what is taken out of `todo` meanwhile is not run."""


@dataclass(frozen=True)
class SweepReport:
    """The table. `known`: tasks whose results stood in the folder; `left_out`: by the stop rule."""

    rows: tuple[SweepRow, ...]
    budget: SweepBudget
    run: int
    known: int
    left_out: int
    lines: tuple[dict[str, Any], ...]

    @property
    def failing(self) -> tuple[SweepRow, ...]:
        """The rows that fail."""
        return tuple(row for row in self.rows if row.failures(self.budget))


def sweep(
    plan: SweepPlan,
    grid: Grid,
    store: SweepStore,
    workers: Workers,
    progress: Callable[[object], None] | None = None,
) -> SweepReport:
    """Run what has no result yet, and keep each result as it comes."""
    table = _Table(grid)
    for key, line in store.done.items():
        table.add(key, line)
    todo = deque(_each_once(grid, store))
    known, run = len(grid.tasks) - len(todo), 0
    left_out = _taken_out(plan, todo, table.rows())
    for line in workers.results(todo):
        store.add(line)
        run += 1
        changed = table.add(line["key"], line)
        if progress is not None:
            progress(line)
        left_out += _taken_out(plan, todo, table.rows(changed))
    return SweepReport(table.rows(), plan.budget, run, known, left_out, tuple(table.lines()))


class _Table:
    """Lines under the rows that they belong to: equal work is done once, and counts in each."""

    def __init__(self, grid: Grid) -> None:
        self._tasks: dict[str, list[SweepTask]] = {}
        self._lines: dict[Row, list[dict[str, Any]]] = {}
        self._wanted: dict[Row, int] = {}
        for task in grid.tasks:
            self._tasks.setdefault(task.key, []).append(task)
            self._lines.setdefault(task.row, [])
            self._wanted[task.row] = self._wanted.get(task.row, 0) + task.count

    def add(self, key: str, line: dict[str, Any]) -> list[Row]:
        """The rows that have one more."""
        tasks = self._tasks.get(key, [])
        for task in tasks:
            self._lines[task.row].append(line | {"row": dict(task.row), "start": task.start})
        return [task.row for task in tasks]

    def rows(self, of: Iterable[Row] | None = None) -> tuple[SweepRow, ...]:
        """As they stand; all of them, or some."""
        rows = self._lines if of is None else of
        return tuple(row_of(row, self._wanted[row], self._lines[row]) for row in rows)

    def lines(self) -> Iterator[dict[str, Any]]:
        """All of them, row by row."""
        for lines in self._lines.values():
            yield from lines


def _each_once(grid: Grid, store: SweepStore) -> Iterator[SweepTask]:
    """By chunk: the first frames of every row come before anybody's last."""
    seen = set(store.done)
    for task in sorted(grid.tasks, key=lambda task: task.start):
        if task.key not in seen:
            seen.add(task.key)
            yield task


def _taken_out(plan: SweepPlan, todo: deque[SweepTask], rows: tuple[SweepRow, ...]) -> int:
    """How many tasks the stop rule spares, now that these rows stand so."""
    before = len(todo)
    if plan.stop.fail_fast and any(row.is_lost(plan.budget) for row in rows):
        todo.clear()
    elif plan.stop.confidence is not None:
        enough = {row.row for row in rows if row.is_known_within(plan.stop.confidence)}
        kept = [task for task in todo if task.row not in enough]
        todo.clear()
        todo.extend(kept)
    return before - len(todo)
