"""Embedded synchronisation of the DCMI: codes FF 00 00 XY in the data (RM0090 section 15.5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

_PREAMBLE = b"\xff\x00\x00"
_ANY = 0xFF


class SyncEvent(Enum):
    """What a code means."""

    FRAME_START = auto()
    LINE_END = auto()
    FRAME_END = auto()
    ERROR = auto()


class EmbeddedSync:
    """Cuts a byte stream into lines and frames by the codes of ESCR under the mask of ESUR.

    Mode 2 uses all four codes. With FSC 0xFF (mode 1, ITU-R BT.656) the first line start after a
    frame end starts the frame; with FEC 0xFF every other code ends it.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._line: bytearray | None = None
        self._in_frame = False

    def feed(self, data: bytes, codes: int, unmask: int) -> Iterator[tuple[SyncEvent, bytes]]:
        """The events of `data`, with the bytes of a line at its end."""
        data = self._rest + data
        at = 0
        while (found := data.find(_PREAMBLE, at)) >= 0 and found + 3 < len(data):
            if self._line is not None:
                self._line += data[at:found]
            yield from self._code(data[found + 3], codes, unmask)
            at = found + 4
        keep = found if found >= 0 else len(data) - _preamble_tail(data[at:])
        if self._line is not None:
            self._line += data[at:keep]
        self._rest = data[keep:]

    def _code(self, code: int, codes: int, unmask: int) -> Iterator[tuple[SyncEvent, bytes]]:
        fsc, lsc, lec, fec = (_matches(code, codes >> n & 0xFF, unmask >> n & 0xFF)
                              for n in (0, 8, 16, 24))  # fmt: skip
        itu = codes & 0xFF == _ANY
        if lsc:
            if itu and not self._in_frame:
                self._in_frame = True
                yield SyncEvent.FRAME_START, b""
            if self._line is not None:
                yield SyncEvent.ERROR, b""
            self._line = bytearray()
        elif lec:
            if self._line is None:
                yield SyncEvent.ERROR, b""
                return
            line, self._line = bytes(self._line), None
            yield SyncEvent.LINE_END, line
        elif fsc and not itu:
            if self._in_frame:
                yield SyncEvent.ERROR, b""
            self._in_frame = True
            yield SyncEvent.FRAME_START, b""
            self._line = bytearray()  # the frame start starts its first line
        elif fec or codes >> 24 == _ANY:
            yield from self._end_frame()

    def _end_frame(self) -> Iterator[tuple[SyncEvent, bytes]]:
        if self._line is not None:  # the frame end ends its last line
            line, self._line = bytes(self._line), None
            yield SyncEvent.LINE_END, line
        if self._in_frame:
            self._in_frame = False
            yield SyncEvent.FRAME_END, b""


def _matches(code: int, expected: int, unmask: int) -> bool:
    return code & unmask == expected & unmask


def _preamble_tail(data: bytes) -> int:
    """How many bytes at the end of `data` may begin a preamble."""
    for length in (2, 1):
        if data.endswith(_PREAMBLE[:length]):
            return length
    return 0
