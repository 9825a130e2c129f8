"""Sets of addresses as intervals [start, end)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same addresses as sorted intervals that do not touch."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def union_bytes(intervals: Iterable[Interval]) -> int:
    """How many addresses lie in at least one of the intervals."""
    return sum(end - start for start, end in union(intervals))


def common(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """The addresses of two unions that lie in both."""
    found: list[Interval] = []
    first = second = 0
    while first < len(left) and second < len(right):
        start = max(left[first][0], right[second][0])
        end = min(left[first][1], right[second][1])
        if start < end:
            found.append((start, end))
        if left[first][1] < right[second][1]:
            first += 1
        else:
            second += 1
    return found


def touches(held: Sequence[Interval], start: int, end: int) -> bool:
    """Whether an address of a union lies in [start, end)."""
    place = bisect_right(held, (start, 1 << 64)) - 1
    if place >= 0 and held[place][1] > start:
        return start < end
    return place + 1 < len(held) and held[place + 1][0] < end
