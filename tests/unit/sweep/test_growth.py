"""Deals of tasks whose result is known by hand."""

from __future__ import annotations

import pytest
from tools.sweep_growth import Link, grow

FREE = Link(task_s=0.0, start_s=0.0, bytes_per_s=1e9, task_bytes=0)


def test_equal_tasks_on_as_many_workers_take_one_task_s_time() -> None:
    found = grow([2.0] * 8, 8, FREE)
    assert (found.wall_s, found.speed, found.efficiency) == (2.0, 8.0, 1.0)


def test_a_task_more_than_workers_is_a_second_round() -> None:
    assert grow([2.0] * 9, 8, FREE).wall_s == 4.0


def test_the_scheduler_binds_where_tasks_are_short() -> None:
    found = grow([0.01] * 1000, 100, Link(0.001, 0.0, 1e9, 0))
    assert found.wall_s == pytest.approx(1.01)
    assert found.binds == "the scheduler"


def test_the_line_binds_where_frames_are_large() -> None:
    found = grow([0.1] * 100, 100, Link(0.0, 0.0, 1e6, 1_000_000))
    assert found.wall_s == pytest.approx(100.1)
    assert found.binds == "the client's line"


def test_a_long_task_cannot_be_split() -> None:
    found = grow([10.0, *[0.1] * 10], 1024, Link(0.0, 2.0, 1e9, 0))
    assert found.wall_s == pytest.approx(12.0)
    assert found.binds == "the longest task and the start"
