"""What a run's results say in figures: accuracy and how sure it is, confusions, a histogram."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from boardless.running.frame_stream import FrameResult

_Z_95 = 1.959964  # of the normal distribution, for 95 % in the middle


@dataclass(frozen=True)
class Interval:
    """A share and the 95 % interval in which the true one lies (Wilson's score interval)."""

    share: float
    low: float
    high: float


def wilson(right: int, count: int) -> Interval:
    """Of `right` among `count`, which is some."""
    share, square = right / count, _Z_95**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    spread = _Z_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    half = spread / (1 + square / count)
    return Interval(share, max(centre - half, 0.0), min(centre + half, 1.0))


@dataclass(frozen=True)
class ClassRow:
    """One class: frames that are of it, found, and taken for it. A share of none is None."""

    number: int
    frames: int
    found: int
    taken: int

    @property
    def recall(self) -> float | None:
        """The share of its frames that were found."""
        return self.found / self.frames if self.frames else None

    @property
    def precision(self) -> float | None:
        """The share of what was taken for it that was it."""
        return self.found / self.taken if self.taken else None


@dataclass(frozen=True)
class Confusion:
    """How often frames of one class were taken for another; frames without a label do not count."""

    classes: tuple[int, ...]
    counts: Counter[tuple[int, int]]  # by truth and by what it was taken for

    def rows(self) -> list[ClassRow]:
        """Every class by itself."""
        return [
            ClassRow(
                number,
                sum(self.counts[number, other] for other in self.classes),
                self.counts[number, number],
                sum(self.counts[other, number] for other in self.classes),
            )
            for number in self.classes
        ]


def confusion(results: Sequence[FrameResult]) -> Confusion:
    """Over the results that have a label and a class."""
    counts = Counter(
        (result.label, result.class_index)
        for result in results
        if result.label is not None and result.class_index is not None
    )
    numbers = sorted({number for pair in counts for number in pair})
    return Confusion(tuple(numbers), counts)


@dataclass(frozen=True)
class Histogram:
    """Counts of values in bins of one width, in microseconds."""

    first_us: float
    width_us: float
    counts: tuple[int, ...]


def histogram(times_us: Sequence[float], bins: int = 60) -> Histogram:
    """Of some times; all in one bin where they are equal."""
    first, last = min(times_us), max(times_us)
    width = (last - first) / bins
    if width <= 0:
        return Histogram(first, 1.0, (len(times_us),))
    counts = Counter(min(int((time - first) / width), bins - 1) for time in times_us)
    return Histogram(first, width, tuple(counts[number] for number in range(bins)))
