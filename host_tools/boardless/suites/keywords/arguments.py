"""What keywords take: sizes, numbers and durations, each finite and in a range where it enters."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from robot.libraries.DateTime import convert_time

_Keyword = TypeVar("_Keyword", bound=Callable[..., Any])
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


def whole(value: str | float) -> int:
    """Read a whole number. Raises `ValueError`, which Robot shows with the argument's name."""
    text = str(value).strip().lower()
    match = re.fullmatch(r"[+-]?(0x[0-9a-f]{1,16}|0b[01]{1,64}|\d{1,18}(\.0)?)", text, re.ASCII)
    if match is None:
        raise ValueError(f"found {text[:60]!r}, expected a whole number")
    if "x" in text or "b" in text:
        return int(text, 0)
    return int(text.removesuffix(".0"))


def duration(value: str | float) -> timedelta:
    """Read a time, such as 20 ms. Raises `ValueError`, which Robot shows with the argument's name.

    Robot's own conversion of `inf` ends in an `OverflowError`.
    """
    try:
        found = convert_time(value, result_format="timedelta")
    except (ValueError, OverflowError):
        found = None
    if not isinstance(found, timedelta):
        raise ValueError(f"found {str(value)[:60]!r}, expected a time such as 20 ms or 1.5 s")
    return found


# In place of Robot's own for what may be infinite, or have thousands of digits.
CONVERTERS: dict[type, Callable[[Any], Any] | Callable[[Any, Any], Any]] = {
    Size: Size.from_text,
    Number: Number.from_text,
    float: Number.from_text,
    int: whole,
    timedelta: duration,
}


def strict_arguments(method: _Keyword) -> _Keyword:
    """The keyword with its defaults shown to Robot as text.

    What our converter refuses, Robot tries once more with its own of the default's type, which
    takes `nan`; text has none.
    """
    signature = inspect.signature(method)
    shown = [one.replace(default=_in_text(one.default)) for one in signature.parameters.values()]
    vars(method)["__signature__"] = signature.replace(parameters=shown)
    return method


def _in_text(default: Any) -> Any:
    if isinstance(default, timedelta):
        return convert_time(default, result_format="compact")
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    return f"{default:g}" if is_number else default


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
