from __future__ import annotations

import pytest

from boardless.running.frame_stream import FrameResult
from boardless.running.latency import frame_rate, frames_lost, latencies, latency
from boardless_sim.engines.engine import Capture


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


def test_half_of_the_frames_are_no_slower_than_the_median() -> None:
    found = latency(results([5, 1, 4, 2]))
    assert found is not None
    assert found.p50_us == 2


def test_results_of_several_boards_have_no_frame_rate() -> None:
    assert frame_rate([*results([1, 2]), *results([1, 2])]) is None


def captured(numbers: list[int]) -> list[FrameResult]:
    """Results of captures that began 40 ms apart; each says 9 ms, and its line is out after 12."""
    return [
        FrameResult(n, "f", None, 0, 0, {"total": 9_000}, "", us + 12_000.25, Capture(number, us))
        for n, number in enumerate(numbers)
        for us in (40_000.0 * n,)
    ]


def test_from_the_capture_to_the_end_of_the_line() -> None:
    found = latencies(captured([3, 4]))
    assert list(found) == ["total", "print", "end to end"]
    assert [stage.mean_us for stage in found.values()] == [9_000, 3_000.25, 12_000.25]


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [([3, 4, 5], 0), ([3, 5, 9], 4), ([7], 0), ([3, 4, 1, 2], None), ([], None)],
)
def test_a_gap_in_the_sensor_s_frames_is_a_frame_lost(numbers: list[int], lost: int | None) -> None:
    assert frames_lost(captured(numbers)) == lost


def test_an_engine_that_does_not_count_loses_nothing_and_keeps_nothing() -> None:
    assert frames_lost(results([1, 2])) is None
    assert list(latencies(results([1, 2]))) == ["total"]
