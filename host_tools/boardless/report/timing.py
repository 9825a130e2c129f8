"""Mean and 95th percentile of a stage's times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from boardless.run import FrameResult

# A frame's time: from the capture's start to its result.
TOTAL = "total"


@dataclass(frozen=True)
class Latency:
    """Over the frames that say how long the stage took."""

    frames: int
    mean_us: float
    p95_us: int
    max_us: int


def latency(results: Iterable[FrameResult], stage: str = TOTAL) -> Latency | None:
    """None where no result has that stage. The percentile is a time that occurred."""
    times = sorted(result.times_us[stage] for result in results if stage in result.times_us)
    if not times:
        return None
    rank = -(-95 * len(times) // 100)
    return Latency(
        frames=len(times),
        mean_us=round(sum(times) / len(times), 3),
        p95_us=times[rank - 1],
        max_us=times[-1],
    )
