from __future__ import annotations

import pytest

from boardless.report.document import fingerprint
from boardless.running.classify import classify
from boardless.running.frame_stream import FrameResult
from boardless.running.jobs import (
    BLOCK,
    _blocks,
    _Dealer,
    _merged,
    classify_in_jobs,
    global_number,
)
from boardless_sim.engines.engine import StopReason
from boardless_sim.errors import EngineError, FrameError
from tests.unit.running.fake_engine import FakeEngine, FakeSetup, frames

LIMIT_US = 1_000_000.0


def test_two_workers_share_the_blocks_in_turn() -> None:
    numbers = [global_number(local, worker, 2) for worker in (0, 1) for local in range(2 * BLOCK)]
    assert sorted(numbers) == list(range(4 * BLOCK))
    assert global_number(0, 1, 2) == BLOCK
    assert global_number(BLOCK, 0, 2) == 2 * BLOCK


@pytest.mark.parametrize("count", [1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_frames_come_back_in_order_under_their_own_numbers(count: int) -> None:
    heard: list[FrameResult] = []
    report = classify_in_jobs(FakeSetup(), iter(frames(count)), 2, LIMIT_US, heard.append)
    assert [result.frame for result in report.results] == list(range(count))
    assert [result.class_index for result in report.results] == [n % 10 for n in range(count)]
    assert [result.name for result in report.results] == [f"t10k[{n}]" for n in range(count)]
    assert len(heard) == count
    assert report.engine == "fake"


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_the_fingerprint_does_not_depend_on_the_number_of_jobs(jobs: int) -> None:
    report = classify_in_jobs(FakeSetup(), frames(7 * BLOCK), jobs, LIMIT_US)
    assert fingerprint(report) == fingerprint(classify(FakeEngine(), frames(7 * BLOCK)))


def test_an_early_stop_ends_at_the_first_frame_without_a_result() -> None:
    report = classify_in_jobs(FakeSetup(stop_after=BLOCK + 2), frames(6 * BLOCK), 2, LIMIT_US)
    assert report.stop_reason is StopReason.LIMIT
    assert len(report.results) == global_number(BLOCK + 2, 0, 2)


def test_no_block_is_dealt_behind_a_frame_without_a_result() -> None:
    dealer = _Dealer(_blocks(iter(frames(5 * BLOCK))), 2)
    dealer.stop_before(2 * BLOCK + 5)
    dealt = [len(dealer.next_for(worker)) for worker in (0, 1, 0, 1, 0)]
    assert dealt == [BLOCK, BLOCK, BLOCK, 0, 0]


def test_the_first_board_to_stop_tells_why() -> None:
    late = classify(FakeEngine(stop_after=BLOCK + 1), frames(2 * BLOCK))
    early = classify(FakeEngine(stop_after=5, reason=StopReason.FAULT), frames(BLOCK))
    merged = _merged([late, early])
    assert merged.stop_reason is StopReason.FAULT
    assert len(merged.results) == BLOCK + 5


def test_no_more_workers_than_blocks() -> None:
    report = classify_in_jobs(FakeSetup(), frames(2), 60, LIMIT_US)
    assert len(report.results) == 2


def test_no_frame_is_an_error() -> None:
    with pytest.raises(FrameError, match=r"^no frames, expected at least one$"):
        classify_in_jobs(FakeSetup(), iter(()), 2, LIMIT_US)


def test_a_worker_s_error_is_the_run_s_error() -> None:
    with pytest.raises(EngineError, match=r"^no board today$"):
        classify_in_jobs(FakeSetup(error="no board today"), frames(3), 2, LIMIT_US)


def test_a_worker_that_dies_is_named_with_its_exit_code() -> None:
    message = r"^worker process 0 ended with exit code 7, expected a report$"
    with pytest.raises(EngineError, match=message):
        classify_in_jobs(FakeSetup(dies=True), frames(3), 2, LIMIT_US)
