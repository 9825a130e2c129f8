"""What the process writes to: streams that never turn a run's verdict into an error of output."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Sink(io.RawIOBase):
    """A descriptor whose reader may be gone: what it cannot take is dropped, once and for all.

    `boardless run … | head` closes the pipe early, a log file's disk may be full; neither says
    anything about the firmware.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._is_gone = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer, /) -> int:
        if not self._is_gone:
            try:
                return os.write(self._descriptor, data)
            except OSError:
                self._is_gone = True
        return memoryview(data).nbytes


def use_lasting_streams() -> None:
    """Make stdout and stderr lasting: whatever their encoding, there or not, full or closed."""
    sys.stdout = _lasting(sys.stdout, sys.__stdout__)
    sys.stderr = _lasting(sys.stderr, sys.__stderr__)


def _lasting(stream: TextIO | None, original: TextIO | None) -> TextIO:
    if stream is None:  # started with the descriptor closed
        return Path(os.devnull).open("w", encoding="utf-8")  # for as long as we run
    if stream is not original:  # somebody else's: a test's, a notebook's
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Sink(stream.fileno())),
        encoding=stream.encoding,
        errors="backslashreplace",  # an ASCII terminal shows \xb1 for ±, and stray bytes of a name
        line_buffering=True,
    )
