"""What each fault makes of the lines, and where it is refused."""

from __future__ import annotations

import pytest

from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.errors import FaultError
from boardless_sim.faults.catalog import SENSOR_FAULTS, make_board_fault, make_sensor_fault
from boardless_sim.faults.lines import (
    FrozenFrame,
    LongLine,
    RepeatedLine,
    ShortLine,
    StuckDataLine,
    SwappedBytes,
    TestPatternLeftOn,
    TornFrame,
)
from boardless_sim.faults.sensor import DroppedLine, Lines, SensorFault
from boardless_sim.faults.span import Span, Timed
from boardless_sim.faults.wires import (
    FrameJitter,
    InvertedHref,
    InvertedPclk,
    InvertedVsync,
    RateDrift,
)

FRAME: Lines = [b"abcd", b"efgh", None, b"ijkl"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (RepeatedLine(0), [b"abcd", b"abcd", b"efgh", None]),
        (ShortLine(1, 3), [b"abcd", b"efg", None, b"ijkl"]),
        (LongLine(3, 2), [b"abcd", b"efgh", None, b"\0\0ijkl"]),
        (SwappedBytes(), [b"badc", b"fehg", None, b"jilk"]),
        (StuckDataLine(0), [b"`bbd", b"dffh", None, b"hjjl"]),
        (StuckDataLine(7, high=True), [b"\xe1\xe2\xe3\xe4", b"\xe5\xe6\xe7\xe8", None,
                                       b"\xe9\xea\xeb\xec"]),
        (TestPatternLeftOn(), [b"\xff\x80\x6e\x80"] * 2 + [None, b"\xff\x80\x6e\x80"]),
    ],
)  # fmt: skip
def test_lines(fault: SensorFault, expected: Lines) -> None:
    assert fault.lines(0, FRAME) == expected


def test_a_torn_frame_ends_with_the_one_before() -> None:
    fault = TornFrame(1)
    assert fault.lines(0, FRAME) == FRAME
    fault.passes(FRAME)
    after: Lines = [b"1", b"2", b"3", b"4"]
    assert fault.lines(1, after) == [b"1", b"efgh", None, b"ijkl"]


def test_a_frozen_frame_is_the_one_at_which_it_began() -> None:
    fault = FrozenFrame()
    assert fault.lines(5, FRAME) == FRAME
    assert fault.lines(6, [b"1", b"2", b"3", b"4"]) == FRAME


@pytest.mark.parametrize("fault", [RepeatedLine(4), ShortLine(9, 1), LongLine(4, 1)])
def test_a_row_that_the_frame_does_not_have(fault: SensorFault) -> None:
    with pytest.raises(FaultError, match="expected one of the 4 lines of the frame"):
        fault.lines(0, FRAME)


def test_pins() -> None:
    pins = ParallelPins()
    assert InvertedVsync().pins(pins).vsync_low
    assert not InvertedHref().pins(pins).href_valid_high
    assert not InvertedPclk().pins(pins).data_on_rising


def test_times() -> None:
    assert RateDrift(0.25).frame_ns(0, 1000) == 1250
    jitter = [FrameJitter(0.1, seed=3).frame_ns(number, 10_000) for number in range(50)]
    assert jitter == [FrameJitter(0.1, seed=3).frame_ns(number, 10_000) for number in range(50)]
    assert min(jitter) >= 9000
    assert max(jitter) <= 11_000
    assert len(set(jitter)) > 40


@pytest.mark.parametrize(
    ("frame", "time_us", "there"),
    [(4, 0, False), (5, 0, False), (5, 10, True), (6, 19.9, True), (7, 15, False), (6, 20, False)],
)
def test_a_span_has_a_beginning_and_an_end(frame: int, time_us: float, there: bool) -> None:
    fault = Timed(DroppedLine(0), Span(first_frame=5, frames=2, at_us=10, for_us=10))
    assert fault.applies(frame, time_us) is there


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("plaid", {}, "fault 'plaid', expected one of: dead sensor, dropped line"),
        ("short line", {"row": "3"}, "short line: found no size, expected row, size"),
        ("short line", {"row": "3", "size": "1", "x": "1"}, "found value 'x', expected row, size"),
        ("short line", {"row": "three", "size": "1"}, "row: found 'three', expected <class 'int'>"),
        ("stuck data line", {"bit": "8"}, "found bit 8, expected 0 to 7"),
        ("rate drift", {"share": "nan"}, "found nan, expected -0.5 to 10"),
        ("frame jitter", {"share": "0"}, "found 0.0, expected 0 to 0.5"),
        ("forgetful register", {"address": "0x100"}, "found 0x100, expected 0 to 0xff"),
        ("torn frame", {"row": "-1"}, "found row -1, expected 0 or more"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_made(
    name: str, values: dict[str, str], found: str
) -> None:
    with pytest.raises(FaultError) as caught:
        make_sensor_fault(name, values)
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("dma stall", {"for_us": "0"}),
        ("uart noise", {"port": "USART2", "chance": "1.5", "for_us": "1"}),
        ("memory bit flip", {"address": "0x20000000", "bit": "8"}),
        ("chip reset", {"cause": "fate"}),
        ("lost interrupt", {"irq": "999", "for_us": "1"}),
    ],
)
def test_the_same_for_the_board(name: str, values: dict[str, str]) -> None:
    with pytest.raises(FaultError, match="expected"):
        make_board_fault(name, values)


@pytest.mark.parametrize("span", [{"first_frame": -1}, {"frames": 0}, {"for_us": float("nan")}])
def test_a_span_that_is_none(span: dict[str, float]) -> None:
    with pytest.raises(FaultError, match="span"):
        Span(**span)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", SENSOR_FAULTS.values())
def test_each_says_how_it_can_be_told_or_why_not(kind: type[SensorFault]) -> None:
    assert kind.reason
