from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator

import pytest

from boardless.running.classify import (
    UnreadableResult,
    classify,
    measure_stack,
    measure_stack_for,
    require_results,
)
from boardless.running.frame_stream import WINDOW, FrameResult
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import StopReason, UartLine
from boardless_sim.errors import FrameError, ResultError, StrictError
from tests.unit.running.fake_engine import FakeEngine, class_is_first_pixel, frames


def test_every_frame_gets_the_class_of_its_own_capture() -> None:
    report = classify(FakeEngine(), frames(25, wrong=frozenset({3, 24})))
    assert [result.class_index for result in report.results] == [n % 10 for n in range(25)]
    assert [result.frame for result in report.results if result.is_wrong] == [3, 24]
    assert (report.correct, report.accuracy) == (23, 23 / 25)
    assert report.stop_reason is StopReason.RESULT


def test_frames_are_read_a_window_ahead_and_no_further() -> None:
    read: list[int] = []
    ahead: list[int] = []

    def source() -> Iterator[Frame]:
        for number, frame in enumerate(frames(50)):
            read.append(number)
            yield frame

    def progress(result: FrameResult) -> None:
        ahead.append(len(read) - result.frame)

    engine = FakeEngine()
    classify(engine, source(), progress=progress)
    assert engine.most_ahead == WINDOW
    assert max(ahead) == WINDOW


def test_progress_hears_of_each_result_in_order() -> None:
    heard: list[FrameResult] = []
    report = classify(FakeEngine(), frames(12), progress=heard.append)
    assert tuple(heard) == report.results


def test_accuracy_is_unknown_without_labels() -> None:
    report = classify(FakeEngine(), frames(3, labels=False))
    assert (report.correct, report.accuracy) == (None, None)


def test_accuracy_is_unknown_where_one_label_is_missing() -> None:
    report = classify(FakeEngine(), [*frames(2), *frames(1, labels=False)])
    assert (report.correct, report.accuracy) == (None, None)


def test_a_limit_is_no_success_and_says_the_last_uart_line() -> None:
    report = classify(FakeEngine(stop_after=2), frames(5), limit_us=50_000)
    assert len(report.results) == 2
    assert report.stop_reason is StopReason.LIMIT
    assert not report.is_complete
    assert report.detail == (
        "limit: 50 ms of virtual time without a result, at 66.000 ms; last UART line: "
        "'r- frame=1 class=1 score=90 capture_us=20000 preprocess_us=1000 infer_us=9001 "
        "total_us=30001'"
    )


def test_a_fault_is_named_with_its_function() -> None:
    report = classify(FakeEngine(stop_after=1, reason=StopReason.FAULT), frames(3))
    assert report.stop_reason is StopReason.FAULT
    assert report.detail.startswith(
        "fault: HardFault at pc 0x08001234 in nn_run "
        "(CFSR 0x00008200, HFSR 0x40000000 address 0x20020000): "
        "data access where nothing answers (PRECISERR); last UART line: "
    )


def test_no_frame_is_an_error() -> None:
    with pytest.raises(FrameError, match=r"^no frames, expected at least one$"):
        classify(FakeEngine(), [])


def test_no_result_is_an_error() -> None:
    report = classify(FakeEngine(stop_after=0), frames(2), limit_us=1_000)
    message = (
        "the firmware gave no result, expected one a frame: limit: 1 ms of virtual time without a "
        "result, at 0.000 ms; last UART line: 'm- boardless ready'"
    )
    with pytest.raises(ResultError, match=f"^{re.escape(message)}$"):
        require_results(report)


def test_a_frame_counter_that_skips_is_an_error() -> None:
    def skips(number: int, frame: Frame) -> str:
        return class_is_first_pixel(number + (number > 1), frame)

    message = (
        r"^UART: frame counter 3, expected 2 \(it counts up by one\): 'r- frame=3 class=2 score=90"
    )
    with pytest.raises(ResultError, match=message):
        classify(FakeEngine(says=skips), frames(5))


def test_a_result_before_its_capture_is_an_error() -> None:
    class Early(FakeEngine):
        def captured(self) -> list[Frame]:
            return super().captured()[:-1]

    message = r"^UART: result of frame 0, expected at most 0 results for 0 completed captures$"
    with pytest.raises(ResultError, match=message):
        classify(Early(), frames(5))


def test_a_result_of_another_frame_is_an_error() -> None:
    class Repeats(FakeEngine):
        def captured(self) -> list[Frame]:
            return [self.done[0] for _ in self.done]

    message = r"^UART: result 1 belongs to t10k\[0\], expected t10k\[1\]$"
    with pytest.raises(ResultError, match=message):
        classify(Repeats(), frames(5))


def test_a_line_that_is_no_result_is_an_error() -> None:
    message = r"^UART: found 'r- frame=0 class=x', expected 'r- frame=N class=N score=N …'"
    with pytest.raises(ResultError, match=message):
        classify(FakeEngine(says=lambda _n, _f: "r- frame=0 class=x"), frames(1))


def test_error_lines_of_the_firmware_are_kept() -> None:
    def complains(number: int, frame: Frame) -> str:
        return "e- capture overrun code=-3\n" + class_is_first_pixel(number, frame)

    report = classify(FakeEngine(says=complains), frames(2))
    assert report.firmware_errors == ("e- capture overrun code=-3",) * 2


def test_the_stack_is_measured_on_a_whole_run_only() -> None:
    assert measure_stack(FakeEngine(), frames(3)).mark.used_bytes == 1024
    with pytest.raises(ResultError, match=r"^no whole run to measure the stack on: limit: "):
        measure_stack(FakeEngine(stop_after=1), frames(3))


def test_the_stack_of_a_firmware_that_prints_no_result_is_measured() -> None:
    found = measure_stack(FakeEngine(stop_after=0), frames(3))
    assert found.mark.used_bytes == 1024
    assert found.note.startswith("stack measured without a result: limit: ")
    timed = measure_stack_for(FakeEngine(stop_after=0), frames(3), 2_000)
    assert timed.mark.used_bytes == 1024
    assert timed.note.startswith("stack measured over ")


def test_a_result_that_cannot_be_hands_on_the_run_up_to_it() -> None:
    def skips(number: int, frame: Frame) -> str:
        return class_is_first_pixel(number + (number > 1), frame)

    with pytest.raises(UnreadableResult) as caught:
        classify(FakeEngine(says=skips), frames(4))
    handed_on = pickle.loads(pickle.dumps(caught.value))
    assert str(handed_on) == str(caught.value)
    assert handed_on.report.stop_reason is StopReason.UNREADABLE
    assert len(handed_on.report.results) == 2
    assert not handed_on.report.can_be_judged


class Strict(FakeEngine):
    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        raise StrictError("RNG_CR is not modelled (read)")


def test_strict_mode_ends_a_run_by_name() -> None:
    report = classify(Strict(), frames(1))
    assert (report.stop_reason, report.detail) == (
        StopReason.STRICT,
        "RNG_CR is not modelled (read)",
    )


@pytest.mark.parametrize("forgets", [False, True])
def test_only_who_says_so_loses_the_history(forgets: bool) -> None:
    """`Uart Should Not Contain` after `Classify Frames` is about every line since power-on."""
    kept: list[int] = []

    class Long(FakeEngine):
        def forget_history(self, keep: int) -> None:
            kept.append(keep)

    classify(Long(), frames(3), forgets=forgets)
    assert kept == ([1_000] * 3 if forgets else [])
