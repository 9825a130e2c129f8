"""A result over several lines, as many firmwares print it, without a number of its frame."""

from __future__ import annotations

import pytest

from boardless.running.classify import RunReport, classify
from boardless_sim.camera.frame import Frame
from boardless_sim.contract import Contract
from boardless_sim.engines.engine import StopReason
from boardless_sim.errors import ResultError
from boardless_sim.result import ResultPattern
from tests.unit.running.fake_engine import FakeEngine, frames

CONTRACT = Contract(
    port="USART2",
    result=ResultPattern.from_texts(
        (r"score: (?P<score>\d+) %", r"(?P<infer_ms>\d+) ms", r"class: (?P<class>\w+)")
    ),
    classes=("cat", "dog"),
)


def said(number: int, frame: Frame) -> str:
    name = CONTRACT.classes[int(frame.luma[0, 0])]
    return f"frame taken\nscore: {90 + number} %\n{10 + number} ms\nclass: {name}"


def classified(engine: FakeEngine, count: int = 2) -> RunReport:
    engine.contract = CONTRACT
    return classify(engine, frames(count))


def test_the_lines_of_a_frame_are_one_result() -> None:
    report = classified(FakeEngine(said))
    assert report.stop_reason is StopReason.RESULT
    assert [(r.class_index, r.score, r.times_us) for r in report.results] == [
        (0, 90, {"infer": 10_000.0}),
        (1, 91, {"infer": 11_000.0}),
    ]


def test_a_line_of_the_frame_before_is_not_taken() -> None:
    engine = FakeEngine(lambda n, f: said(n, f) if n == 0 else "score: 91 %\nclass: dog")
    message = r"^UART: found 'class: dog' after 1 other lines, expected '\(\?P<infer_ms>"
    with pytest.raises(ResultError, match=message):
        classified(engine)


def test_lines_of_another_port_are_not_its() -> None:
    assert CONTRACT.is_result("USART2", "class: dog")
    assert not CONTRACT.is_result("USART3", "class: dog")
    assert Contract(port="rtt").is_result("rtt0", "r- frame=0 class=1 score=2")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("score (?P<score>.)",), r"^a group \(\?P<class>…\)$"),
        (("(?P<class>.)", "(?P<class>.)"), "^each group once, not class in two lines$"),
        (("(?P<class>.)", "("), "^a regular expression"),
    ],
)
def test_patterns_that_make_no_sense(texts: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResultPattern.from_texts(texts)
