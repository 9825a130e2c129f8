"""Frames through a firmware, one result a frame: `classify`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from boardless.running.board_checks import Observation, observe
from boardless.running.result_lines import read_result
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import (
    Capability,
    Capture,
    Engine,
    StackMark,
    StopReason,
    UartLine,
)
from boardless_sim.errors import FrameError, ResultError, StrictError
from boardless_sim.finding import Check
from boardless_sim.timing_basis import TimingBasis

if TYPE_CHECKING:
    from boardless.running.post_mortem import PostMortem

# Frames queued ahead of the firmware: it may capture one frame while it works on the one before,
# and the lens must never run dry before the last frame.
WINDOW = 8
DEFAULT_LIMIT_US = 1_000_000.0
PEACEFUL = (StopReason.LIMIT, StopReason.HALT)


@dataclass(frozen=True)
class FrameResult:
    """What the firmware said about one frame. `frame` counts over the whole run, from 0.

    `line` is what its own board said; `sent_us` is when that line's last bit left the UART,
    `capture` when the frame was whole in memory, None where the engine does not know.
    """

    frame: int
    name: str
    label: int | None
    class_index: int
    score: float | None
    times_us: Mapping[str, float]
    line: str
    sent_us: float
    capture: Capture | None = None

    @property
    def is_wrong(self) -> bool:
        """Whether the truth is known and is another class."""
        return self.label is not None and self.label != self.class_index

    @property
    def normalised_line(self) -> str:
        """Its line under its number in the whole run, and without times.

        Times depend on how long the board has been running, and with several jobs there are
        several boards.
        """
        return f"r- frame={self.frame} class={self.class_index} score={self.score}"


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
) -> RunReport:
    """Show every frame to a freshly powered board and collect its results.

    `limit_us` is the virtual time that one frame may take; the first one pays for the boot too.
    Raises `FrameError` for no frame, `UnreadableResult` where the firmware's output makes no sense.
    """
    source = iter(frames)
    ahead: deque[Frame] = deque()
    results: list[FrameResult] = []
    _fill(engine, source, ahead)
    if not ahead:
        raise FrameError("no frames, expected at least one")
    while ahead:
        try:
            line, reason = _next_result_line(engine, limit_us)
        except StrictError as error:
            return _report(engine, results, StopReason.STRICT, str(error))
        if line is None:
            return _report(engine, results, reason, _what_stopped(engine, reason, limit_us))
        try:
            result = _paired(engine, line, len(results), ahead.popleft())
        except ResultError as error:
            report = _report(engine, results, StopReason.UNREADABLE, str(error))
            raise UnreadableResult(str(error), report) from error
        results.append(result)
        if progress is not None:
            progress(result)
        _fill(engine, source, ahead)
    return _report(engine, results, StopReason.RESULT, "")


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


def last_line(engine: Engine, prefix: str = "") -> str | None:
    """The last line that the firmware sent with that prefix."""
    lines = (line.text for line in reversed(engine.uart_lines()))
    return next((text for text in lines if text.startswith(prefix)), None)


def stop_detail(engine: Engine, reason: StopReason, limit_us: float) -> str:
    """Why a board stopped before what was waited for: the reason, in one line."""
    if reason is StopReason.FAULT:
        return f"fault: {engine.fault()}"
    if reason.is_bound:
        at_ms = engine.time_us() / 1000
        return f"{reason.value}: more than one wait may take of this machine, at {at_ms:.3f} ms"
    if reason is StopReason.STACK:
        return _stack_detail(engine)
    at = f"at {engine.time_us() / 1000:.3f} ms"
    if reason is StopReason.LIMIT:
        return f"limit: {limit_us / 1000:g} ms of virtual time without a result, {at}"
    return f"{reason.value} {at}"


def _stack_detail(engine: Engine) -> str:
    kind = Check.STACK_INTO_VARIABLES.value
    texts = [finding.text for finding in engine.findings() if finding.kind == kind]
    return texts[0] if texts else "stack into variables"


def _fill(engine: Engine, source: Iterator[Frame], ahead: deque[Frame]) -> None:
    while len(ahead) < WINDOW and (frame := next(source, None)) is not None:
        engine.show(frame)
        ahead.append(frame)


def _next_result_line(engine: Engine, limit_us: float) -> tuple[UartLine | None, StopReason]:
    found: list[UartLine] = []

    def is_wanted(line: UartLine) -> bool:
        if not engine.contract.is_result(line.port, line.text):
            return False
        found.append(line)
        return True

    reason = engine.run(limit_us, is_wanted)
    return (found[0] if found else None), reason


def _paired(engine: Engine, line: UartLine, number: int, shown: Frame) -> FrameResult:
    """The result beside the frame that the sensor really clocked out for it."""
    result = read_result(engine, line)
    if result.frame not in (number, None):
        raise ResultError(
            f"UART: frame counter {result.frame}, expected {number} (it counts up by one): "
            f"{result.line[:100]!r}"
        )
    captured = engine.captured()
    if number >= len(captured):
        raise ResultError(
            f"UART: result of frame {number}, expected at most {len(captured)} results "
            f"for {len(captured)} completed captures"
        )
    if captured[number] is not shown:
        raise ResultError(
            f"UART: result {number} belongs to {captured[number].name}, expected {shown.name}"
        )
    return FrameResult(
        frame=number,
        name=shown.name,
        label=shown.label,
        class_index=result.class_index,
        score=result.score,
        times_us=result.times_us,
        line=result.line,
        sent_us=line.time_us,
        capture=_capture(engine, number),
    )


def _capture(engine: Engine, number: int) -> Capture | None:
    known = Capability.CAPTURE_TIMES in engine.capabilities
    return engine.captures()[number] if known else None


def _what_stopped(engine: Engine, reason: StopReason, limit_us: float) -> str:
    last = last_line(engine)
    said = "the UART is silent" if last is None else f"last UART line: {last[:100]!r}"
    return f"{stop_detail(engine, reason, limit_us)}; {said}"


def _report(
    engine: Engine, results: list[FrameResult], reason: StopReason, detail: str
) -> RunReport:
    errors = tuple(line.text for line in engine.uart_lines() if engine.contract.is_error(line.text))
    stands = None if reason is StopReason.RESULT else _examined(engine)
    return RunReport(
        engine=engine.name,
        timing_basis=engine.timing_basis,
        results=tuple(results),
        stop_reason=reason,
        detail=detail,
        firmware_errors=errors,
        post_mortem=stands,
        observations=observe(engine, stands),
        checked=engine.checks,
    )


def _examined(engine: Engine) -> PostMortem | None:
    # Here, because a run that has its results pays for no unwinder.
    from boardless.running.post_mortem import examine

    return examine(engine)
