"""The firmware's variables in memory: what a stack or a DMA must not run into."""

from __future__ import annotations

import bisect
from collections.abc import Iterator

from boardless_sim.elf.image import FirmwareImage, Symbol
from boardless_sim.elf.members import Members

_MOST_VICTIMS = 8  # of one buffer; the first one says enough
_NO_END = 1 << 32


class Variables:
    """Objects of the symbol table, by address, and arrays inside them; none before an image."""

    def __init__(self, image: FirmwareImage | None = None) -> None:
        self._objects = () if image is None else image.objects
        elf = None if image is None else image.elf
        self._members = None if elf is None else Members(elf)
        self._starts = [found.address for found in self._objects]
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
        end = self._ends[buffer]
        owner = self.at(buffer)
        for victim in self._hit(max(address, end), address + size):
            if len(known) >= _MOST_VICTIMS:
                return
            if victim == owner:
                name = self._member(victim, end - victim.address)
            else:
                name = victim.name
            if name not in known:
                known.add(name)
                yield f"wrote past the end of {self._named(buffer, owner)} into `{name}`"

    def _hit(self, start: int, end: int) -> Iterator[Symbol]:
        for found in self._objects[max(bisect.bisect_right(self._starts, start) - 1, 0) :]:
            if found.address >= end:
                return
            if _end(found) > start:
                yield found

    def _named(self, buffer: int, owner: Symbol | None) -> str:
        if owner is None:
            return f"the area at {buffer:#010x}"
        size = self._ends[buffer] - buffer
        return f"`{self._member(owner, buffer - owner.address)}` ({size:,} bytes)"

    def _member(self, variable: Symbol, offset: int) -> str:
        if self._members is None or not self._is_structure(variable):
            return variable.name
        return self._members.name_at(variable.name, offset)

    def _is_structure(self, variable: Symbol) -> bool:
        """Whether some buffer ended within it."""
        return any(variable.address < end < _end(variable) for end in self._ends.values())

    def _end_of(self, buffer: int) -> int:
        """Of the array or variable, or of the free area up to the next one."""
        owner = self.at(buffer)
        if owner is not None:
            members = self._members
            inside = None if members is None else members.end_of_array(owner.address, buffer)
            return min(_end(owner), _NO_END if inside is None else inside)
        index = bisect.bisect_right(self._starts, buffer)
        return self._starts[index] if index < len(self._starts) else _NO_END


def _end(symbol: Symbol) -> int:
    return symbol.address + symbol.size
