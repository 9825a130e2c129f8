"""What happens in a video: kinds of events, one event, and why a scene cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class EventKind(Enum):
    """What one object in a fixed scene does."""

    ENTER = "enter"
    LEAVE = "leave"
    JUMP = "jump"
    TURN = "turn"
    STILL = "still"


@dataclass(frozen=True)
class SceneEvent:
    """One event. Times are the video's, in seconds: when it began, and when that was known.

    `score`: how clear it was, from 0 to 1.
    """

    kind: EventKind
    onset_s: float
    decided_s: float
    score: float


@dataclass(frozen=True)
class Unsuited:
    """From `since_s` on the picture is no fixed scene with one object: no event is reported."""

    since_s: float
    reason: str
