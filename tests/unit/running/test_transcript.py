"""A console held against a file of what it must say; engines held against each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless.compare.consoles import differing_line
from boardless.running.transcript import (
    ConsoleTranscript,
    Sending,
    first_difference,
    read_expected,
    record,
)
from boardless_sim.engines.engine import StopReason, UartLine
from boardless_sim.errors import BoardlessError
from tests.unit.running.fake_engine import FakeEngine, frames

SAID = ["boot", "clock 168 MHz", "probe 12 ms", "ready"]


def difference(folder: Path, expected: str, said: list[str] | None = None) -> str | None:
    path = folder / "expected.txt"
    path.write_text(expected, encoding="utf-8")
    return first_difference(read_expected(path), SAID if said is None else said)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("boot\nclock 168 MHz\nprobe {{\\d+}} ms\nready\n", None),
        ("boot\n...\nready", None),
        ("...\nclock {{1.8|84}} MHz\n...", None),
        ("boot\n...", None),
        ("boot\nready", "line 2 is 'clock 168 MHz', expected 'ready'"),
        ("boot\n...\nclock", "no such line after line 1 of 4, expected 'clock'"),
        ("boot\nclock 168 MHz\nprobe {{\\d}} ms\nready", "line 3 is 'probe 12 ms', expected "),
        ("boot\n...\nprobe 12 ms", "line 4 is 'ready', expected no more"),
        ("...\nready\nagain", "no such line after line 4 of 4, expected 'again'"),
    ],
)
def test_a_transcript_against_its_patterns(
    expected: str, found: str | None, tmp_path: Path
) -> None:
    seen = difference(tmp_path, expected)
    assert seen == found if found is None else str(seen).startswith(found)


def test_a_silent_console_is_not_as_expected(tmp_path: Path) -> None:
    assert difference(tmp_path, "boot", []) == "no line, expected 'boot'"
    assert difference(tmp_path, "boot.", ["boots"]) == "line 1 is 'boots', expected 'boot.'"


def test_an_expression_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BoardlessError, match=r"expected.txt:2: 'b\{\{\[}}', expected regular"):
        difference(tmp_path, "a\nb{{[}}")


def test_what_is_sent_is_sent_in_order_of_time() -> None:
    engine = FakeEngine()
    sendings = [Sending(2e5, b"two", "USART2"), Sending(1e5, b"one", "USART3")]
    found = record(engine, 1e6, sendings, frames(2))
    assert engine.sent == [("USART3", b"one"), ("USART2", b"two")]
    assert (found.stop_reason, found.ran_on) == (StopReason.LIMIT, True)
    assert (found.shown, found.captured) == (2, 2)


def test_a_fault_ends_it() -> None:
    found = record(FakeEngine(reason=StopReason.FAULT), 1e6)
    assert not found.ran_on
    assert found.detail.startswith("fault: HardFault at pc 0x08001234 in nn_run")


def transcript(engine: str, *lines: tuple[str, str]) -> ConsoleTranscript:
    said = tuple(UartLine(port, text, 1.0) for port, text in lines)
    return ConsoleTranscript(engine, said, (), StopReason.LIMIT, "", 0, 0)


def test_engines_are_compared_port_by_port_and_the_end_may_be_cut() -> None:
    one = transcript("native", ("USART1", "a"), ("USART2", "x"), ("USART1", "b"))
    two = transcript("qemu", ("USART1", "a"), ("USART1", "b"), ("USART1", "c"), ("USART2", "x"))
    assert differing_line([one, two]) is None
    other = transcript("qemu", ("USART1", "a"), ("USART1", "c"))
    assert str(differing_line([one, other])) == "USART1, line 2: native b, qemu c"
    silent = transcript("qemu", ("USART1", "a"))
    assert str(differing_line([one, silent])) == "USART2: native 1 lines, qemu 0 lines"
