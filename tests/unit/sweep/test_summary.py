"""Intervals against published values; rows against lines."""

from __future__ import annotations

import pytest

from boardless.sweep.summary import row_of, wilson
from tests.unit.sweep.lines import line, task


# R's prop.test(x, n, correct=FALSE), which is Wilson's interval.
@pytest.mark.parametrize(
    ("correct", "frames", "low", "high"),
    [
        (95, 100, 0.8882, 0.9785),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_wilsons_interval(correct: int, frames: int, low: float, high: float) -> None:
    found = wilson(correct, frames)
    assert found is not None
    assert found == pytest.approx((low, high), abs=1e-4)


def test_no_frames_have_no_interval() -> None:
    assert wilson(0, 0) is None


def test_a_row_joins_its_lines_in_the_frames_order() -> None:
    first, second = task("a", 0), task("a", 10)
    found = row_of(first.row, 20, [line(second, 7, 5.0), line(first, 9, 3.0)])
    assert (found.frames, found.correct, found.accuracy) == (20, 16, 0.8)
    assert found.fingerprints == (first.key, second.key)
    assert found.p95_us == 5.0


def test_an_error_of_the_board_is_a_problem_a_warning_is_none() -> None:
    of = task("a", 0)
    checks = [
        {"check": "xclk", "grade": "error", "text": "no clock"},
        {"check": "unmodelled", "grade": "warning", "text": "CAN1"},
    ]
    found = row_of(of.row, 10, [line(of) | {"board_checks": checks}])
    assert found.problems == ("xclk: no clock",)


def test_a_run_that_stopped_is_a_problem() -> None:
    of = task("a", 0)
    stopped = line(of) | {"stop_reason": "limit", "detail": "limit: 1 s without a result"}
    assert row_of(of.row, 10, [stopped]).problems == ("limit: 1 s without a result",)
