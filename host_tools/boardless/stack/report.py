"""What the analysis of a stack says. Nothing here is worked out; it is read by whoever reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Confidence(StrEnum):
    """How far a figure can be trusted, best first."""

    EXACT = "exact"  # the ELF alone says so
    ANNOTATED = "annotated"  # it rests on what boardless.toml says
    ASSUMED = "assumed"  # it rests on every function that a pointer could hold
    UNBOUNDED = "unbounded"  # there is no figure


_ORDER = tuple(Confidence)


def worst(grades: Iterable[Confidence]) -> Confidence:
    """The least trusted of some grades; EXACT of none."""
    return _ORDER[max((_ORDER.index(grade) for grade in grades), default=0)]


class PathStep(NamedTuple):
    """A function on the worst path, and how deep SP stands in it where the path leaves it."""

    function: str
    depth: int


@dataclass(frozen=True)
class FunctionStack:
    """One function: its own frame, and the bound of everything that it calls.

    `bound_bytes` leaves out calls that never return where that ends the program (`cold_bytes` has
    them); None: unbounded, for the `reasons`. `at_least_bytes` counts what is known.
    """

    name: str
    names: tuple[str, ...]
    address: int
    own_bytes: int
    grade: Confidence
    bound_bytes: int | None
    at_least_bytes: int
    path: tuple[PathStep, ...]
    cold_bytes: int | None
    reasons: tuple[str, ...] = ()
    is_dynamic: bool = False
    returns: bool = True


@dataclass(frozen=True)
class Candidate:
    """A function that an indirect call may reach; `bound_bytes` None: unbounded."""

    name: str
    bound_bytes: int | None
    at_least_bytes: int


@dataclass(frozen=True)
class IndirectSite:
    """A call through a pointer: `caller+0x1a`, who may be called, and what narrowed them down.

    `key`: the name that it is best known by in an annotation.

    `chosen_by`: "annotation", "initialisation array", "null pointer", "read-only table",
    "callers' arguments", "virtual call", "stores" (put there somewhere, and of that prototype),
    "prototype", "loose prototype", "address taken".
    """

    caller: str
    offset: int
    address: int
    depth: int
    is_tail: bool
    grade: Confidence
    chosen_by: str
    candidates: tuple[Candidate, ...]
    key: str = ""

    @property
    def place(self) -> str:
        """As an annotation names it."""
        return f"{self.caller}+{self.offset:#x}"


@dataclass(frozen=True)
class Cycle:
    """Functions that call each other in a ring. `depth` None: nothing bounds it."""

    functions: tuple[str, ...]
    depth: int | None
    round_bytes: int


@dataclass(frozen=True)
class LevelStack:
    """One preemption level: the exception frame and the worst of its handlers."""

    name: str
    handler: str
    frame_bytes: int
    bound_bytes: int | None
    at_least_bytes: int
    grade: Confidence


@dataclass(frozen=True)
class InterruptStack:
    """Every level nested on top of a thread: `bytes` None where a handler is unbounded.

    `cold` are handlers that never return: a fault, an interrupt that nobody expected.
    """

    levels: tuple[LevelStack, ...]
    cold: tuple[LevelStack, ...]
    bound_bytes: int | None
    at_least_bytes: int
    grade: Confidence


@dataclass(frozen=True)
class TaskStack:
    """A thread's stack: its worst path, one exception frame and the registers of a switch.

    `reserve_bytes` is its room, where the code that makes it states that.
    """

    name: str
    entry: str
    bound_bytes: int | None
    at_least_bytes: int
    grade: Confidence
    path: tuple[PathStep, ...]
    reserve_bytes: int | None = None

    def complaint(self) -> str:
        """Why its room is too small; empty where it is not, or is not known."""
        if self.bound_bytes is None or self.reserve_bytes is None:
            return ""
        over = self.bound_bytes - self.reserve_bytes
        return f"{over:,} bytes more than its stack of {self.reserve_bytes:,}" if over > 0 else ""


@dataclass(frozen=True)
class Disagreement:
    """A frame that another source gives otherwise. The code is what the figures follow."""

    function: str
    source: str
    found_bytes: int
    expected_bytes: int


@dataclass(frozen=True)
class StackReport:
    """The worst-case stack of an ELF.

    `bound_bytes` is the main stack: `thread_bytes` of the entry and every interrupt level. With
    calls that never return it is `cold_bytes`. None: unbounded; `reasons` say why. `move_sp` are
    the functions that go to another stack, where a run's lowest SP says nothing of this one.
    """

    elf: Path
    entry: str
    thread_bytes: int | None
    bound_bytes: int | None
    cold_bytes: int | None
    at_least_bytes: int
    grade: Confidence
    path: tuple[PathStep, ...]
    reasons: tuple[str, ...]
    functions: tuple[FunctionStack, ...]
    interrupts: InterruptStack
    tasks: tuple[TaskStack, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    indirect: tuple[IndirectSite, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    move_sp: frozenset[str] = frozenset()
    is_stripped: bool = False

    def find(self, symbol: str) -> tuple[FunctionStack, ...]:
        """Every function of a name; several where it is local to several sources."""
        return tuple(found for found in self.functions if symbol in found.names)
