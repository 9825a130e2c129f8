"""How long frames took: mean and percentiles of a stage, frames a second, frames lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from boardless.running.frame_stream import FrameResult

# From the end of a frame's capture to its result, as the firmware says.
TOTAL = "total"
# From then to the last bit of the result's line, and both together: what the engine sees.
PRINT, END_TO_END = "print", "end to end"


@dataclass(frozen=True)
class Latency:
    """Over the frames that say how long the stage took. A percentile is a time that occurred."""

    frames: int
    mean_us: float
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float


def latency(results: Iterable[FrameResult], stage: str = TOTAL) -> Latency | None:
    """None where no result has that stage."""
    times = sorted(us for result in results if (us := time_us(result, stage)) is not None)
    if not times:
        return None
    return Latency(
        frames=len(times),
        mean_us=round(sum(times) / len(times), 3),
        p50_us=_percentile(times, 50),
        p95_us=_percentile(times, 95),
        p99_us=_percentile(times, 99),
        max_us=times[-1],
    )


def latencies(results: Sequence[FrameResult]) -> dict[str, Latency]:
    """Every stage that the firmware names, in its order, then those that the engine sees."""
    named = dict.fromkeys(stage for result in results for stage in result.times_us)
    found = {stage: latency(results, stage) for stage in (*named, PRINT, END_TO_END)}
    return {stage: times for stage, times in found.items() if times is not None}


def time_us(result: FrameResult, stage: str) -> float | None:
    """How long a frame's stage took; None where neither the firmware nor the engine says it."""
    if stage in result.times_us:
        return result.times_us[stage]
    if result.capture is None or stage not in (PRINT, END_TO_END):
        return None
    end_to_end_us = round(result.sent_us - result.capture.time_us, 3)
    if stage == END_TO_END:
        return end_to_end_us
    total_us = result.times_us.get(TOTAL)
    return None if total_us is None else round(end_to_end_us - total_us, 3)


def frame_rate(results: Sequence[FrameResult]) -> float | None:
    """Results a second of virtual time, first to last.

    None for fewer than two, and for those of several boards, each with a time of its own.
    """
    if len(results) < 2 or any(
        after.sent_us <= before.sent_us for before, after in pairwise(results)
    ):
        return None
    return (len(results) - 1) * 1e6 / (results[-1].sent_us - results[0].sent_us)


def frames_lost(results: Sequence[FrameResult]) -> int | None:
    """Frames that the sensor clocked out from the first capture to the last, and nobody captured.

    None where the engine does not know, and for results of several boards.
    """
    numbers = [result.capture.number for result in results if result.capture is not None]
    if not numbers or len(numbers) < len(results):
        return None
    gaps = [after - before - 1 for before, after in pairwise(numbers)]
    return sum(gaps) if all(gap >= 0 for gap in gaps) else None


def _percentile(times: Sequence[float], percent: int) -> float:
    return times[-(-percent * len(times) // 100) - 1]
