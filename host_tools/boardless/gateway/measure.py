"""How well events are found: precision, recall and delay of each kind, against labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from boardless.gateway.clip import RATE, Clip, Label
from boardless.gateway.detect import detect
from boardless.gateway.event import EventKind, SceneEvent, Unsuited

# An event that begins this many frames around its label is that one.
_EARLIEST, _LATEST = -8, 30


@dataclass
class Tally:
    """Of one kind, over all clips."""

    found: int = 0
    missed: int = 0
    false: int = 0
    delays_s: list[float] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of those reported, how many happened."""
        reported = self.found + self.false
        return self.found / reported if reported else 1.0

    @property
    def recall(self) -> float:
        """Of those that happened, how many were reported."""
        happened = self.found + self.missed
        return self.found / happened if happened else 1.0


@dataclass(frozen=True)
class DetectionScores:
    """All kinds, and in how many clips the scene was said not to suit."""

    tallies: dict[EventKind, Tally]
    clips: int
    unsuited: int


def measure(clips: Iterable[Clip]) -> DetectionScores:
    """Run the detector over every clip."""
    tallies = {kind: Tally() for kind in EventKind}
    count = unsuited = 0
    for clip in clips:
        found = list(detect(clip.frames()))
        count += 1
        unsuited += any(isinstance(each, Unsuited) for each in found)
        _tally(tallies, [each for each in found if isinstance(each, SceneEvent)], clip.labels)
    return DetectionScores(tallies, count, unsuited)


def _tally(
    tallies: dict[EventKind, Tally], events: Sequence[SceneEvent], labels: Sequence[Label]
) -> None:
    left = list(events)
    for label in labels:
        match = next((event for event in left if _matches(event, label)), None)
        if match is None:
            tallies[label.kind].missed += 1
        else:
            left.remove(match)
            tallies[label.kind].found += 1
            tallies[label.kind].delays_s.append(match.decided_s - label.frame / RATE)
    for event in left:
        tallies[event.kind].false += 1


def _matches(event: SceneEvent, label: Label) -> bool:
    frames = round(event.decided_s * RATE) - label.frame
    return event.kind == label.kind and _EARLIEST <= frames <= _LATEST
