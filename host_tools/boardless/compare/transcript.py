"""What a self-test program said on one engine, and what is not held against it.

A check that an engine answers in its own way is never dropped: it is listed with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from boardless.compare.known_differences import KNOWN, DifferenceKind, KnownDifference
from boardless.running.session import BoardSetup
from boardless_sim.contract import Contract
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.engine import StopReason

_CHECK = r" ([a-z0-9_]+) (pass|fail) ([0-9a-f]{8})"
_LAST = " done"

# Values that count time or interrupts: every engine has its own, and the check holds a range.
COUNTED = frozenset(
    {
        "cycles_of_ten_nops",
        "cycles_wrap",
        "systick_period_asleep",
        "systick_counts_down",
        "systick_reference_clock",
        "interruptions_happened",
        "fp_interruptions_happened",
        "threads_preempted",
    }
)


@dataclass(frozen=True)
class TestLine:
    """One `t-` line."""

    name: str
    passed: bool
    value: str

    def __str__(self) -> str:
        return f"{'pass' if self.passed else 'fail'} {self.value}"


@dataclass(frozen=True)
class Transcript:
    """Every check that the program made; `detail` says why it did not come to its end."""

    checks: tuple[TestLine, ...]
    detail: str = ""

    def check(self, name: str) -> TestLine | None:
        """The check of that name, if the program came to it."""
        return next((check for check in self.checks if check.name == name), None)


@dataclass(frozen=True)
class Excuse:
    """A check that an engine answers in its own way, and why."""

    engine: str
    check: str
    reason: str


def transcript_of(setup: BoardSetup, image: FirmwareImage, limit_us: float) -> Transcript:
    """Run a self-test program to its end."""
    prefix = setup.contract.check_prefix
    with closing(setup.power_on(image)) as engine:
        reason = engine.run(limit_us, lambda line: line.text.startswith(prefix + _LAST))
        checks = read_checks((line.text for line in engine.uart_lines()), prefix)
        ended = reason is StopReason.RESULT
        return Transcript(checks, "" if ended else f"{reason.value} after {len(checks)} checks")


def read_checks(lines: Iterable[str], prefix: str = Contract.check_prefix) -> tuple[TestLine, ...]:
    """The checks among a program's lines."""
    pattern = re.compile(re.escape(prefix) + _CHECK)
    matches = (pattern.fullmatch(line) for line in lines)
    return tuple(TestLine(m[1], m[2] == "pass", m[3]) for m in matches if m is not None)


def excuses(
    engine: str, transcript: Transcript, others: Sequence[Transcript]
) -> tuple[list[Excuse], list[Excuse]]:
    """What is not held against an engine, and what of the list no longer appears."""
    found: list[Excuse] = []
    gone: list[Excuse] = []
    for known in KNOWN.get(engine, ()):
        appears = _appears(known, transcript, others)
        if appears is not None:
            (found if appears else gone).append(Excuse(engine, known.check, known.reason))
    return found, gone


def _appears(
    known: KnownDifference, transcript: Transcript, others: Sequence[Transcript]
) -> bool | None:
    """Whether the difference is there; None where nothing can be said of it."""
    check = transcript.check(known.check)
    elsewhere = [found for other in others if (found := other.check(known.check)) is not None]
    match known.kind:
        case DifferenceKind.ABSENT:
            return check is None if elsewhere else None
        case DifferenceKind.FAILS:
            return None if check is None else not check.passed
        case DifferenceKind.VALUE:
            if check is None or not check.passed or not elsewhere:
                return None
            return any(other.value != check.value for other in elsewhere)


def differing_check(
    first: Transcript, second: Transcript, excused: frozenset[str]
) -> tuple[str, str, str] | None:
    """The first check that differs: its name and both answers."""
    names = dict.fromkeys(check.name for check in (*first.checks, *second.checks))
    is_cut = False
    for name in names:
        one, two = first.check(name), second.check(name)
        if name in excused:
            is_cut = is_cut or one is None or two is None
        elif one is None or two is None:
            return name, str(one or "no such line"), str(two or "no such line")
        elif one.passed != two.passed or (name not in COUNTED and one.value != two.value):
            return name, str(one), str(two)
    # A run that is known not to come to the last checks does not come to its end either.
    if first.detail != second.detail and not is_cut:
        return "end", first.detail or "done", second.detail or "done"
    return None
