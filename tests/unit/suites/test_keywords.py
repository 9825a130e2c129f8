from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from Boardless import Boardless
from boardless.running.session import BoardSetup
from boardless.suites.keywords.area import Size
from boardless.suites.keywords.arguments import Number
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import StopReason
from boardless_sim.errors import EngineError, FrameError
from tests.unit.running.fake_engine import FakeEngine, class_is_first_pixel, frames

LIMIT = timedelta(milliseconds=50)
ELF = Path("app.elf")

PowerOn = Callable[[FakeEngine], Boardless]


@pytest.fixture
def power_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[PowerOn]:
    """The library, with a fake engine behind its board."""
    boards: list[Boardless] = []

    def install(engine: FakeEngine) -> Boardless:
        monkeypatch.setattr(BoardSetup, "power_on", lambda _setup, _image=None: engine)
        board = Boardless()
        board.power_on_board(ELF)
        boards.append(board)
        return board

    yield install
    for board in boards:
        board.power_off_board()


def shown(board: Boardless, *found: Frame) -> Boardless:
    for frame in found or frames(1):
        board.rig.show(frame)
    return board


def fails(call: Callable[[], object], message: str) -> None:
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}$"):
        call()


def test_a_result_is_returned_and_checked(power_on: PowerOn) -> None:
    board = shown(power_on(FakeEngine()), *frames(3)[2:])
    assert board.run_until_result(LIMIT) == {
        "frame": 0,
        "name": "t10k[2]",
        "label": 2,
        "class": 2,
        "score": 90,
        "line": "r- frame=0 class=2 score=90 capture_us=20000 preprocess_us=1000 infer_us=9000 "
        "total_us=30000",
        "capture_us": 20000,
        "preprocess_us": 1000,
        "infer_us": 9000,
        "total_us": 30000,
    }
    assert board.get_result_class() == 2
    board.result_class_should_be(2)
    board.result_score_should_be_at_least(Number(90))
    board.result_time_should_be_at_most("infer", timedelta(microseconds=9000))
    board.stop_reason_should_be("result")


def test_a_failed_check_gives_both_values(power_on: PowerOn) -> None:
    board = shown(power_on(FakeEngine()))
    board.run_until_result(LIMIT)
    fails(
        lambda: board.result_class_should_be(7),
        "frame t10k[0]: class is 0, expected 7 (score 90)",
    )
    fails(
        lambda: board.result_score_should_be_at_least(Number(91)),
        "frame t10k[0]: score is 90, expected at least 91",
    )
    fails(
        lambda: board.result_time_should_be_at_most("total", timedelta(milliseconds=30.5) / 2),
        "frame t10k[0]: total is 30.000 ms, expected at most 15.250 ms (fake cycles, ±15 %)",
    )
    fails(
        lambda: board.result_time_should_be_at_most("sleep", LIMIT),
        "frame t10k[0]: no time of sleep, found: capture, preprocess, infer, total",
    )
    fails(lambda: board.stop_reason_should_be("halt"), "stop reason is result, expected halt")
    fails(
        lambda: board.stop_reason_should_be("bored"),
        "found 'bored', expected one of: result, limit, fault, halt, exit, stack, unreadable, "
        "strict, reset loop, console flood, host time",
    )


def test_no_result_says_which_frame_and_why(power_on: PowerOn) -> None:
    board = shown(power_on(FakeEngine(stop_after=0)))
    fails(
        lambda: board.run_until_result(LIMIT),
        "no result for frame t10k[0]: limit: 50 ms of virtual time without a result, at 0.000 ms; "
        "last UART line 'm- boardless ready'",
    )
    fails(board.get_result_class, "no result yet, expected one: Run Until Result first")


def test_a_fault_ends_the_wait(power_on: PowerOn) -> None:
    board = shown(power_on(FakeEngine(stop_after=0, reason=StopReason.FAULT)))
    fails(
        lambda: board.run_until_result(LIMIT),
        "no result for frame t10k[0]: fault: HardFault at pc 0x08001234 in nn_run (CFSR "
        "0x00008200, HFSR 0x40000000 address 0x20020000): data access where "
        "nothing answers (PRECISERR); "
        "last UART line 'm- boardless ready'",
    )
    board.board_should_have_faulted("HardFault")
    fault = (
        "fault is HardFault at pc 0x08001234 in nn_run (CFSR 0x00008200, HFSR 0x40000000 "
        "address 0x20020000): data access where nothing answers (PRECISERR)"
    )
    fails(lambda: board.board_should_have_faulted("UsageFault"), f"{fault}, expected UsageFault")
    fails(board.board_should_not_have_faulted, f"{fault}, expected none")


def test_no_fault_is_told_too(power_on: PowerOn) -> None:
    board = power_on(FakeEngine())
    board.board_should_not_have_faulted()
    fails(board.board_should_have_faulted, "no fault, expected a fault")


def test_a_new_answer_to_an_old_frame_is_passed_over(power_on: PowerOn) -> None:
    class Repeats(FakeEngine):
        """Captures the first frame once more before it moves on."""

        def show(self, frame: Frame) -> int:
            self.shown.append(frame)
            if len(self.shown) == 1:
                self.shown.append(frame)
            return len(self.shown) - 1

    board = shown(power_on(Repeats()), *frames(1))
    assert board.run_until_result(LIMIT)["frame"] == 0
    shown(board, *frames(6)[5:])
    assert board.run_until_result(LIMIT)["name"] == "t10k[5]"


def test_many_results_are_judged_together(
    power_on: PowerOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boardless.suites.keywords import results

    monkeypatch.setattr(
        results, "open_frames", lambda *_a, **_n: iter(frames(4, wrong=frozenset({1})))
    )
    board = power_on(FakeEngine())
    assert board.classify_frames("t10k") == 0.75
    board.accuracy_should_be_at_least(Number(0.75))
    fails(
        lambda: board.accuracy_should_be_at_least(Number(0.8)),
        "accuracy is 0.7500 (3 of 4 frames), expected at least 0.8",
    )
    basis = "(fake cycles, ±15 %)"
    fails(
        lambda: board.mean_time_should_be_at_most("total", LIMIT / 2),
        f"mean of total is 30.002 ms, expected at most 25.000 ms {basis}",
    )
    fails(
        lambda: board.p95_time_should_be_at_most("infer", timedelta(milliseconds=9)),
        f"95th percentile of infer is 9.003 ms, expected at most 9.000 ms {basis}",
    )
    board.frame_rate_should_be_at_least(Number(30))
    fails(
        lambda: board.frame_rate_should_be_at_least(Number(31)),
        f"frame rate is 30.303 a second, expected at least 31 {basis}",
    )
    fails(
        lambda: board.mean_time_should_be_at_most("sleep", LIMIT), "no result has a time of sleep"
    )


def test_an_early_stop_of_many_frames_fails(
    power_on: PowerOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boardless.suites.keywords import results

    monkeypatch.setattr(results, "open_frames", lambda *_a, **_n: iter(frames(4)))
    board = power_on(FakeEngine(stop_after=2))
    with pytest.raises(AssertionError, match=r"^stopped after 2 frames by limit: 1000 ms of "):
        board.classify_frames("t10k")


def test_accuracy_needs_labels(power_on: PowerOn) -> None:
    board = shown(power_on(FakeEngine()), *frames(1, labels=False))
    board.run_until_result(LIMIT)
    fails(lambda: board.accuracy_should_be_at_least(Number(0.1)), "1 of 1 frames have no label")
    fails(
        lambda: board.frame_rate_should_be_at_least(Number(1)),
        "fewer than two results, expected some to tell a frame rate",
    )


def test_the_uart_is_searched_line_by_line(power_on: PowerOn) -> None:
    board = power_on(FakeEngine())
    board.uart_should_contain("m- boardless")
    board.uart_should_not_contain("e- ")
    assert board.get_uart_text() == "m- boardless ready"
    fails(
        lambda: board.uart_should_contain("e- "),
        "no UART line contains 'e- ': 1 lines, the last one is 'm- boardless ready'",
    )
    fails(
        lambda: board.uart_should_not_contain("ready"),
        "UART line 'm- boardless ready' contains 'ready'",
    )


def test_a_line_is_waited_for_by_pattern(power_on: PowerOn) -> None:
    def complains(number: int, frame: Frame) -> str:
        return "e- capture overrun code=-2\n" + class_is_first_pixel(number, frame)

    board = shown(power_on(FakeEngine(says=complains)))
    assert board.run_until_uart_line(r"code=-\d$", LIMIT) == "e- capture overrun code=-2"
    fails(
        lambda: board.run_until_uart_line("m- never", LIMIT),
        "no UART line matches 'm- never': limit: 50 ms of virtual time without a result, at "
        "33.000 ms; last UART line 'e- capture overrun code=-2'",
    )
    fails(
        lambda: board.run_until_uart_line("(", LIMIT),
        "found '(', expected a regular expression (missing ), unterminated subpattern at "
        "position 0)",
    )


def test_text_goes_to_the_port(power_on: PowerOn) -> None:
    engine = FakeEngine()
    power_on(engine).send_to_uart("status\n")
    assert engine.sent == [("USART2", b"status\n")]


def test_stack_and_time_keep_their_limits(power_on: PowerOn) -> None:
    board = power_on(FakeEngine())
    board.stack_should_be_at_most(Size(1024))
    fails(
        lambda: board.stack_should_be_at_most(Size(1023)),
        "stack reached 1024 bytes in nn_run, expected at most 1023",
    )
    shown(board)
    board.run_until_result(LIMIT)
    assert board.get_virtual_time() == timedelta(milliseconds=33)
    fails(
        lambda: board.virtual_time_should_be_at_most(timedelta(milliseconds=32)),
        "virtual time is 33.000 ms, expected at most 32.000 ms (fake cycles, ±15 %)",
    )
    board.virtual_time_should_be_at_least(timedelta(milliseconds=33))
    fails(
        lambda: board.virtual_time_should_be_at_least(timedelta(milliseconds=34)),
        "virtual time is 33.000 ms, expected at least 34.000 ms (fake cycles, ±15 %)",
    )


def test_camera_faults_need_an_engine_that_has_a_camera(power_on: PowerOn) -> None:
    board = power_on(FakeEngine())
    message = r"^engine fake: no camera faults, expected one that offers it$"
    with pytest.raises(EngineError, match=message):
        board.stop_camera_clock()


def test_without_a_board_every_check_says_so() -> None:
    message = r"^no board is powered, expected one: power it on first$"
    with pytest.raises(EngineError, match=message):
        Boardless().uart_should_contain("m-")
    with pytest.raises(EngineError, match=message):
        Boardless().read_symbol("input")


def test_a_frame_is_chosen_by_index(power_on: PowerOn) -> None:
    board = power_on(FakeEngine())
    assert board.show_frame("pattern:bars", 0, 3).startswith("pattern:bars")
    with pytest.raises(FrameError, match=r"^pattern:bars: found index -1, expected 0 or more$"):
        board.show_frame("pattern:bars", -1)


@pytest.mark.parametrize(
    ("text", "size"),
    [("8192", 8192), ("16 B", 16), ("8 KiB", 8192), ("8KiB", 8192), ("1 MiB", 1 << 20)],
)
def test_sizes_have_binary_units(text: str, size: int) -> None:
    assert Size.from_text(text) == size


@pytest.mark.parametrize("text", ["", "8 KB", "-1", "1.5 KiB", "many"])
def test_another_size_is_refused(text: str) -> None:
    message = f"found {text!r}, expected a size such as 8192, 8 KiB or 1 MiB"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Size.from_text(text)
