"""The page of a run: complete, harmless, small, whatever the frames are called."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from boardless.report.run_figures import confusion, histogram, wilson
from boardless.report.run_html import MOST_PICTURES, RunPage, run_html
from boardless.running.classify import RunReport
from boardless.running.frame_stream import FrameResult
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import StopReason
from boardless_sim.timing_basis import ESTIMATED_CYCLES


def result(number: int, label: int | None, class_index: int, name: str = "") -> FrameResult:
    return FrameResult(
        frame=number,
        name=name or f"t10k[{number}]",
        label=label,
        class_index=class_index,
        score=90,
        times_us={"infer": 16_000.0 + number % 7, "total": 16_500.0 + number % 7},
        line="",
        sent_us=33_000.0 * (number + 1),
    )


def report(*results: FrameResult) -> RunReport:
    return RunReport("native", ESTIMATED_CYCLES, results, StopReason.RESULT)


def page_of(*results: FrameResult, failures: tuple[str, ...] = ()) -> str:
    pictures = {one.frame: Frame("", np.zeros((28, 28), np.uint8)) for one in results}
    return run_html(RunPage(report(*results), (), failures, ("cat", "dog"), pictures))


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (926, 1000, 0.9081, 0.9407),
    ],
)
def test_the_interval_of_wilson(right: int, count: int, low: float, high: float) -> None:
    """Figures as R gives them: prop.test(right, count, correct=FALSE)."""
    found = wilson(right, count)
    assert found.share == right / count
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_precision_and_recall_of_every_class() -> None:
    found = confusion([result(0, 0, 0), result(1, 0, 1), result(2, 1, 1), result(3, None, 1)])
    cat, dog = found.rows()
    assert (cat.frames, cat.found, cat.recall, cat.precision) == (2, 1, 0.5, 1.0)
    assert (dog.frames, dog.taken, dog.recall, dog.precision) == (1, 2, 1.0, 0.5)


def test_a_histogram_counts_every_time() -> None:
    found = histogram([1.0, 2.0, 2.0, 11.0], bins=10)
    assert found.counts == (1, 2, 0, 0, 0, 0, 0, 0, 0, 1)
    assert histogram([5.0, 5.0]).counts == (2,)


def test_the_page_says_it_all() -> None:
    text = page_of(result(0, 0, 0), result(1, 1, 0), failures=("accuracy 0.5, expected 0.9",))
    for said in (
        '<h1 class="fail">FAILED: 1 of 2 frames right</h1>',
        "accuracy 0.5, expected 0.9",
        "50.00 % (95 %: 9.45 % to 90.55 %)",
        "<b>cat, truth dog</b>",
        "p99",
        "Board checks",
        "fingerprint",
        "±15 %",
    ):
        assert said in text, said
    assert text.count("data:image/png;base64,") == 1


def test_without_labels_there_is_no_accuracy() -> None:
    text = page_of(result(0, None, 0))
    assert '<h1 class="pass">passed: 1 frames</h1>' in text
    assert "accuracy" not in text
    assert "Confusion" not in text


def test_nothing_is_loaded_and_no_name_is_markup() -> None:
    hostile = '<script>alert(1)</script>\x1b[2J" onerror=x'
    text = page_of(result(0, 0, 1, hostile), failures=(hostile,))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "default-src 'none'" in text
    assert not re.search(r'(?:src|href)="(?!data:)', text)


def test_ten_thousand_frames_are_a_small_page() -> None:
    """Every result is a frame of its own in no table: only the wrong ones are, up to a bound."""
    many = [result(number, number % 10, number * 7 % 10) for number in range(10_000)]
    text = page_of(*many)
    assert len(text) < 2_000_000
    assert text.count("<figure>") == MOST_PICTURES
    assert f"The first {MOST_PICTURES:,} are shown" in text


def test_a_large_frame_is_shown_as_the_camera_has_it() -> None:
    wrong = result(0, 0, 1)
    large = Frame("", np.zeros((480, 640), np.uint8))
    text = run_html(RunPage(report(wrong), (), (), (), {0: large}))
    assert len(text) < 20_000
    assert "data:image/png" in text


def test_one_time_for_all_is_a_line_and_no_histogram() -> None:
    text = page_of(result(0, 0, 0), result(7, 0, 0))
    assert "<p>total: 16.500 ms, always.</p>" in text
    assert "<svg" not in text
    assert "<svg" in page_of(result(0, 0, 0), result(1, 0, 0))


def test_a_stopped_run_says_why() -> None:
    stopped = replace(report(), stop_reason=StopReason.FAULT, detail="fault: <HardFault>")
    text = run_html(RunPage(stopped, (), ("fault after 0 frames",)))
    assert "fault: &lt;HardFault&gt;" in text
