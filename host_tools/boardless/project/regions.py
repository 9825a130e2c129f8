"""The stretches of a chip's memory that a project's figures are counted by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from boardless.project.toml_table import TomlTable

RegionKind = Literal["flash", "ram"]
# how a region is called that the ELF's program headers alone tell of
_DERIVED = re.compile(r"(FLASH|RAM)@0x[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True)
class Region:
    """A stretch of the chip's memory."""

    name: str
    kind: RegionKind
    origin: int
    length: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.origin + self.length

    def holds(self, address: int) -> bool:
        """Whether an address lies in it."""
        return self.origin <= address < self.end

    def meets(self, other: Region) -> bool:
        """Whether an address lies in both."""
        return self.origin < other.end and other.origin < self.end


def read_region(entry: TomlTable, name: str) -> Region | None:
    """Where `[budget.region.NAME]` says that the region lies; None where it does not say."""
    if not any(entry.has(key) for key in ("origin", "kind", "length")):
        return None
    kind = entry.choice("kind", ("flash", "ram"))
    origin, length = entry.size("origin"), entry.size("length")
    if not length or origin + length > 1 << 32:
        raise entry.error(f"found {length} bytes at {origin:#010x}, expected a range in 32 bits")
    return Region(name, cast(RegionKind, kind), origin, length)


def may_be_derived(name: str) -> bool:
    """Whether a name is one that a region of the program headers may get."""
    return _DERIVED.fullmatch(name) is not None
