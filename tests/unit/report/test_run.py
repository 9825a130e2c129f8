from __future__ import annotations

from boardless.report.console import WIDTH, console
from boardless.report.run import FIRST_ROWS, WRONG_ROWS, run_table, shown_rows
from boardless.running.classify import RunReport, classify
from boardless.running.frame_stream import FrameResult
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Capture, StopReason
from boardless_sim.timing_basis import TimingBasis
from tests.unit.running.fake_engine import FakeEngine, class_is_first_pixel, frames


def text_of(report: RunReport) -> list[str]:
    screen = console()
    with screen.capture() as captured:
        screen.print(run_table(report))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_short_run_is_shown_whole() -> None:
    report = classify(FakeEngine(), frames(2, wrong=frozenset({1})))
    assert text_of(report) == [
        "                                     capture  preprocess  infer   total",
        "frame  name     truth  class  score       ms          ms     ms      ms",
        "    0  t10k[0]      0      0     90   20.000       1.000  9.000  30.000",
        "    1  t10k[1]      2      1     90   20.000       1.000  9.001  30.001  wrong",
        "",
        "latency, ms    mean    50 %    95 %  longest",
        "capture      20.000  20.000  20.000   20.000",
        "preprocess    1.000   1.000   1.000    1.000",
        "infer         9.001   9.000   9.001    9.001",
        "total        30.000  30.000  30.001   30.001",
        "",
        "accuracy   50.00 % (1 of 2 frames)",
        "frame rate 30.303 a second, the camera's frames lost: not known to this engine",
        "time       basis: fake cycles, ±15 %",
        "stopped    result",
        "checks     not checked: engine fake looks for none",
    ]


def test_a_stage_that_some_frames_do_not_name_says_how_many_do() -> None:
    report = classify(
        FakeEngine(
            says=lambda n, _f: f"r- frame={n} class=1 score=2" + (" total_us=7000" if n else "")
        ),
        frames(3),
    )
    assert "total        7.000  7.000  7.000    7.000  2 frames say it" in text_of(report)


def test_frames_that_the_camera_lost_are_told() -> None:
    results = tuple(
        FrameResult(n, "f", None, 1, 2, {}, "", 40_000.0 * n + 9, Capture(7 + 2 * n, 40_000.0 * n))
        for n in range(3)
    )
    report = RunReport("fake", TimingBasis("cycles"), results, StopReason.RESULT)
    assert "frame rate 25.000 a second, the camera's frames lost: 2" in text_of(report)


def test_a_long_run_shows_the_first_rows_and_the_wrong_ones_up_to_a_bound() -> None:
    wrong = frozenset(range(100, 150))
    report = classify(FakeEngine(), frames(200, wrong=wrong))
    shown = [result.frame for result in shown_rows(report.results)]
    assert shown == [*range(FIRST_ROWS), *range(100, 100 + WRONG_ROWS)]
    assert "… 150 more frames not shown, 20 of them wrong" in text_of(report)


def test_every_line_keeps_to_the_width() -> None:
    def says(number: int, frame: Frame) -> str:
        line = class_is_first_pixel(number, frame).replace("=20000", "=20000000")
        return f"e- {'x' * 150} code=-1\n{line}"

    frame = frames(1)[0]
    long = Frame("/data/" + "folder/" * 20 + "shoe.png", frame.luma, 1)
    lines = text_of(classify(FakeEngine(says=says), [long]))
    assert max(len(line) for line in lines) <= WIDTH
    assert lines[2].split()[1:3] == ["/data/fol…r/shoe.png", "1"]
    assert lines[2].endswith("  wrong")


def test_a_run_without_labels_or_times_says_so() -> None:
    report = classify(
        FakeEngine(says=lambda n, _f: f"r- frame={n} class=1 score=2"), frames(1, labels=False)
    )
    lines = text_of(report)
    assert lines[2].split() == ["0", "t10k[0]", "-", "1", "2", "-", "-", "-", "-"]
    assert lines[4:] == [
        "accuracy   unknown: 1 frames without labels",
        "frame rate unknown: fewer than two frames, or several boards",
        "time       basis: fake cycles, ±15 %",
        "stopped    result",
        "checks     not checked: engine fake looks for none",
    ]


def test_an_early_stop_and_the_firmware_s_errors_are_shown() -> None:
    errors = tuple(f"e- capture overrun code={n}" for n in range(7))
    report = RunReport("fake", TimingBasis("cycles"), (), StopReason.LIMIT, "limit: 1 ms", errors)
    lines = text_of(report)
    assert lines[-2] == "stopped    limit: 1 ms"
    assert lines[-3] == "firmware   … and 2 more error lines"
    assert lines[-4] == "firmware   e- capture overrun code=4"
