"""What a programmer flashes beside an ELF: Intel HEX, and a BIN at an address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.errors import ImageError

MOST_BYTES = 256 << 20
_DATA, _END, _SEGMENT_BASE, _SEGMENT_START, _BASE, _START = range(6)


@dataclass(frozen=True)
class Piece:
    """Bytes that lie together."""

    address: int
    data: bytearray

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + len(self.data)


def is_elf(raw: bytes) -> bool:
    """Whether a file says that it is one."""
    return raw[:4] == b"\x7fELF"


def is_intel_hex(raw: bytes) -> bool:
    """Whether a file begins as one: a colon and a record's count, address and type in hex."""
    return raw[:1] == b":" and len(raw) >= 11 and _is_hex(raw[1:9])


def read_intel_hex(path: Path, raw: bytes) -> list[Piece]:
    """Its pieces, in the file's order; neighbours are joined. Raises `ImageError`, with the line.

    Intel, "Hexadecimal Object File Format Specification", revision A.
    """
    base = 0
    pieces: list[Piece] = []
    for kind, place, data in _records(path, raw):
        if kind in (_BASE, _SEGMENT_BASE):
            base = int.from_bytes(data[:2], "big") << (16 if kind == _BASE else 4)
        elif kind == _DATA and pieces and pieces[-1].end == base + place:
            pieces[-1].data.extend(data)
        elif kind == _DATA:
            pieces.append(Piece(base + place, bytearray(data)))
    return pieces


def _records(path: Path, raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, address and data of every record up to the end's, which must be there."""
    for number, line in enumerate(raw.split(b"\n"), 1):
        text = line.strip()
        if not text:
            continue
        kind, place, data = _record(path, number, text)
        if kind == _END:
            return
        if kind not in (_DATA, _SEGMENT_BASE, _SEGMENT_START, _BASE, _START):
            raise ImageError(f"{path}:{number}: record of type {kind}, expected 0 to 5")
        yield kind, place, data
    raise ImageError(f"{path}: no end record, expected a whole Intel HEX file")


def _record(path: Path, number: int, text: bytes) -> tuple[int, int, bytes]:
    """Type, address and data of a line, its checksum checked."""
    body = text[1:]
    if text[:1] != b":" or len(body) < 10 or len(body) % 2 or not _is_hex(body):
        raise ImageError(f"{path}:{number}: {text[:20]!r}, expected a record of Intel HEX")
    values = bytes.fromhex(body.decode("ascii"))
    if len(values) != values[0] + 5:
        raise ImageError(f"{path}:{number}: {len(values) - 5} bytes, expected {values[0]}")
    if sum(values) & 0xFF:
        raise ImageError(f"{path}:{number}: checksum {values[-1]:#04x} is wrong")
    return values[3], int.from_bytes(values[1:3], "big"), values[4:-1]


def _is_hex(text: bytes) -> bool:
    return all(byte in b"0123456789abcdefABCDEF" for byte in text)
