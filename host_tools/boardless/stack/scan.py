"""What a walk through the code of one function finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from boardless.stack.values import RegisterValue


class DirectCall(NamedTuple):
    """A call or a tail call whose target the code states."""

    at: int
    target: int
    depth: int
    is_tail: bool


class IndirectCall(NamedTuple):
    """A call or a tail call through a register."""

    at: int
    depth: int
    is_tail: bool
    through: RegisterValue | None


@dataclass
class Scan:
    """What a walk through one function found. Depths are bytes below SP at its entry.

    `stored`: the place of every word that got a function's address or an argument; None: no place
    that is known.
    """

    address: int
    own_bytes: int = 0
    calls: dict[tuple[int, int], DirectCall] = field(default_factory=dict)
    indirect: dict[int, IndirectCall] = field(default_factory=dict)
    depths: dict[int, int] = field(default_factory=dict)
    returns: bool = False
    dynamic_at: int | None = None
    unknown_sp_at: int | None = None
    switches_at: int | None = None
    grows_at: int | None = None
    lost_at: int | None = None
    exhausted: bool = False
    realigns: bool = False
    taken: set[int] = field(default_factory=set)
    passed: dict[tuple[int, int], tuple[RegisterValue | None, ...]] = field(default_factory=dict)
    stored: list[tuple[RegisterValue | None, RegisterValue]] = field(default_factory=list)


class Fuel:
    """A limit on instructions, so that no ELF can make the analysis run on."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
