"""Packets of GDB's remote protocol: framing, checksums, escapes ("Remote Protocol", appendix E)."""

from __future__ import annotations

from enum import Enum

MOST_BYTES = 0x4000  # of a packet's body, as told to the client
_ESCAPE, _ESCAPED = 0x7D, 0x20


class Mark(Enum):
    """What stands between packets."""

    INTERRUPT = "interrupt"  # Ctrl-C
    BAD = "bad"  # a checksum that is none, or a wrong one
    TOO_LONG = "too long"  # nothing that follows can be understood


class Reader:
    """Bytes as they arrive, taken apart."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """More has arrived."""
        self._buffer += data

    def take_interrupt(self) -> bool:
        """Whether the next thing that arrived is Ctrl-C; then it is taken."""
        self._skip(b"+-")
        if self._buffer[:1] == b"\x03":
            del self._buffer[0]
            return True
        return False

    def next(self) -> bytes | Mark | None:
        """A body, a mark, or None where it is not all there yet."""
        while self._buffer:
            if self.take_interrupt():
                return Mark.INTERRUPT
            start = self._buffer.find(b"$")
            if start < 0:
                self._buffer.clear()
                return None
            del self._buffer[:start]
            return self._packet()
        return None

    def _packet(self) -> bytes | Mark | None:
        end = self._buffer.find(b"#")
        if end < 0 or len(self._buffer) < end + 3:
            return Mark.TOO_LONG if len(self._buffer) > MOST_BYTES + 4 else None
        body, checksum = bytes(self._buffer[1:end]), bytes(self._buffer[end + 1 : end + 3])
        del self._buffer[: end + 3]
        if len(body) > MOST_BYTES:
            return Mark.TOO_LONG
        return body if checksum.lower() == b"%02x" % (sum(body) & 0xFF) else Mark.BAD

    def _skip(self, what: bytes) -> None:
        while self._buffer and self._buffer[0] in what:
            del self._buffer[0]


def framed(body: bytes) -> bytes:
    """A packet around a body that needs no escapes."""
    return b"$" + body + b"#%02x" % (sum(body) & 0xFF)


def escaped(data: bytes) -> bytes:
    """Binary data for a body."""
    out = bytearray()
    for byte in data:
        if byte in b"#$}*":
            out += bytes([_ESCAPE, byte ^ _ESCAPED])
        else:
            out.append(byte)
    return bytes(out)


def unescaped(data: bytes) -> bytes:
    """The inverse of `escaped`. Raises `ValueError` where an escape has nothing behind it."""
    out = bytearray()
    at = iter(data)
    for byte in at:
        if byte == _ESCAPE:
            follower = next(at, None)
            if follower is None:
                raise ValueError("an escape at the end of a packet")
            out.append(follower ^ _ESCAPED)
        else:
            out.append(byte)
    return bytes(out)
