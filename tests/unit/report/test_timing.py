from __future__ import annotations

import pytest

from boardless.report.timing import frame_rate, latency
from boardless.run import FrameResult


def results(times: list[int]) -> list[FrameResult]:
    return [
        FrameResult(n, f"f[{n}]", None, 0, 0, {"total": time}, "", 33_000.0 * n)
        for n, time in enumerate(times)
    ]


@pytest.mark.parametrize(
    ("count", "p95"), [(1, 1), (2, 2), (19, 19), (20, 19), (21, 20), (100, 95), (1000, 950)]
)
def test_the_95th_percentile_is_a_time_that_occurred(count: int, p95: int) -> None:
    found = latency(results(list(range(count, 0, -1))))
    assert found is not None
    assert (found.frames, found.p95_us, found.max_us) == (count, p95, count)
    assert found.mean_us == (count + 1) / 2


def test_a_stage_that_nobody_timed_has_no_latency() -> None:
    assert latency(results([1, 2]), "infer") is None
    assert latency([]) is None


def test_the_frame_rate_counts_the_gaps_between_results() -> None:
    rate = frame_rate(results([1, 2, 3]))
    assert rate == pytest.approx(1e6 / 33_000)
    assert frame_rate(results([1])) is None
