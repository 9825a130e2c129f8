"""What a self-test program said on one engine, and what an engine cannot say.

A check that an engine cannot have is never dropped: it is listed with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from boardless.session import BoardSetup
from boardless_sim.engines.engine import StopReason

_CHECK = re.compile(r"t- ([a-z0-9_]+) (pass|fail) ([0-9a-f]{8})")
_LAST = "t- done"

_NO_COUNTER = "the cycle counter (DWT CYCCNT) stands still"
# What fails on an engine although the program is right, and why.
CANNOT: Mapping[str, Mapping[str, str]] = {
    "qemu": {
        "ccm": "the machine has no core-coupled memory",
        "four_priority_bits": "interrupts have eight priority bits, an STM32F4 has four",
        "cycles_of_ten_nops": _NO_COUNTER,
        "systick_period_asleep": _NO_COUNTER,
        "systick_reference_clock": _NO_COUNTER,
        "semihosting_call": "semihosting is off: it would open the host's files to the firmware",
    },
}
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
_OWN_VALUES: Mapping[str, Mapping[str, str]] = {
    "qemu": {"fpccr_after_reset": "FPCCR also shows which faults were ready, before any FP use"},
}


@dataclass(frozen=True)
class Check:
    """One `t-` line."""

    name: str
    passed: bool
    value: str

    def __str__(self) -> str:
        return f"{'pass' if self.passed else 'fail'} {self.value}"


@dataclass(frozen=True)
class Transcript:
    """Every check that the program made; `detail` says why it did not come to its end."""

    checks: tuple[Check, ...]
    detail: str = ""


@dataclass(frozen=True)
class Excuse:
    """A check that an engine answers in its own way, and why."""

    engine: str
    check: str
    reason: str


def transcript_of(setup: BoardSetup, limit_us: float) -> Transcript:
    """Run a self-test program to its end."""
    with closing(setup.power_on()) as engine:
        reason = engine.run(limit_us, lambda line: line.text.startswith(_LAST))
        checks = read_checks(line.text for line in engine.uart_lines())
        ended = reason is StopReason.RESULT
        return Transcript(checks, "" if ended else f"{reason.value} after {len(checks)} checks")


def read_checks(lines: Iterable[str]) -> tuple[Check, ...]:
    """The checks among a program's lines."""
    matches = (_CHECK.fullmatch(line) for line in lines)
    return tuple(Check(m[1], m[2] == "pass", m[3]) for m in matches if m is not None)


def excuses(engine: str, transcript: Transcript) -> list[Excuse]:
    """What is not held against an engine, in the order of the program."""
    cannot, own = CANNOT.get(engine, {}), _OWN_VALUES.get(engine, {})
    found = []
    for check in transcript.checks:
        if not check.passed and check.name in cannot:
            found.append(Excuse(engine, check.name, cannot[check.name]))
        elif check.passed and check.name in own:
            found.append(Excuse(engine, check.name, own[check.name]))
    return found


def differing_check(
    first: Transcript, second: Transcript, excused: frozenset[str]
) -> tuple[str, str, str] | None:
    """The first check that differs: its name and both answers."""
    by_name = {check.name: check for check in second.checks}
    for check in first.checks:
        other = by_name.pop(check.name, None)
        if other is None:
            return check.name, str(check), "no such line"
        if check.name in excused:
            continue
        same = check.passed == other.passed and (
            check.name in COUNTED or check.value == other.value
        )
        if not same:
            return check.name, str(check), str(other)
    for name, other in by_name.items():
        return name, "no such line", str(other)
    if first.detail != second.detail:
        return "end", first.detail or "done", second.detail or "done"
    return None
