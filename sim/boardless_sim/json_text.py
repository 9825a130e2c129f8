"""JSON of others: every number in it is finite and of a machine's size, or it is refused.

Python's own reader takes NaN, numbers beyond every float and integers of thousands of digits, each
of which fails later and far from the file.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from boardless_sim.errors import BoardlessError

_MOST_DIGITS = 20  # of 2^64, the largest integer that anything here counts


def parse_json(
    text: str | bytes, name: object, expected: str, error: type[BoardlessError] = BoardlessError
) -> Any:
    """What a JSON text says. Raises `error` with the file's name and what was expected in it."""
    try:
        return json.loads(
            text, parse_constant=_no_number, parse_float=_finite, parse_int=_small_integer
        )
    except RecursionError as cause:
        raise error(f"{name}: nested too deep, expected {expected}") from cause
    except ValueError as cause:
        raise error(f"{name}: not JSON ({cause}), expected {expected}") from cause


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no number that can be compared")
    return number


def _small_integer(text: str) -> int:
    digits = len(text.lstrip("-"))
    if digits > _MOST_DIGITS:
        raise ValueError(f"an integer of {digits:,} digits")
    return int(text)
