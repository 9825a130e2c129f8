"""What one wait may take of the host: a firmware that never comes to an end ends by name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# So many that no honest firmware meets them within one frame, or one keyword.
HOST_S, CONSOLE_BYTES, RESETS = 600.0, 4 << 20, 1000
_LINE_BYTES = 64  # that a line takes beside its text


@dataclass(frozen=True)
class Bounds:
    """For one call of `Engine.run`: seconds of the host, bytes of all consoles, resets."""

    host_s: float = HOST_S
    console_bytes: int = CONSOLE_BYTES
    resets: int = RESETS


DEFAULT = Bounds()


class Guard:
    """Counts against the bounds; `exceeded` says which one was first, empty while none is."""

    def __init__(self, bounds: Bounds = DEFAULT) -> None:
        self._bounds, self._is_held = bounds, False
        self.begin()

    @contextmanager
    def one_wait(self) -> Iterator[None]:
        """What is begun within it is one wait, however often somebody looks."""
        self.begin()
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False

    def begin(self) -> None:
        """A wait begins."""
        if self._is_held:
            return
        self.exceeded = ""
        self._until_s = time.monotonic() + self._bounds.host_s
        self._bytes = self._resets = 0

    def look_at_clock(self) -> None:
        """The host may have spent its time: then there is no verdict, never another one."""
        if time.monotonic() > self._until_s:
            self._exceed(f"host time: over {self._bounds.host_s:g} s for one wait")

    def note_reset(self) -> None:
        """One more."""
        self._resets += 1
        if self._resets > self._bounds.resets:
            self._exceed(f"reset loop: over {self._bounds.resets:,} resets in one wait")

    def note_byte(self, ends_line: bool) -> bool:
        """One more of any console; whether it was one too many."""
        self._bytes += _LINE_BYTES if ends_line else 1
        if self._bytes <= self._bounds.console_bytes:
            return False
        self._exceed(f"console flood: over {self._bounds.console_bytes:,} bytes in one wait")
        return True

    def note_bytes(self, count: int) -> None:
        """So many more within a line, of which there is room for all."""
        self._bytes += count

    @property
    def room_bytes(self) -> int:
        """How many bytes within a line come before the bound of the consoles."""
        return self._bounds.console_bytes - self._bytes

    def _exceed(self, what: str) -> None:
        self.exceeded = self.exceeded or what
