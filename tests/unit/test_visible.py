"""Text of others cannot steer a terminal."""

from __future__ import annotations

import pytest

from boardless_sim.visible import one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r- frame=1 µ ±", "r- frame=1 µ ±"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\tb\r\n", r"a\x09b\x0d\x0a"),
        ("\x7f\x00", r"\x7f\x00"),
        ("abc\u202edcba", r"abc\u202edcba"),
        ("\udcff", r"\udcff"),
    ],
)
def test_controls_are_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_message_is_one_bounded_line() -> None:
    line = one_line("a\nb" + "9" * 5000)
    assert line.startswith("a b99")
    assert "9… (5,003 characters) …9" in line
    assert len(line) < 2100
