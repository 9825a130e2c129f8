"""What a stopped board holds, apart from the engine that ran it: for a debugger, later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class KeptMemory:
    """A memory that the firmware can write, or words of registers that stand together."""

    name: str
    base: int
    data: bytes


@dataclass(frozen=True)
class KeptDevice:
    """A device: its registers by name, and what it had in itself, as text where it is no number."""

    name: str
    registers: Mapping[str, tuple[int, int]]  # address and value
    state: Mapping[str, object]


@dataclass(frozen=True)
class CoreImage:
    """One board at one moment. `registers`: r0 to r12, sp, lr, pc, xpsr, d0 to d15, the rest."""

    chip: str
    registers: Mapping[str, int]
    memories: tuple[KeptMemory, ...]
    devices: tuple[KeptDevice, ...]
