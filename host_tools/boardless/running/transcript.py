"""What a firmware says over a while, whatever it is: lines with their times, and what was expected.

A file of expectations has a line for each line of the console, in order. `{{...}}` in it is a
regular expression, everything else stands for itself; a line `...` lets any number of lines pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boardless.running.board_checks import Observation, observe
from boardless.running.classify import PEACEFUL
from boardless.running.frame_stream import stop_detail
from boardless.running.post_mortem import PostMortem, examine
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Capability, Engine, StopReason, UartLine
from boardless_sim.errors import BoardlessError
from boardless_sim.files import read_text

_ANYTHING = "..."
_HOLE = re.compile(r"\{\{(.*?)\}\}")
_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Sending:
    """Bytes for a receiver, and when."""

    at_us: float
    data: bytes
    port: str


@dataclass(frozen=True)
class ConsoleTranscript:
    """A run of a while. `unfinished`: by port, the text behind the last line end.

    `shown` and `captured`: how many frames the camera was shown, and how many were captured whole.
    `detail`: why it stopped. `post_mortem`: where it stood then.
    """

    engine: str
    lines: tuple[UartLine, ...]
    unfinished: tuple[tuple[str, str], ...]
    stop_reason: StopReason
    detail: str
    shown: int
    captured: int
    post_mortem: PostMortem | None = None
    observations: tuple[Observation, ...] = ()

    @property
    def ran_on(self) -> bool:
        """Whether nothing ended it but its time, or that nothing more could happen."""
        return self.stop_reason in PEACEFUL


def record(
    engine: Engine,
    for_us: float,
    sendings: Iterable[Sending] = (),
    frames: Sequence[Frame] = (),
) -> ConsoleTranscript:
    """Run a powered board for a while, and send it what it is to be sent."""
    for frame in frames:
        engine.show(frame)
    reason = StopReason.LIMIT
    for sending in sorted(sendings, key=lambda sending: sending.at_us):
        if sending.at_us < for_us and reason is StopReason.LIMIT:
            reason = _run_until(engine, sending.at_us)
            engine.uart_send(sending.port, sending.data)
    if reason in PEACEFUL:
        reason = _run_until(engine, for_us)
    has_camera = Capability.CAMERA in engine.capabilities and bool(frames)
    unfinished = {}
    if Capability.ACTIVITY in engine.capabilities:
        unfinished = dict(engine.activity().unfinished)
    return ConsoleTranscript(
        engine=engine.name,
        lines=tuple(engine.uart_lines()),
        unfinished=tuple(unfinished.items()),
        stop_reason=reason,
        detail=_why(engine, reason, for_us),
        shown=len(frames),
        captured=len(engine.captured()) if has_camera else 0,
        post_mortem=examine(engine),
        observations=observe(engine, None),
    )


def _run_until(engine: Engine, at_us: float) -> StopReason:
    left_us = at_us - engine.time_us()
    return engine.run(left_us) if left_us > 0 else StopReason.LIMIT


def _why(engine: Engine, reason: StopReason, for_us: float) -> str:
    if reason is StopReason.LIMIT:
        return f"its {for_us / 1000:g} ms are over"
    return stop_detail(engine, reason, for_us)


def read_expected(path: Path) -> tuple[re.Pattern[str] | None, ...]:
    """The patterns of a file, None for `...`. Raises `BoardlessError`, with the line."""
    text = read_text(path, "lines of a console", BoardlessError, _MOST_BYTES)
    return tuple(
        None if line.strip() == _ANYTHING else _pattern(path, number, line.rstrip())
        for number, line in enumerate(text.splitlines(), 1)
    )


def _pattern(path: Path, number: int, line: str) -> re.Pattern[str]:
    pieces = _HOLE.split(line)  # literal, expression, literal, …
    pieces[::2] = map(re.escape, pieces[::2])
    pieces[1::2] = [f"(?:{piece})" for piece in pieces[1::2]]
    try:
        return re.compile("".join(pieces))
    except (re.error, OverflowError, RecursionError) as error:
        raise BoardlessError(
            f"{path}:{number}: {line!r}, expected regular expressions in its holes ({error})"
        ) from error


def first_difference(
    expected: Sequence[re.Pattern[str] | None], lines: Sequence[str]
) -> str | None:
    """What is not as expected, None where everything is. The whole transcript must be there."""
    place, may_pass = 0, False
    for pattern in expected:
        if pattern is None:
            may_pass = True
            continue
        found = place
        while found < len(lines) and may_pass and not pattern.fullmatch(lines[found]):
            found += 1
        if found == len(lines):
            return f"{_after(lines, place)}, expected {_shown(pattern)}"
        if not pattern.fullmatch(lines[found]):
            return f"line {found + 1} is {lines[found]!r}, expected {_shown(pattern)}"
        place, may_pass = found + 1, False
    if place < len(lines) and not may_pass:
        return f"line {place + 1} is {lines[place]!r}, expected no more"
    return None


def _after(lines: Sequence[str], place: int) -> str:
    if not lines:
        return "no line"
    return f"no such line after line {place} of {len(lines)}"


def _shown(pattern: re.Pattern[str]) -> str:
    return repr(re.sub(r"\\(.)", r"\1", pattern.pattern))
