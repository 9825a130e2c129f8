"""Numbers, sizes and durations of keywords are finite and in their range."""

from __future__ import annotations

from datetime import timedelta

import pytest

from boardless.suites.keywords.arguments import Number, in_range, microseconds


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
