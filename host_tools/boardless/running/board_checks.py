"""Board checks: what a run saw that the chip would not have carried, judged.

An error fails the run, a warning is printed; `--strict` makes every one an error, and the project
may waive one for a reason, up to a day.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from boardless.project.waivers import CheckWaiver
from boardless_sim.engines.engine import Capability, Engine
from boardless_sim.errors import EngineError
from boardless_sim.finding import Check, Finding, Grade

if TYPE_CHECKING:
    from boardless.running.post_mortem import PostMortem

NOT_CHECKED = "not checked"
_MOST_VECTORS = 16 + 240  # DDI 0403E, B1.5.2 and B3.4: of every Cortex-M4
_SHARED = 2


@dataclass(frozen=True)
class Observation:
    """A finding, and the function that was running."""

    finding: Finding
    function: str


@dataclass(frozen=True)
class BoardCheck:
    """A judged observation: one row of every report. `waived`: why it does not count, or empty."""

    check: str
    grade: Grade
    device: str
    text: str
    function: str
    pc: int
    time_us: float
    waived: str = ""

    @property
    def fails(self) -> bool:
        """Whether the run fails by it."""
        return self.grade is Grade.ERROR and not self.waived

    def __str__(self) -> str:
        place = f"{self.function} at {self.pc:#010x}, {self.time_us / 1000:.3f} ms"
        waived = f"; waived: {self.waived}" if self.waived else ""
        return f"{self.check}: {self.text} ({place}{waived})"


@dataclass(frozen=True)
class Rules:
    """How observations are judged."""

    strict: bool = False
    waivers: tuple[CheckWaiver, ...] = ()


def observe(engine: Engine, stands: PostMortem | None = None) -> tuple[Observation, ...]:
    """What the engine saw up to now, where it looks. `stands`: of a hung run."""
    if Capability.BOARD_CHECKS not in engine.capabilities:
        return ()
    found = list(engine.findings())
    if stands is not None:
        found += _in_default_handler(engine, stands)
    return tuple(Observation(finding, engine.image.function_at(finding.pc)) for finding in found)


def judge(
    observations: Iterable[Observation], rules: Rules, today: datetime.date
) -> tuple[BoardCheck, ...]:
    """Each observation as a row, in order of time."""
    rows = (_row(observed, rules, today) for observed in observations)
    return tuple(sorted(rows, key=lambda row: row.time_us))


def not_checked(checked: frozenset[Check]) -> tuple[str, ...]:
    """The checks that an engine does not make."""
    return tuple(check.value for check in Check if check not in checked)


def _row(observed: Observation, rules: Rules, today: datetime.date) -> BoardCheck:
    found = observed.finding
    waiver = next((w for w in rules.waivers if w.check == found.kind and today <= w.expires), None)
    return BoardCheck(
        check=found.kind,
        grade=Grade.ERROR if rules.strict else found.grade,
        device=found.device,
        text=found.text,
        function=observed.function,
        pc=found.pc,
        time_us=found.time_us,
        waived="" if waiver is None else f"{waiver.reason} (until {waiver.expires})",
    )


def _in_default_handler(engine: Engine, stands: PostMortem) -> list[Finding]:
    """An exception whose handler is the one of several vectors is one that nobody wrote."""
    if stands.handler is None:
        return []
    symbol = engine.image.symbols.get(stands.handler.function)
    if symbol is None:
        return []
    if _vectors(engine).count(symbol.address) < _SHARED:
        return []
    check = Check.DEFAULT_HANDLER
    names = [s.name for s in engine.image.symbols.values() if s.address == symbol.address]
    handler = next((name for name in names if "default" in name.lower()), symbol.name)
    text = f"{stands.exception} has no handler of its own: it runs {handler}"
    pc, time_us = stands.handler.pc, engine.time_us()
    return [Finding(check.value, check.grade, "core", pc, time_us, text)]


def _vectors(engine: Engine) -> list[int]:
    """The handlers of the vector table, which says nowhere how long it is: what follows it is code
    or constants, and names no function."""
    image = engine.image
    functions = {symbol.address for symbol in image.symbols.values()}
    try:
        table = engine.read_memory(image.vector_table + 4, 4 * (_MOST_VECTORS - 1))
    except EngineError:
        return []
    handlers = [vector & ~1 for (vector,) in struct.iter_unpack("<I", table)]
    return list(takewhile(lambda handler: not handler or handler in functions, handlers))
