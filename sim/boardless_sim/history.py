"""What happened since power-on, by its number; whoever streams lets go of what it has read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

from boardless_sim.errors import EngineError

_T = TypeVar("_T")


class History(Sequence[_T]):
    """A list whose first items may be forgotten: the others keep their numbers.

    Who asks for a forgotten one gets an error, never fewer: "nothing was said" must not be the
    answer where nobody knows any more.
    """

    def __init__(self) -> None:
        self._kept: list[_T] = []
        self._forgotten = 0

    def append(self, item: _T) -> None:
        """One more."""
        self._kept.append(item)

    def renew(self, number: int, item: _T) -> None:
        """Another one in the place of one, if that is still kept."""
        if number >= self._forgotten:
            self._kept[number - self._forgotten] = item

    def forget(self, keep: int) -> None:
        """All but the last `keep`; done when as many again have come, so that it costs nothing."""
        if len(self._kept) > 2 * keep:
            self._forgotten += len(self._kept) - keep
            del self._kept[: len(self._kept) - keep]

    def __len__(self) -> int:
        return self._forgotten + len(self._kept)

    @overload
    def __getitem__(self, index: int) -> _T: ...

    @overload
    def __getitem__(self, index: slice) -> list[_T]: ...

    def __getitem__(self, index: int | slice) -> _T | list[_T]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if start < stop:
                self._require(start)
            return self._kept[
                max(start - self._forgotten, 0) : max(stop - self._forgotten, 0) : step
            ]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        self._require(number)
        return self._kept[number - self._forgotten]

    def __iter__(self) -> Iterator[_T]:
        self._require(0)
        return iter(self._kept)

    def __reversed__(self) -> Iterator[_T]:
        """From the last one back, as far as it is known."""
        return reversed(self._kept)

    def _require(self, number: int) -> None:
        if number < self._forgotten:
            raise EngineError(f"number {number} was let go, expected {self._forgotten} or later")
