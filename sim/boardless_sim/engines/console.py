"""A port's bytes as they came, and as lines: binary output is kept, and is one line of them all."""

from __future__ import annotations

from boardless_sim.engines.engine import UartLine
from boardless_sim.errors import EngineError
from boardless_sim.history import History

_END = 0x0A
_MAX_LINE_BYTES = 4096
_SHOWN_BYTES = 16
_SHORT_BYTES = 80


class PortConsole:
    """What one port said since power-on. `lines` is the engine's, of all its ports."""

    def __init__(self, port: str, lines: History[UartLine]) -> None:
        self._port, self._lines = port, lines
        self._partial = bytearray()
        self._run_bytes = 0  # of the line that is a run of undecodable bytes; 0: the last is none
        self._run_at = 0  # its place among the lines
        self._run_begin = b""
        self._run_time_us = 0.0
        self._data = bytearray()
        self._has_forgotten = False

    @property
    def data(self) -> bytes:
        """Everything it said. Raises `EngineError` where that is not kept any more."""
        if self._has_forgotten:
            raise EngineError(f"port {self._port}: a stream without end keeps no bytes of long ago")
        return bytes(self._data)

    def forget(self, keep: int) -> None:
        """Bytes that were of lines before the last `keep`."""
        most = keep * _SHORT_BYTES
        if len(self._data) > 2 * most:
            self._has_forgotten = True
            del self._data[:-most]

    @property
    def unfinished(self) -> str:
        """The text since the last line end."""
        return _text(self._partial)

    @property
    def room(self) -> int:
        """Bytes until a line ends that has no end."""
        return _MAX_LINE_BYTES - len(self._partial)

    def take(self, byte: int, time_us: float) -> UartLine | None:
        """One byte; a line, where it ends one."""
        self._data.append(byte & 0xFF)
        if byte != _END and len(self._partial) < _MAX_LINE_BYTES:
            self._partial.append(byte & 0xFF)
            return None
        ended, self._partial = bytes(self._partial), bytearray()
        if byte != _END:
            self._partial.append(byte & 0xFF)
        if _is_text(ended):
            self._run_bytes = 0
            return self._add(_text(ended), time_us)
        return self._undecodable(ended, time_us)

    def take_late(self, sent: bytes) -> None:
        """Bytes within `room`, none of them a line's end."""
        self._data += sent
        self._partial += sent

    def _undecodable(self, data: bytes, time_us: float) -> UartLine | None:
        """A run of them grows, wherever a byte in it happens to be a line end's."""
        if self._run_bytes:
            self._run_bytes += 1 + len(data)
            text = _summary(self._run_begin, self._run_bytes)
            self._lines.renew(self._run_at, UartLine(self._port, text, self._run_time_us))
            return None
        self._run_bytes, self._run_at = len(data), len(self._lines)
        self._run_begin, self._run_time_us = data[:_SHOWN_BYTES], time_us
        short = len(data) <= _SHORT_BYTES
        return self._add(_text(data) if short else _summary(data, len(data)), time_us)

    def _add(self, text: str, time_us: float) -> UartLine:
        line = UartLine(self._port, text, time_us)
        self._lines.append(line)
        return line


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _text(sent: bytes | bytearray) -> str:
    return sent.decode("utf-8", "backslashreplace").rstrip("\r")


def _summary(data: bytes, size: int) -> str:
    return f"<{size} bytes: {data[:_SHOWN_BYTES].hex(' ')}…>"
