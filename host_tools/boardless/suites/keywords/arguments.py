"""What keywords take: sizes, numbers and durations, each finite and in a range where it enters."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

_LONGEST = timedelta(days=7)


class Size(int):
    """A number of bytes: 8192, 8192 B, 8 KiB, 1 MiB."""

    @classmethod
    def from_text(cls, text: str) -> Size:
        """Read a size. Raises `ValueError`, which Robot shows with the argument's name."""
        match = re.fullmatch(r"(\d{1,10})\s*(B|KiB|MiB)?", text.strip(), re.ASCII)
        if match is None:
            raise ValueError(f"found {text!r}, expected a size such as 8192, 8 KiB or 1 MiB")
        return cls(int(match[1]) * {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20}[match[2]])


class Number(float):
    """A number that can be compared: `nan` is false against every bound, and would pass."""

    @classmethod
    def from_text(cls, value: str | float) -> Number:
        """Read a number. Raises `ValueError`, which Robot shows with the argument's name."""
        try:
            number = cls(value)
        except (ValueError, OverflowError):
            raise ValueError(f"found {str(value)[:60]!r}, expected a number") from None
        if not math.isfinite(number):
            raise ValueError(f"found {number}, expected a number that can be compared")
        return number


CONVERTERS: dict[type, Callable[[Any], Any] | Callable[[Any, Any], Any]] = {
    Size: Size.from_text,
    Number: Number.from_text,
}


def microseconds(duration: timedelta) -> float:
    """Virtual time as the engines count it. Raises `AssertionError` for none that can pass."""
    if not timedelta(0) <= duration <= _LONGEST:
        raise AssertionError(f"found a time of {duration}, expected 0 to 7 days")
    return duration / timedelta(microseconds=1)


def in_range(what: str, number: int, least: int, most: int) -> int:
    """The number. Raises `AssertionError` outside its range."""
    if not least <= number <= most:
        raise AssertionError(f"found {what} {number}, expected {least} to {most}")
    return number
