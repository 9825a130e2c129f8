"""Events from what each frame shows: one small state machine a kind."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from boardless.gateway.blob import WIDTH, Blob, BlobFinder, FrameContent, Picture
from boardless.gateway.event import EventKind, SceneEvent, Unsuited

_CONFIRM_FRAMES = 2  # seen, or not seen, so often before it counts
_VANISH_FRAMES = 15  # not seen so often although it was not at the border
_BORDER = 3.0  # nearer to it an object is cut off
_GROUND_FRAMES = 15
_JUMP_RISE, _JUMP_LANDED = 0.22, 0.10  # of the object's height
_TURN_TRAVEL, _TURN_RETREAT = 6.0, 3.0  # pixels one way, and back
_STILL_S = 0.45
_STILL_RANGE, _STILL_LEFT = 1.5, 4.0  # pixels within which it stands; beyond which it moves
_UNSUITED_S, _UNSUITED_SHARE = 1.0, 0.5
_MOST_CHANGED = 0.4  # of the picture
_MOST_NOISE, _LEAST_FILL = 11.0, 0.4
_CLEAR_CONTRAST = 12.0  # from here on the score is 1


class Presence:
    """Enter and leave."""

    def __init__(self) -> None:
        self.here = self._at_border = False
        self._count = 0
        self._since_s = 0.0

    def see(self, blob: Blob | None, now_s: float) -> EventKind | None:
        """The event that is known with this frame."""
        seen = blob is not None
        needed = _CONFIRM_FRAMES if seen or self._at_border else _VANISH_FRAMES
        if blob is not None:
            self._at_border = _is_cut_off(blob)
        if seen is self.here:
            self._count = 0
            return None
        if not self._count:
            self._since_s = now_s
        self._count += 1
        if self._count < needed:
            return None
        self.here, self._count = seen, 0
        return EventKind.ENTER if seen else EventKind.LEAVE

    @property
    def onset_s(self) -> float:
        """When the last change began."""
        return self._since_s


class Jump:
    """Both edges leave where they stood, quickly: one alone is the background's grey."""

    def __init__(self) -> None:
        self._stood: deque[tuple[float, float]] = deque(maxlen=_GROUND_FRAMES)
        self._up = False
        self._last_low_s = 0.0

    def see(self, blob: Blob, now_s: float) -> float | None:
        """The onset of a jump that is known with this frame."""
        rise = self._rise(blob)
        if rise < _JUMP_LANDED:
            self._up = False
            self._last_low_s = now_s
        if not self._up and rise < _JUMP_RISE:
            self._stood.append((blob.top, blob.bottom))
        if self._up or rise < _JUMP_RISE or len(self._stood) < _CONFIRM_FRAMES:
            return None
        self._up = True
        return self._last_low_s

    def _rise(self, blob: Blob) -> float:
        """Of the edge that rose less, in heights of the object."""
        if not self._stood:
            return 0.0
        tops, bottoms = zip(*self._stood, strict=True)
        top, bottom = float(np.median(tops)), float(np.median(bottoms))
        return min(top - blob.top, bottom - blob.bottom) / max(bottom - top, 1.0)


class Turn:
    """It went one way, and comes back from the farthest point."""

    def __init__(self) -> None:
        self._way = 0
        self._start = self._farthest = float("nan")
        self._farthest_s = 0.0

    def see(self, blob: Blob, now_s: float) -> float | None:
        """The onset of a turn that is known with this frame: when it was farthest."""
        x = blob.x
        if np.isnan(self._start):
            self._start = self._farthest = x
        if not self._way:
            if abs(x - self._start) >= _TURN_TRAVEL:
                self._way = 1 if x > self._start else -1
                self._farthest, self._farthest_s = x, now_s
            return None
        if (x - self._farthest) * self._way >= 0:
            self._farthest, self._farthest_s = x, now_s
            return None
        if (self._farthest - x) * self._way < _TURN_RETREAT:
            return None
        travelled = abs(self._farthest - self._start)
        self._way, self._start = -self._way, self._farthest
        self._farthest = x
        onset_s, self._farthest_s = self._farthest_s, now_s
        return onset_s if travelled >= _TURN_TRAVEL else None


class Still:
    """It stays within a pixel or two for some time."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float, float]] = deque()
        self._stands_at: float | None = None

    def see(self, blob: Blob, now_s: float) -> float | None:
        """The onset of a stillness that is known with this frame."""
        self._seen.append((now_s, blob.x, blob.bottom))
        while now_s - self._seen[0][0] > _STILL_S + 1e-6:
            self._seen.popleft()
        if self._stands_at is not None:
            if abs(blob.x - self._stands_at) > _STILL_LEFT:
                self._stands_at = None
                self._seen.clear()
            return None
        times, xs, bottoms = zip(*self._seen, strict=True)
        long_enough = now_s - times[0] >= _STILL_S - 0.05
        steady = np.ptp(xs) <= _STILL_RANGE and np.ptp(bottoms) <= 2 * _STILL_RANGE
        if not (long_enough and steady):
            return None
        self._stands_at = blob.x
        return float(times[0])


class Suitability:
    """Whether this is a fixed scene with one object, over the last second."""

    def __init__(self) -> None:
        self._bad: deque[tuple[float, str]] = deque()

    def see(self, look: FrameContent, now_s: float) -> str:
        """Why it is not; empty where it is."""
        reason = ""
        if look.changed > _MOST_CHANGED:
            reason = "most of the picture changes, expected a camera and a light that stand"
        elif look.noise > _MOST_NOISE:
            reason = "the background moves, expected a fixed one"
        elif look.blob is not None and look.blob.fill < _LEAST_FILL:
            reason = "edges move all over the picture, expected a camera that stands"
        elif look.pieces > 1:
            reason = f"{look.pieces} things move, expected one object"
        self._bad.append((now_s, reason))
        while now_s - self._bad[0][0] > _UNSUITED_S:
            self._bad.popleft()
        reasons = [found for _, found in self._bad if found]
        return reasons[-1] if len(reasons) > _UNSUITED_SHARE * len(self._bad) else ""


class Detector:
    """Frames in, events out, as soon as each is known."""

    def __init__(self) -> None:
        self._finder = BlobFinder()
        self._presence = Presence()
        self._suitability = Suitability()
        self._unsuited = False
        self._forget()

    def _forget(self) -> None:
        self._jump, self._turn, self._still = Jump(), Turn(), Still()

    def see(self, picture: Picture, now_s: float) -> Iterator[SceneEvent | Unsuited]:
        """One frame of 160×120."""
        look = self._finder.look(picture)
        if look is None:
            return
        reason = self._suitability.see(look, now_s)
        if reason:
            if not self._unsuited:
                yield Unsuited(now_s, reason)
            self._unsuited = True
            self._forget()
            return
        self._unsuited = False
        yield from self._events(look.blob, now_s)

    def _events(self, blob: Blob | None, now_s: float) -> Iterator[SceneEvent]:
        change = self._presence.see(blob, now_s)
        score = 0.5 if blob is None else min(1.0, blob.contrast / _CLEAR_CONTRAST)
        if change is not None:
            self._forget()
            yield SceneEvent(change, self._presence.onset_s, now_s, score)
        if blob is None or not self._presence.here or _is_cut_off(blob):
            return
        for kind, onset_s in (
            (EventKind.JUMP, self._jump.see(blob, now_s)),
            (EventKind.TURN, self._turn.see(blob, now_s)),
            (EventKind.STILL, self._still.see(blob, now_s)),
        ):
            if onset_s is not None:
                yield SceneEvent(kind, onset_s, now_s, score)


def _is_cut_off(blob: Blob) -> bool:
    return blob.left < _BORDER or blob.right > WIDTH - 1 - _BORDER


def detect(frames: Iterable[tuple[float, Picture]]) -> Iterator[SceneEvent | Unsuited]:
    """Every event of a video, given as times in seconds and pictures."""
    detector = Detector()
    for now_s, picture in frames:
        yield from detector.see(picture, now_s)
