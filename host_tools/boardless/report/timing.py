"""How long frames took: mean and 95th percentile of a stage, frames a second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from boardless.run import FrameResult

# A frame's latency: from the end of its capture to its result.
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


def frame_rate(results: Sequence[FrameResult]) -> float | None:
    """Results a second of virtual time, first to last; None for fewer than two."""
    if len(results) < 2:
        return None
    return (len(results) - 1) * 1e6 / (results[-1].sent_us - results[0].sent_us)
