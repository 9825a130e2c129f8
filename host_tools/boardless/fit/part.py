"""Every STM32 part: its core, its clock, its Flash and its working memories.

The table `parts.json` is made by tools/chip_table.py from the package modm-devices; it says from
which version, and what was wrong in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from boardless_sim.errors import BoardlessError

# The most multiplications of int8 values in a cycle: one SMLAD of two halfwords where the core has
# the DSP extension (Armv7E-M, Armv8-M Mainline), otherwise one MUL or MLA.
_MACS_PER_CYCLE = {"cortex-m4": 2, "cortex-m7": 2, "cortex-m33": 2}
# The widest port to memory: the M7's AXI master has 64 bits (Arm DDI 0489, 1.3), the others 32.
_BYTES_PER_CYCLE = {"cortex-m7": 8}


@dataclass(frozen=True)
class WorkingMemory:
    """A working memory and where it stands."""

    name: str
    base: int
    size: int


@dataclass(frozen=True)
class Stm32Part:
    """One STM32 as it is ordered. `core`: of two, the faster one first, joined by "+"."""

    name: str
    core: str
    clock_hz: int
    flash_bytes: int
    memories: tuple[WorkingMemory, ...]

    @property
    def ram_bytes(self) -> int:
        """Of all working memories together."""
        return sum(memory.size for memory in self.memories)

    @property
    def block_bytes(self) -> int:
        """Of the largest piece without a gap: two memories that adjoin are one."""
        largest = size = 0
        for before, memory in pairwise((WorkingMemory("", -1, 0), *self.memories)):
            adjoins = before.base + before.size == memory.base
            size = size + memory.size if adjoins else memory.size
            largest = max(largest, size)
        return largest

    @property
    def main_core(self) -> str:
        """The faster core."""
        return self.core.split("+")[0]

    @property
    def macs_per_second(self) -> int:
        """No program multiplies faster."""
        return self.clock_hz * _MACS_PER_CYCLE.get(self.main_core, 1)

    @property
    def bytes_per_second(self) -> int:
        """No memory, on the chip or outside it, is read faster."""
        return self.clock_hz * _BYTES_PER_CYCLE.get(self.main_core, 4)


@dataclass(frozen=True)
class PartTable:
    """All parts, where they come from, and what was corrected."""

    source: str
    rows: int
    corrections: dict[str, int]
    parts: tuple[Stm32Part, ...]


@cache
def table() -> PartTable:
    """The table of the package."""
    content = json.loads(files("boardless.fit").joinpath("parts.json").read_text())
    parts = [part for group in content["groups"] for part in _parts(group)]
    return PartTable(
        content["source"],
        content["rows"],
        content["corrections"],
        tuple(sorted(parts, key=lambda part: part.name)),
    )


def _parts(group: dict[str, Any]) -> list[Stm32Part]:
    memories = tuple(WorkingMemory(*entry) for entry in group["ram"])
    flash = sum(size for _, size in group["flash"])
    return [
        Stm32Part(name, group["core"], group["clock_hz"], flash, memories)
        for name in group["parts"]
    ]


def find(name: str, among: Sequence[Stm32Part]) -> Stm32Part:
    """The part of a name, or of its beginning where all such parts have the same memories.

    Raises `BoardlessError` for a name that is none or that leaves the memories open.
    """
    wanted = name.lower()
    found = [part for part in among if part.name.startswith(wanted)]
    if not found:
        raise BoardlessError(f"--chip {name}: no such STM32 part, expected one as stm32f407vg")
    kinds = {(part.core, part.clock_hz, part.flash_bytes, part.memories) for part in found}
    if len(kinds) > 1:
        some = ", ".join(part.name for part in found[:3])
        raise BoardlessError(
            f"--chip {name}: {len(found)} parts of {len(kinds)} kinds ({some}, ...), "
            "expected the name up to its Flash size, as stm32f407vg"
        )
    return found[0]
