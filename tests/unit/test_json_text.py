"""JSON of others: what would fail later, or compare as false with every bound, is refused."""

from __future__ import annotations

import pytest

from boardless_sim.errors import ConfigError
from boardless_sim.json_text import parse_json


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 100_000, "nested too deep"),
        ('{"max": NaN}', "not JSON (NaN is no number)"),
        ('{"max": -Infinity}', "not JSON (-Infinity is no number)"),
        ('{"max": 1e999}', "not JSON (1e999 is no number that can be compared)"),
        ('{"max": ' + "9" * 5000 + "}", "not JSON (an integer of 5,000 digits)"),
        ('{"max": -' + "9" * 21 + "}", "not JSON (an integer of 21 digits)"),
        ("{", "not JSON (Expecting property name enclosed in double quotes: line 1 column 2"),
        (b"\xff", "not JSON ("),
    ],
)
def test_what_is_no_number_of_a_machine_is_refused(text: str | bytes, found: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_json(text, "base.json", "a budget", ConfigError)
    message = str(refused.value)
    assert message.startswith(f"base.json: {found}")
    assert message.endswith(", expected a budget")
    assert "\n" not in message


def test_what_is_one_is_read() -> None:
    largest = (1 << 64) - 1
    assert parse_json(f'[{largest}, -1, 0.5, "a"]', "x", "x") == [largest, -1, 0.5, "a"]
