"""A port's bytes and its lines."""

from __future__ import annotations

from boardless_sim.engines.console import PortConsole
from boardless_sim.engines.engine import UartLine
from boardless_sim.history import History


def said(*data: bytes) -> tuple[list[str], PortConsole]:
    lines: History[UartLine] = History()
    console = PortConsole("USART1", lines)
    for byte in b"".join(data):
        console.take(byte, 0.0)
    return [line.text for line in lines], console


def test_text_is_lines_and_what_has_no_end_is_unfinished() -> None:
    lines, console = said(b"one\r\ntw\xc3\xb6\n> ")
    assert lines == ["one", "twö"]
    assert console.unfinished == "> "
    assert bytes(console.data) == b"one\r\ntw\xc3\xb6\n> "


def test_a_run_of_undecodable_bytes_is_one_line() -> None:
    """Wherever a byte of it is a line end's by chance; the text behind it is text again."""
    picture = (b"\xff\xd8" + bytes(range(200)) + b"\xfe\n") * 3
    lines, console = said(b"begin\n", picture, b"end\n")
    assert lines == ["begin", "<611 bytes: ff d8 00 01 02 03 04 05 06 07 08 09…>", "end"]
    assert picture in bytes(console.data)


def test_a_garbled_line_is_shown_as_it_is() -> None:
    assert said(b"bo\xffot\n")[0] == ["bo\\xffot"]


def test_neighbours_that_are_all_undecodable_join() -> None:
    lines, _ = said((b"\xff\xd8" + b"\x80" * 100 + b"\n") * 5, b"ok\n")
    assert lines == ["<514 bytes: ff d8 80 80 80 80 80 80 80 80 80 80 80 80 80 80…>", "ok"]


def test_a_line_without_an_end_loses_no_byte() -> None:
    lines, console = said(b"a" * 5000, b"\n")
    assert "".join(lines) == "a" * 5000
    assert len(console.data) == 5001
