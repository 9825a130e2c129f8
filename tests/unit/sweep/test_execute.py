"""What is done is not run again; the stop rule spares what cannot change the verdict."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from boardless.sweep.execute import sweep
from boardless.sweep.plan import StopRule, SweepBudget
from boardless.sweep.store import RESULTS, SweepStore, open_store, read_rows
from boardless_sim.errors import BoardlessError
from tests.unit.sweep.lines import CHUNK, FakeWorkers, grid, line, plan, task


def test_every_row_is_run_and_kept(tmp_path: Path) -> None:
    tasks = [task(elf, start) for elf in "ab" for start in (0, CHUNK)]
    with open_store(tmp_path) as store:
        report = sweep(plan(), grid(*tasks), store, FakeWorkers())
    assert [(row.frames, row.correct) for row in report.rows] == [(20, 20), (20, 20)]
    assert (report.run, report.known, report.left_out) == (4, 0, 0)
    assert list(read_rows(tmp_path).values()) == list(report.rows)


def test_what_is_known_is_not_run_again(tmp_path: Path) -> None:
    tasks = [task("a", 0), task("a", CHUNK)]
    with open_store(tmp_path) as store:
        sweep(plan(), grid(tasks[0]), store, FakeWorkers())
    workers = FakeWorkers()
    with open_store(tmp_path) as store:
        report = sweep(plan(), grid(*tasks), store, workers)
    assert workers.ran == [tasks[1]]
    assert report.rows[0].frames == 2 * CHUNK
    assert (report.run, report.known) == (1, 1)


def test_equal_work_is_done_once_and_counts_in_both_rows(tmp_path: Path) -> None:
    tasks = [task("a", 0, "same bytes"), task("copy of a", 0, "same bytes")]
    workers = FakeWorkers()
    with open_store(tmp_path) as store:
        report = sweep(plan(), grid(*tasks), store, workers)
    assert len(workers.ran) == 1
    assert [dict(row.row)["elf"] for row in report.rows] == ["a", "copy of a"]
    assert [row.correct for row in report.rows] == [CHUNK, CHUNK]


def test_fail_fast_ends_at_the_first_row_that_cannot_pass(tmp_path: Path) -> None:
    tasks = [task("a", start * CHUNK) for start in range(10)]
    workers = FakeWorkers(lambda found: line(found, correct=CHUNK - 4))
    with open_store(tmp_path) as store:
        held = plan(SweepBudget(min_accuracy=0.9), StopRule(fail_fast=True))
        report = sweep(held, grid(*tasks), store, workers)
    # 90 of 100 needed: after 2 chunks 92 can still be right, after 3 only 88.
    assert len(workers.ran) == 3
    assert report.left_out == 7
    assert report.failing == report.rows


def test_a_row_that_is_known_well_enough_gets_no_more_frames(tmp_path: Path) -> None:
    tasks = [task(elf, start * CHUNK) for elf in "ab" for start in range(40)]
    # b is always right, and known sooner than a, which is right in one of two.
    workers = FakeWorkers(
        lambda found: line(found, correct=CHUNK if dict(found.row)["elf"] == "b" else CHUNK // 2)
    )
    with open_store(tmp_path) as store:
        report = sweep(plan(stop=StopRule(confidence=0.05)), grid(*tasks), store, workers)
    a, b = report.rows
    # 1.96² / (4 · 0.05²) - 1.96² = 380.3 frames at one half.
    assert a.frames == 390
    assert b.frames < 100
    assert b.is_known_within(0.05)
    assert report.left_out == len(tasks) - len(workers.ran)


def test_a_latency_over_the_budget_fails(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        held = plan(SweepBudget(max_latency_ms=8.5))
        report = sweep(held, grid(task("a", 0)), store, FakeWorkers())
    assert report.rows[0].failures(report.budget) == ["latency 9.000 ms (95 %), most 8.5"]


def test_a_row_without_labels_does_not_pass_a_budget_on_accuracy(tmp_path: Path) -> None:
    workers = FakeWorkers(lambda found: line(found) | {"correct": None})
    with open_store(tmp_path) as store:
        report = sweep(plan(SweepBudget(min_accuracy=0)), grid(task("a", 0)), store, workers)
    assert report.rows[0].failures(report.budget) == ["accuracy unknown: no labels, or no results"]


def test_a_problem_is_a_failure_and_is_tried_again(tmp_path: Path) -> None:
    bad = task("a", 0)
    problem = {"schema": 1, "key": bad.key, "row": dict(bad.row), "start": 0, "count": CHUNK}
    with open_store(tmp_path) as store:
        workers = FakeWorkers(lambda found: problem | {"problem": "no such engine"})
        report = sweep(plan(), grid(bad), store, workers)
    assert report.rows[0].failures(report.budget) == ["no such engine"]
    with open_store(tmp_path) as store:
        report = sweep(plan(), grid(bad), store, FakeWorkers())
    assert (report.run, report.known) == (1, 0)
    assert report.rows[0].failures(report.budget) == []


def test_half_a_line_is_run_again(tmp_path: Path) -> None:
    tasks = [task("a", 0), task("a", CHUNK)]
    with open_store(tmp_path) as store:
        sweep(plan(), grid(*tasks), store, FakeWorkers())
    path = tmp_path / RESULTS
    raw = path.read_bytes()
    path.write_bytes(raw[:-20])
    workers = FakeWorkers()
    with open_store(tmp_path) as store:
        sweep(plan(), grid(*tasks), store, workers)
    assert workers.ran == [tasks[1]]
    assert path.read_bytes() == raw


def test_another_sweep_in_the_folder_is_refused(tmp_path: Path) -> None:
    with (
        open_store(tmp_path),
        pytest.raises(BoardlessError, match="another sweep is running"),
        open_store(tmp_path),
    ):
        pass


@pytest.mark.parametrize("raw", [b"{}\n", b"nonsense\n", b"[" * 100_000 + b"\n", b"\xff\n"])
def test_a_file_of_somebody_else_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / RESULTS).write_bytes(raw)
    with pytest.raises(BoardlessError, match=f"{RESULTS}: line 1 is no"), open_store(tmp_path):
        pass
    assert (tmp_path / RESULTS).read_bytes() == raw


def test_a_full_disk_ends_it_with_its_name() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with (
        closing(os.fdopen(full, "wb")),
        pytest.raises(BoardlessError, match="No space left"),
    ):
        SweepStore(Path("/dev"), full, {}).add(line(task("a", 0)))
