"""The firmware's variables in memory: what a stack or a DMA must not run into."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

from boardless_sim.elf.image import Symbol

_MOST_VICTIMS = 8  # of one buffer; the first one says enough


class Variables:
    """Objects of the symbol table, by address. Where it knows none, nothing is held."""

    def __init__(self, objects: Sequence[Symbol]) -> None:
        self._objects = objects
        self._starts = [found.address for found in objects]
        self._ends: dict[int, int] = {}  # by a buffer's address: how far it may be written
        self._victims: dict[int, set[str]] = {}

    @property
    def bounds(self) -> list[int]:
        """Ascending addresses where an object or the free area between two of them ends."""
        return sorted({at for found in self._objects for at in (found.address, _end(found))})

    def at(self, address: int) -> Symbol | None:
        """The variable that holds an address."""
        index = bisect.bisect_right(self._starts, address) - 1
        found = self._objects[index] if index >= 0 else None
        return found if found is not None and address < _end(found) else None

    def passes_end(self, buffer: int, end: int) -> bool:
        """Whether a transfer that began at `buffer` writes beyond the variable it began in."""
        most = self._ends.get(buffer)
        if most is None:
            most = self._ends[buffer] = self._end_of(buffer)
        return end > most

    def overwritten(self, buffer: int, address: int, size: int) -> Iterator[str]:
        """Each other variable that the write hits, once for a buffer."""
        known = self._victims.setdefault(buffer, set())
        past = max(address, self._ends[buffer])
        owner = self.at(buffer)
        name = f"{buffer:#010x}" if owner is None else f"`{owner.name}` ({owner.size:,} bytes)"
        first = max(bisect.bisect_right(self._starts, past) - 1, 0)
        for victim in self._objects[first:]:
            if victim.address >= address + size or len(known) >= _MOST_VICTIMS:
                return
            if _end(victim) > past and victim.name not in known:
                known.add(victim.name)
                yield f"wrote past the end of {name} into `{victim.name}`"

    def _end_of(self, buffer: int) -> int:
        """Of the variable, or of the free area up to the next one."""
        owner = self.at(buffer)
        if owner is not None:
            return _end(owner)
        index = bisect.bisect_right(self._starts, buffer)
        return self._starts[index] if index < len(self._starts) else 1 << 32


def _end(symbol: Symbol) -> int:
    return symbol.address + symbol.size
