"""A converter that waits for a timer's signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class TriggerSource(Protocol):
    """A timer, as a converter sees it."""

    def listen(self, signal: str, heard: Callable[[], None]) -> None:
        """Call back at each pulse of a signal."""

    def ignore(self, signal: str, heard: Callable[[], None]) -> None:
        """Call back no more."""


class Triggered:
    """Listens to one signal at a time."""

    def __init__(self) -> None:
        self._source: TriggerSource | None = None
        self._signal = ""
        self._heard: Callable[[], None] = lambda: None

    def follow(self, source: TriggerSource | None, signal: str, heard: Callable[[], None]) -> None:
        """From now on this signal; none without a source."""
        if source is self._source and signal == self._signal:
            return
        self.stop()
        if source is not None:
            source.listen(signal, heard)
            self._source, self._signal, self._heard = source, signal, heard

    def stop(self) -> None:
        """Nothing from now on."""
        if self._source is not None:
            self._source.ignore(self._signal, self._heard)
        self._source, self._signal = None, ""
