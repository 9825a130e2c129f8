"""Work on this machine's cores: a process each, and one that dies costs its own tasks only."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from boardless.sweep.grid import Grid
from boardless.sweep.work import SweepTask, run_task
from boardless_sim.errors import EngineError

MOST_TRIES = 3


class LocalWorkers:
    """Runs tasks as they are taken: `todo` may shrink while it runs."""

    def __init__(self, grid: Grid, jobs: int) -> None:
        self._grid = grid
        self._jobs = jobs
        self._tries: Counter[str] = Counter()

    def results(self, todo: deque[SweepTask]) -> Iterator[dict[str, Any]]:
        """Each task's line, in whatever order they end. Raises `EngineError` for one that kills
        its process again and again."""
        while todo:
            lost: list[SweepTask] = []
            yield from self._until_one_dies(todo, lost)
            for task in lost:
                self._tries[task.key] += 1
                if self._tries[task.key] >= MOST_TRIES:
                    raise EngineError(
                        f"{dict(task.row)}: the process that ran it died {MOST_TRIES} times, "
                        "expected a result"
                    )
            todo.extend(lost)

    def _until_one_dies(
        self, todo: deque[SweepTask], lost: list[SweepTask]
    ) -> Iterator[dict[str, Any]]:
        context = multiprocessing.get_context("spawn")
        pool = concurrent.futures.ProcessPoolExecutor(self._jobs, context, _as_a_worker)
        running: dict[concurrent.futures.Future[dict[str, Any]], SweepTask] = {}
        try:
            while todo or running:
                # No more than is worked on: the stop rule may take the rest away.
                while todo and len(running) < self._jobs:
                    task = todo.popleft()
                    try:
                        running[pool.submit(run_task, task, *self._grid.given(task))] = task
                    except BrokenProcessPool:
                        lost.append(task)
                        return
                done, _ = concurrent.futures.wait(
                    running, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in done:
                    task = running.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        lost.append(task)
                if lost:
                    return
        finally:
            lost.extend(running.values())
            _end(pool)


def _as_a_worker() -> None:
    """Ctrl-C is for the parent, who then ends us; and without it we end, even by SIGKILL."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _end(pool: concurrent.futures.ProcessPoolExecutor) -> None:
    """Without waiting for work that nobody asks for any more."""
    processes = list((pool._processes or {}).values())  # no other way to end what is running
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()
