"""Numbers, sizes and durations of keywords are finite and in their range."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest

from boardless.suites.keywords.arguments import (
    CONVERTERS,
    Number,
    duration,
    in_range,
    microseconds,
    strict_arguments,
    whole,
)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", float("nan")])
def test_what_cannot_be_compared_is_no_number(text: str | float) -> None:
    with pytest.raises(ValueError, match="expected a number that can be compared$"):
        Number.from_text(text)


def test_what_is_no_number_is_said_shortly() -> None:
    with pytest.raises(ValueError, match=r"^found '9{60}', expected a number$|compared$"):
        Number.from_text("9" * 5000)
    with pytest.raises(ValueError, match=r"^found 'many', expected a number$"):
        Number.from_text("many")
    assert Number.from_text("0.9") == 0.9


@pytest.mark.parametrize("days", [-1, 8])
def test_a_time_that_cannot_pass_is_refused(days: int) -> None:
    with pytest.raises(AssertionError, match="expected 0 to 7 days$"):
        microseconds(timedelta(days=days))


def test_a_number_outside_its_range_is_refused() -> None:
    assert in_range("rows", 60, 0, 4096) == 60
    with pytest.raises(AssertionError, match="^found rows -5, expected 0 to 4096$"):
        in_range("rows", -5, 0, 4096)


@pytest.mark.parametrize("text", ["inf", "nan", "1e999", "9" * 5000, "", "soon"])
def test_a_time_that_is_none_is_said_shortly(text: str) -> None:
    with pytest.raises(ValueError, match=r"^found '.{0,60}', expected a time such as 20 ms"):
        duration(text)


def test_times_and_whole_numbers_are_read_as_robot_reads_them() -> None:
    assert duration("1.5 s") == timedelta(seconds=1.5)
    assert duration(2) == timedelta(seconds=2)
    assert [whole(text) for text in ("7", "-7", "0x2A", "0b101", "3.0", 3.0)] == [
        7,
        -7,
        42,
        5,
        3,
        3,
    ]


@pytest.mark.parametrize("text", ["9" * 5000, "1.5", "1e3", "nan", "", "0b2", "\u0663"])
def test_what_is_no_whole_number_is_said_shortly(text: str) -> None:
    with pytest.raises(ValueError, match=r"^found '.{0,60}', expected a whole number$"):
        whole(text)


def test_robot_has_no_second_reading_of_a_refused_argument() -> None:
    """It tries the default's type, without our converters: `nan` was a tolerance."""

    def servo(angle: float, tolerance: float = 1.0, limit: timedelta = timedelta(0)) -> None: ...

    shown = inspect.signature(strict_arguments(servo)).parameters
    assert [shown[name].default for name in ("tolerance", "limit")] == ["1", "0s"]
    assert {float, int, timedelta} <= CONVERTERS.keys()
