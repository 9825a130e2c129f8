"""Frames through a firmware, one result a frame: `classify`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from boardless.running.board_checks import Observation, observe
from boardless.running.frame_stream import WINDOW, FrameResult, FrameStream, stop_detail
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import (
    Engine,
    StackMark,
    StopReason,
)
from boardless_sim.errors import ResultError
from boardless_sim.finding import Check
from boardless_sim.timing_basis import TimingBasis

if TYPE_CHECKING:
    from boardless.running.post_mortem import PostMortem

DEFAULT_LIMIT_US = 1_000_000.0
PEACEFUL = (StopReason.LIMIT, StopReason.HALT)


@dataclass(frozen=True)
class RunReport:
    """A run that ended for a named reason: RESULT only where every frame had its result.

    `detail` says what stopped it otherwise, `post_mortem` where the core stood; `firmware_errors`
    holds the firmware's `e-` lines.
    """

    engine: str
    timing_basis: TimingBasis
    results: tuple[FrameResult, ...]
    stop_reason: StopReason
    detail: str = ""
    firmware_errors: tuple[str, ...] = ()
    post_mortem: PostMortem | None = None
    observations: tuple[Observation, ...] = ()
    checked: frozenset[Check] = frozenset()  # what the engine looks for

    @property
    def is_complete(self) -> bool:
        """Whether every frame had its result."""
        return self.stop_reason is StopReason.RESULT

    @property
    def can_be_judged(self) -> bool:
        """Whether the firmware ended it: neither this machine nor a line that cannot be."""
        return not (self.stop_reason.is_bound or self.stop_reason is StopReason.UNREADABLE)

    @property
    def correct(self) -> int | None:
        """How many classes are the truth; None where a truth is not known."""
        if not self.results or any(result.label is None for result in self.results):
            return None
        return sum(not result.is_wrong for result in self.results)

    @property
    def accuracy(self) -> float | None:
        """`correct` as a share of the frames."""
        return None if self.correct is None else self.correct / len(self.results)


class UnreadableResult(ResultError):
    """A result line that cannot be. `report` is the run up to there, with what the board saw."""

    def __init__(self, message: str, report: RunReport) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[type[UnreadableResult], tuple[str, RunReport]]:
        return type(self), (str(self), self.report)  # a worker process hands it on


def classify(
    engine: Engine,
    frames: Iterable[Frame],
    limit_us: float = DEFAULT_LIMIT_US,
    progress: Callable[[FrameResult], None] | None = None,
    *,
    forgets: bool = False,
) -> RunReport:
    """Show every frame to a freshly powered board and collect its results.

    `limit_us` is the virtual time that one frame may take; the first one pays for the boot too.
    `forgets`: nobody looks at the lines that the board said long ago, and they need not be kept.
    Raises `FrameError` for no frame, `UnreadableResult` where the firmware's output makes no sense.
    """
    stream = FrameStream(engine, frames, limit_us, forgets=forgets)
    results: list[FrameResult] = []
    for result in stream:
        results.append(result)
        if progress is not None:
            progress(result)
    report = _report(engine, results, stream)
    if stream.reason is StopReason.UNREADABLE:
        raise UnreadableResult(stream.detail, report)
    return report


def require_results(report: RunReport) -> RunReport:
    """The same report. Raises `ResultError` where the firmware gave no result at all."""
    if not report.results:
        raise ResultError(f"the firmware gave no result, expected one a frame: {report.detail}")
    return report


@dataclass(frozen=True)
class MeasuredStack:
    """A stack's mark, and how long a run it was of where no result ended it.

    `problem`: a stack went into variables, which ended the run there.
    """

    mark: StackMark
    note: str = ""
    problem: str = ""


def require_verdict(report: RunReport) -> RunReport:
    """The same report. Raises `ResultError` where a bound of the host ended it, without verdict."""
    if report.stop_reason is StopReason.UNREADABLE:
        raise ResultError(report.detail)
    if report.stop_reason.is_bound:
        done = len(report.results)
        raise ResultError(f"no verdict after {done} results: {report.detail}")
    return require_results(report)


def measure_stack(engine: Engine, frames: Iterable[Frame]) -> MeasuredStack:
    """The stack's high-water mark after every frame had its result.

    A firmware that never gives one was measured for as long as it was waited for. Raises
    `ResultError` where the firmware stopped giving results, or ended in a fault.
    """
    report = classify(engine, frames)
    if report.stop_reason is StopReason.STACK:
        return MeasuredStack(engine.stack_mark(), problem=report.detail)
    if not report.is_complete and (report.results or report.stop_reason not in PEACEFUL):
        raise ResultError(f"no whole run to measure the stack on: {report.detail}")
    note = "" if report.is_complete else f"stack measured without a result: {report.detail}"
    return MeasuredStack(engine.stack_mark(), note)


def measure_stack_for(engine: Engine, frames: Iterable[Frame], for_us: float) -> MeasuredStack:
    """The stack's high-water mark after a virtual time, whatever the firmware prints."""
    for frame in islice(frames, WINDOW):
        engine.show(frame)
    reason = engine.run(for_us)
    if reason is StopReason.STACK:
        return MeasuredStack(engine.stack_mark(), problem=stop_detail(engine, reason, for_us))
    if reason not in PEACEFUL:
        detail = stop_detail(engine, reason, for_us)
        raise ResultError(f"no whole run to measure the stack on: {detail}")
    at_ms = engine.time_us() / 1000
    return MeasuredStack(engine.stack_mark(), f"stack measured over {at_ms:g} ms of virtual time")


def _report(engine: Engine, results: list[FrameResult], stream: FrameStream) -> RunReport:
    stands = None if stream.reason is StopReason.RESULT else _examined(engine)
    return RunReport(
        engine=engine.name,
        timing_basis=engine.timing_basis,
        results=tuple(results),
        stop_reason=stream.reason,
        detail=stream.detail,
        firmware_errors=tuple(stream.errors),
        post_mortem=stands,
        observations=observe(engine, stands),
        checked=engine.checks,
    )


def _examined(engine: Engine) -> PostMortem | None:
    # Here, because a run that has its results pays for no unwinder.
    from boardless.running.post_mortem import examine

    return examine(engine)
