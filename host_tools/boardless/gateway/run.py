"""The gateway at work: video to events to commands, frame by frame."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from boardless.gateway.blob import Picture
from boardless.gateway.detect import Detector
from boardless.gateway.event import SceneEvent, Unsuited
from boardless.gateway.mapping import Reactions
from boardless.gateway.sender import Sender

_DRAIN_S = 5.0  # after the last frame, for what still waits
_STEP_S = 0.002


@dataclass
class GatewayOutcome:
    """What was seen, and what each event led to."""

    events: list[SceneEvent] = field(default_factory=list)
    unsuited: list[Unsuited] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    duration_s: float = 0.0


class Pace(ABC):
    """Who says what time it is: the clock on the wall, or a board in virtual time."""

    @abstractmethod
    def now_s(self) -> float:
        """Seconds since the start."""

    @abstractmethod
    def until(self, moment_s: float) -> Iterator[float]:
        """Every moment up to that one at which the link is looked after."""


class WallPace(Pace):
    """For a port or a broker: a file is played as fast as it was filmed."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now_s(self) -> float:
        return time.monotonic() - self._start

    def until(self, moment_s: float) -> Iterator[float]:
        while (now_s := self.now_s()) < moment_s:
            yield now_s
            time.sleep(min(_STEP_S, max(moment_s - self.now_s(), 0.0)))


class BoardPace(Pace):
    """For the virtual board: it runs up to each moment, however long that takes."""

    def __init__(self, run_us: Callable[[float], object], time_us: Callable[[], float]) -> None:
        self._run_us, self._time_us = run_us, time_us
        self._start_us = time_us()

    def now_s(self) -> float:
        return (self._time_us() - self._start_us) / 1e6

    def until(self, moment_s: float) -> Iterator[float]:
        while (now_s := self.now_s()) < moment_s:
            yield now_s
            self._run_us(min(_STEP_S, moment_s - now_s) * 1e6)


def watch(frames: Iterable[tuple[float, Picture]]) -> GatewayOutcome:
    """Events alone, without a device."""
    outcome, detector = GatewayOutcome(), Detector()
    for at_s, picture in frames:
        _sort(outcome, detector.see(picture, at_s))
        outcome.duration_s = at_s
    return outcome


def drive(
    frames: Iterable[tuple[float, Picture]], sender: Sender, reactions: Reactions, pace: Pace
) -> GatewayOutcome:
    """Events, and their commands to the device."""
    outcome, detector = GatewayOutcome(), Detector()
    for at_s, picture in frames:
        for now_s in pace.until(at_s):
            outcome.lines += sender.step(now_s)
        for event in _sort(outcome, detector.see(picture, at_s)):
            for command in reactions.commands(event):
                sender.offer(command, pace.now_s())
        outcome.lines += sender.step(pace.now_s())
        outcome.duration_s = at_s
    for now_s in pace.until(pace.now_s() + _DRAIN_S):
        outcome.lines += sender.step(now_s)
        if sender.idle:
            break
    return outcome


def _sort(outcome: GatewayOutcome, found: Iterable[SceneEvent | Unsuited]) -> list[SceneEvent]:
    events = []
    for each in found:
        if isinstance(each, Unsuited):
            outcome.unsuited.append(each)
        else:
            events.append(each)
    outcome.events += events
    return events
