"""One run over several processes, each with a board of its own.

Frames are dealt out in blocks, block b to worker b modulo the number of workers, so that every run
deals the same way. A worker asks for its next block when it needs one: nothing reads far ahead.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

from boardless.running.board_checks import Observation
from boardless.running.classify import RunReport, classify
from boardless.running.frame_stream import FrameResult
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Engine, StopReason
from boardless_sim.errors import BoardlessError, EngineError, FrameError
from boardless_sim.timing_basis import TimingBasis

BLOCK = 32
_END_S = 10.0

Progress = Callable[[FrameResult], None]


class Setup(Protocol):
    """Powers a board on, in whichever process it is asked."""

    def power_on(self) -> Engine:
        """A freshly powered board."""


class _NextBlock:
    """A worker's request for frames."""


@dataclass
class _Worker:
    index: int
    process: BaseProcess
    pipe: Connection
    report: RunReport | None = None


def classify_in_jobs(
    setup: Setup,
    frames: Iterable[Frame],
    jobs: int,
    limit_us: float,
    progress: Progress | None = None,
) -> RunReport:
    """`classify` over at most `jobs` processes; frame numbers are those of one process."""
    blocks = _blocks(iter(frames))
    first = list(islice(blocks, jobs))
    if not first:
        raise FrameError("no frames, expected at least one")
    jobs = len(first)
    dealer = _Dealer(chain(first, blocks), jobs)
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    try:
        for index in range(jobs):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(there, setup, limit_us), daemon=True)
            process.start()
            there.close()
            workers.append(_Worker(index, process, here))
        _serve(workers, dealer, progress)
    finally:
        _end(workers)
    return _merged([worker.report for worker in workers if worker.report is not None])


def global_number(local: int, worker: int, jobs: int) -> int:
    """The number in the whole run of a worker's frame."""
    block, offset = divmod(local, BLOCK)
    return (block * jobs + worker) * BLOCK + offset


def _blocks(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    while block := list(islice(frames, BLOCK)):
        yield block


class _Dealer:
    """Keeps each block for the worker that it belongs to."""

    def __init__(self, blocks: Iterator[list[Frame]], jobs: int) -> None:
        self._blocks = blocks
        self._jobs = jobs
        self._dealt = 0
        self._kept: list[deque[list[Frame]]] = [deque() for _ in range(jobs)]
        self._stop_before: int | None = None

    def next_for(self, worker: int) -> list[Frame]:
        """The worker's next block; empty at the end."""
        kept = self._kept[worker]
        while not kept and self._deal_one():
            pass
        return kept.popleft() if kept else []

    def stop_before(self, frame: int) -> None:
        """Deal no block that starts after a frame that will have no result."""
        if self._stop_before is None or frame < self._stop_before:
            self._stop_before = frame

    def _deal_one(self) -> bool:
        start = self._dealt * BLOCK
        if self._stop_before is not None and start >= self._stop_before:
            return False
        block = next(self._blocks, None)
        if block is None:
            return False
        self._kept[self._dealt % self._jobs].append(block)
        self._dealt += 1
        return True


def _serve(workers: list[_Worker], dealer: _Dealer, progress: Progress | None) -> None:
    """Answer the workers until each has handed in its report."""
    by_pipe = {worker.pipe: worker for worker in workers}
    while by_pipe:
        for pipe in wait(list(by_pipe)):
            assert isinstance(pipe, Connection)
            worker = by_pipe[pipe]
            try:
                message = pipe.recv()
                if isinstance(message, _NextBlock):
                    pipe.send(dealer.next_for(worker.index))
            except (EOFError, ConnectionError) as error:
                raise _died(worker) from error
            if isinstance(message, BoardlessError):
                raise message
            if isinstance(message, FrameResult) and progress is not None:
                progress(message)
            if isinstance(message, RunReport):
                worker.report = message
                if not message.is_complete:
                    dealer.stop_before(_first_missing(message, worker.index, len(workers)))
                del by_pipe[pipe]


def _died(worker: _Worker) -> EngineError:
    worker.process.join(_END_S)
    return EngineError(
        f"worker process {worker.index} ended with exit code {worker.process.exitcode}, "
        "expected a report"
    )


def _first_missing(report: RunReport, worker: int, jobs: int) -> int:
    return global_number(len(report.results), worker, jobs)


def _merged(reports: list[RunReport]) -> RunReport:
    """One report, up to the first frame without a result: what one process would have said."""
    jobs = len(reports)
    by_frame = {
        number: replace(result, frame=number)
        for worker, report in enumerate(reports)
        for result in report.results
        for number in (global_number(result.frame, worker, jobs),)
    }
    results: list[FrameResult] = []
    while (result := by_frame.get(len(results))) is not None:
        results.append(result)
    stopped = [
        (_first_missing(report, worker, jobs), report)
        for worker, report in enumerate(reports)
        if not report.is_complete
    ]
    leading = min(stopped, key=lambda pair: pair[0])[1] if stopped else reports[0]
    errors = tuple(line for report in reports for line in report.firmware_errors)
    return replace(
        leading,
        results=tuple(results),
        firmware_errors=errors,
        observations=_observed(reports),
    )


def _observed(reports: list[RunReport]) -> tuple[Observation, ...]:
    """Each finding once, as one of the boards had it."""
    found: dict[tuple[str, str], Observation] = {}
    for report in reports:
        for observed in report.observations:
            found.setdefault((observed.finding.kind, observed.finding.text), observed)
    return tuple(found.values())


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
        if worker.report is None:
            worker.process.terminate()
    for worker in workers:
        worker.process.join(_END_S)
        if worker.process.is_alive():
            worker.process.kill()


def _work(pipe: Connection, setup: Setup, limit_us: float) -> None:
    """What a worker process does."""
    try:
        frames = _received(pipe)
        first = next(frames, None)
        if first is None:
            pipe.send(RunReport("", TimingBasis(""), (), StopReason.RESULT))
            return
        with closing(setup.power_on()) as engine:
            shown = chain([first], frames)
            pipe.send(classify(engine, shown, limit_us, pipe.send, forgets=True))
    except BoardlessError as error:
        pipe.send(error)
    except KeyboardInterrupt:
        return  # the parent got it too, and says so


def _received(pipe: Connection) -> Iterator[Frame]:
    while True:
        pipe.send(_NextBlock())
        block = pipe.recv()
        if not block:
            return
        yield from block
