"""Frames before the lens, and the firmware's results as they come, one a frame."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from boardless.running.result_lines import read_result
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Capability, Capture, Engine, StopReason, UartLine
from boardless_sim.errors import FrameError, ResultError, StrictError
from boardless_sim.finding import Check

# Frames queued ahead of the firmware: it may capture one frame while it works on the one before,
# and the lens must never run dry before the last frame.
WINDOW = 8
# Lines and captures that a stream without end keeps: more than a person reads of a failure.
_KEPT = 1_000
_ANSWER = re.compile(r"(?:error|values|outputs|crc32)=\S+")


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What the firmware said about one frame. `frame` counts over the whole run, from 0.

    `line` is what its own board said; `sent_us` is when that line's last bit left the UART,
    `capture` when the frame was whole in memory, None where the engine does not know.
    """

    frame: int
    name: str
    label: int | None
    class_index: int | None
    score: float | None
    times_us: Mapping[str, float]
    line: str
    sent_us: float
    capture: Capture | None = None
    values: tuple[float, ...] = ()

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
        if self.class_index is None:
            return f"r- frame={self.frame} {' '.join(_ANSWER.findall(self.line))}"
        return f"r- frame={self.frame} class={self.class_index} score={self.score}"


class FrameStream:
    """Shows every frame to a freshly powered board and yields its results.

    Afterwards `reason` and `detail` say how it ended, RESULT only where every frame had its result;
    `errors` are the firmware's `e-` lines. `forgets`: what the board said long ago is let go.
    """

    def __init__(
        self, engine: Engine, frames: Iterable[Frame], limit_us: float, *, forgets: bool = False
    ) -> None:
        self._engine, self._source, self._limit_us = engine, iter(frames), limit_us
        self._forgets = forgets
        self._ahead: deque[Frame] = deque()
        self.reason, self.detail = StopReason.RESULT, ""
        self.errors: list[str] = []

    def __iter__(self) -> Iterator[FrameResult]:
        """Raises `FrameError` for no frame."""
        self._fill()
        if not self._ahead:
            raise FrameError("no frames, expected at least one")
        number = 0
        while self._ahead:
            result = self._next(number)
            if result is None:
                return
            yield result
            number += 1
            if self._forgets:
                self._engine.forget_history(_KEPT)
            self._fill()

    def _next(self, number: int) -> FrameResult | None:
        """The next frame's result; None, and why, where there is none."""
        try:
            line = self._next_result_line()
            return None if line is None else self._paired(line, number, self._ahead.popleft())
        except StrictError as error:
            self.reason, self.detail = StopReason.STRICT, str(error)
        except ResultError as error:
            self.reason, self.detail = StopReason.UNREADABLE, str(error)
        return None

    def _fill(self) -> None:
        while len(self._ahead) < WINDOW and (frame := next(self._source, None)) is not None:
            self._engine.show(frame)
            self._ahead.append(frame)

    def _next_result_line(self) -> UartLine | None:
        engine = self._engine
        found: list[UartLine] = []

        def is_wanted(line: UartLine) -> bool:
            if engine.contract.is_error(line.text):
                self.errors.append(line.text)
            if not engine.contract.is_result(line.port, line.text):
                return False
            found.append(line)
            return True

        reason = engine.run(self._limit_us, is_wanted)
        if found:
            return found[0]
        self.reason, self.detail = reason, _what_stopped(engine, reason, self._limit_us)
        return None

    def _paired(self, line: UartLine, number: int, shown: Frame) -> FrameResult:
        """The result beside the frame that the sensor really clocked out for it."""
        engine = self._engine
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
            values=result.values,
        )


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


def _capture(engine: Engine, number: int) -> Capture | None:
    known = Capability.CAPTURE_TIMES in engine.capabilities
    return engine.captures()[number] if known else None


def _what_stopped(engine: Engine, reason: StopReason, limit_us: float) -> str:
    last = last_line(engine)
    said = "the UART is silent" if last is None else f"last UART line: {last[:100]!r}"
    return f"{stop_detail(engine, reason, limit_us)}; {said}"
