"""FlatBuffers, as much as a .tflite needs: a writer, and a reader that believes no offset.

A table is fields by slot number; https://flatbuffers.dev/internals has the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_sim.errors import ModelError

OFFSET = "I"
MOST_TABLES = 1 << 14
LONGEST_TEXT = 200


@dataclass(frozen=True)
class FlatTable:
    """A table that is read: where it begins in the file, every access within bounds."""

    content: bytes
    position: int

    def scalar(self, slot: int, kind: str, default: float) -> float:
        """A number of a `struct` kind, or the default where the file leaves it out."""
        at = self._field(slot)
        return default if at is None else unpacked(self.content, at, kind)

    def integer(self, slot: int, kind: str, default: int = 0) -> int:
        """A whole number."""
        return int(self.scalar(slot, kind, default))

    def table(self, slot: int) -> FlatTable | None:
        """A table inside this one."""
        at = self._target(slot)
        return None if at is None else FlatTable(self.content, at)

    def tables(self, slot: int) -> tuple[FlatTable, ...]:
        """A vector of tables."""
        at, count = self._vector(slot, 4)
        if count > MOST_TABLES:
            raise ModelError(f"a vector of {count} tables, expected at most {MOST_TABLES}")
        places = [at + 4 * index for index in range(count)]
        return tuple(FlatTable(self.content, followed(self.content, place)) for place in places)

    def numbers(self, slot: int, kind: str) -> NDArray[Any]:
        """A vector of numbers, a view of the file."""
        dtype = np.dtype(kind)
        at, count = self._vector(slot, dtype.itemsize)
        return np.frombuffer(self.content, dtype, count, at)

    def text(self, slot: int) -> str:
        """A text, made printable and not too long for a message."""
        at, count = self._vector(slot, 1)
        raw = self.content[at : at + min(count, LONGEST_TEXT)].decode("utf-8", "replace")
        return "".join(letter if letter.isprintable() else "?" for letter in raw)

    def _field(self, slot: int) -> int | None:
        vtable = self.position - int(unpacked(self.content, self.position, "i"))
        size = int(unpacked(self.content, vtable, "H"))
        entry = 4 + 2 * slot
        if entry + 2 > size:
            return None
        offset = int(unpacked(self.content, vtable + entry, "H"))
        return self.position + offset if offset else None

    def _target(self, slot: int) -> int | None:
        at = self._field(slot)
        return None if at is None else followed(self.content, at)

    def _vector(self, slot: int, item_bytes: int) -> tuple[int, int]:
        at = self._target(slot)
        if at is None:
            return 0, 0
        count = int(unpacked(self.content, at, OFFSET))
        if at + 4 + count * item_bytes > len(self.content):
            raise ModelError(
                f"0x{at:x}: a vector of {count} items, more than the file's "
                f"{len(self.content)} bytes hold"
            )
        return at + 4, count


def root_table(content: bytes, identifier: bytes) -> FlatTable:
    """The outermost table of a file with this identifier."""
    if content[4:8] != identifier:
        raise ModelError(f"bytes 4 to 7 are {content[4:8]!r}, expected {identifier!r}")
    return FlatTable(content, followed(content, 0))


def followed(content: bytes, at: int) -> int:
    """Where the offset that stands at a place points to."""
    return at + int(unpacked(content, at, OFFSET))


def unpacked(content: bytes, at: int, kind: str) -> float:
    """One little-endian number at a place inside the file."""
    if at < 0 or at + struct.calcsize(kind) > len(content):
        raise ModelError(f"0x{at & 0xFFFFFFFFFFFF:x}: outside of the file's {len(content)} bytes")
    value: float = struct.unpack_from("<" + kind, content, at)[0]
    return value


@dataclass(frozen=True)
class Scalar:
    """A number to write, of a `struct` kind."""

    kind: str
    value: float


@dataclass(frozen=True)
class Bytes:
    """A vector of numbers, or a text when `ends` is a zero byte; `alignment` of its items."""

    count: int
    content: bytes
    alignment: int = 1
    ends: bytes = b""


@dataclass(frozen=True)
class NewTable:
    """A table to write."""

    fields: Mapping[int, Scalar | Bytes | NewTable | Sequence[NewTable]] = field(
        default_factory=dict
    )


def vector(values: Sequence[int] | NDArray[Any], kind: str) -> Bytes:
    """Numbers of one numpy kind."""
    array = np.asarray(values, kind)
    return Bytes(array.size, array.tobytes(), array.dtype.itemsize)


def text(value: str) -> Bytes:
    """A text, which a zero byte ends."""
    raw = value.encode("utf-8")
    return Bytes(len(raw), raw, ends=b"\0")


def file_bytes(root: NewTable, identifier: bytes) -> bytes:
    """The whole file; parents stand before their children, as offsets point forward."""
    out = bytearray(struct.pack("<I4s", 0, identifier))
    point(out, 0, place_table(out, root))
    return bytes(out)


def point(out: bytearray, at: int, target: int) -> None:
    """Let the offset at a place point to what stands at `target`."""
    struct.pack_into("<I", out, at, target - at)


def pad(out: bytearray, alignment: int, ahead: int = 0) -> None:
    """Fill up until what comes `ahead` bytes later is aligned."""
    out.extend(bytes(-(len(out) + ahead) % alignment))


def place_table(out: bytearray, node: NewTable) -> int:
    """Append a table with its vtable before it and its children after it."""
    fields = sorted(node.fields.items(), key=lambda item: -field_bytes(item[1]))
    pad(out, 4)
    vtable = len(out)
    slots = 1 + max(node.fields, default=-1)
    out.extend(bytes(4 + 2 * slots))
    pad(out, 4)
    start = len(out)
    out.extend(struct.pack("<i", start - vtable))
    children: list[tuple[int, Bytes | NewTable | Sequence[NewTable]]] = []
    for slot, value in fields:
        pad(out, field_bytes(value))
        struct.pack_into("<H", out, vtable + 4 + 2 * slot, len(out) - start)
        if isinstance(value, Scalar):
            out.extend(struct.pack("<" + value.kind, value.value))
        else:
            children.append((len(out), value))
            out.extend(bytes(4))
    struct.pack_into("<HH", out, vtable, 4 + 2 * slots, len(out) - start)
    for at, child in children:
        point(out, at, place(out, child))
    return start


def field_bytes(value: object) -> int:
    """What a field takes inside its table."""
    return struct.calcsize(value.kind) if isinstance(value, Scalar) else 4


def place(out: bytearray, value: Bytes | NewTable | Sequence[NewTable]) -> int:
    """Append what an offset points to."""
    if isinstance(value, NewTable):
        return place_table(out, value)
    if isinstance(value, Bytes):
        pad(out, max(4, value.alignment), ahead=4)
        start = len(out)
        out.extend(struct.pack("<I", value.count) + value.content + value.ends)
        return start
    pad(out, 4)
    start = len(out)
    out.extend(struct.pack("<I", len(value)) + bytes(4 * len(value)))
    for index, node in enumerate(value):
        point(out, start + 4 + 4 * index, place_table(out, node))
    return start
