"""The supply goes in the middle of a Flash operation."""

from __future__ import annotations

import random
from typing import Protocol


class Cells(Protocol):
    """The memory behind the Flash interface (`FlashInterface.cells`)."""

    base: int
    size: int

    def read(self, address: int, size: int) -> bytes:
        """What stands there."""

    def write(self, address: int, data: bytes) -> None:
        """Put it there."""

    def stall(self, cycles: int) -> None:
        """The core waits so long."""


class PowerCut:
    """Implements `Cells`: so many operations are whole, the next is cut, then nothing happens.

    Of a word that was cut any of its new bits may be there; of a sector each byte is erased or as
    it was. What the firmware does afterwards no longer counts: take the contents to a new board.
    """

    def __init__(self, cells: Cells, whole: int, seed: int = 1) -> None:
        self.base, self.size = cells.base, cells.size
        self._cells, self._left = cells, whole
        self._chance = random.Random(seed)

    def read(self, address: int, size: int) -> bytes:
        return self._cells.read(address, size)

    def stall(self, cycles: int) -> None:
        self._cells.stall(cycles)

    def write(self, address: int, data: bytes) -> None:
        before = self._cells.read(address, len(data))
        self._left -= 1
        if self._left >= 0:
            self._cells.write(address, data)
        elif self._left == -1:
            self._cells.write(address, self._cut(before, data))

    def _cut(self, before: bytes, after: bytes) -> bytes:
        if len(after) > 4:
            return bytes(self._chance.choice(pair) for pair in zip(before, after, strict=True))
        kept = (self._chance.choice([0, 0xFF, self._chance.randrange(256)]) for _ in after)
        return bytes(new | old & bits for old, new, bits in zip(before, after, kept, strict=True))
