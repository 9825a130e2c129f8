"""The structure of an ELF: its sections, segments and the bytes of each, read with struct alone.

Any linked 32-bit little-endian ARM image will do; whether a board can run it is not asked here.
An ELF is hostile until checked: offsets and sizes are compared with the file before they are used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.errors import ImageError

SHT_SYMTAB, SHT_NOBITS = 2, 8
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, _SHF_COMPRESSED = 1, 2, 4, 0x800
_PT_LOAD = 1
_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SECTION = struct.Struct("<10I")
_SEGMENT = struct.Struct("<8I")
_MAX_UNPACKED = 256 << 20
_MAX_NAME = 2_048
_MAX_FILE_BYTES = 256 << 20


@dataclass(frozen=True)
class RawSection:
    """One section header, its name resolved."""

    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    align: int
    entry_size: int


@dataclass(frozen=True)
class Segment:
    """One PT_LOAD program header."""

    offset: int
    address: int
    load_address: int
    file_size: int
    memory_size: int


@dataclass(frozen=True)
class ElfFile:
    """A checked header, its tables, and the whole file."""

    path: Path
    raw: bytes
    sections: tuple[RawSection, ...]
    segments: tuple[Segment, ...]

    def named(self, name: str) -> RawSection | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def data(self, name: str) -> bytes:
        """A section's bytes, unpacked where they are compressed; empty where it is not there."""
        section = self.named(name)
        if section is None or section.kind == SHT_NOBITS:
            return b""
        return self.data_of(section)

    def data_of(self, section: RawSection) -> bytes:
        """Raises `ImageError` where the section does not lie in the file."""
        end = section.offset + section.size
        if end > len(self.raw):
            raise ImageError(
                f"{self.path}: truncated: section {section.name!r} ends at byte {end}, "
                f"file has {len(self.raw)}"
            )
        found = self.raw[section.offset : end]
        return self._unpacked(section, found) if section.flags & _SHF_COMPRESSED else found

    def _unpacked(self, section: RawSection, packed: bytes) -> bytes:
        if len(packed) < 12 or packed[:4] != b"\1\0\0\0":
            raise ImageError(
                f"{self.path}: section {section.name!r} is compressed in a way of its own, "
                "expected zlib"
            )
        size = int.from_bytes(packed[4:8], "little")
        try:
            found = zlib.decompressobj().decompress(packed[12:], min(size, _MAX_UNPACKED) + 1)
        except zlib.error as error:
            raise ImageError(f"{self.path}: section {section.name!r}: {error}") from error
        if len(found) != size:
            raise ImageError(
                f"{self.path}: section {section.name!r} unpacks to {len(found)} bytes, "
                f"expected {size}, and at most {_MAX_UNPACKED}"
            )
        return found


def read_elf(path: Path) -> ElfFile:
    """Read and check an ELF. Raises `ImageError`: the file, what was found, what was expected."""
    raw = _read(path)
    fields = _header(path, raw)
    sections = tuple(_sections(path, raw, fields))
    return ElfFile(path, raw, sections, tuple(_segments(path, raw, fields)))


def text_at(table: bytes, offset: int) -> str:
    """A name of a string table: bounded, and printable whatever the file holds."""
    end = table.find(0, offset, offset + _MAX_NAME)
    text = table[offset : end if end >= 0 else offset + _MAX_NAME].decode("utf-8", "replace")
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(f"{path}: a folder, expected an ELF")
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise ImageError(f"{path}: {size} bytes, expected at most {_MAX_FILE_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror or error}, expected an ELF") from error


def _header(path: Path, raw: bytes) -> tuple[int, ...]:
    if raw[:4] != b"\x7fELF":
        raise ImageError(f"{path}: starts with {raw[:4]!r}, expected an ELF (b'\\x7fELF')")
    if len(raw) < _HEADER.size:
        raise ImageError(f"{path}: truncated after {len(raw)} bytes, expected an ELF header of 52")
    _, kind, machine, *fields = _HEADER.unpack_from(raw)
    if (raw[4], raw[5], machine) != (1, 1, 40):
        raise ImageError(
            f"{path}: ELF class {raw[4]}, encoding {raw[5]}, machine {machine}, "
            "expected 1, 1, 40 (32-bit little-endian ARM)"
        )
    if kind != 2:
        raise ImageError(f"{path}: ELF type {kind}, expected 2 (executable, linked at its address)")
    return tuple(fields)


def _sections(path: Path, raw: bytes, header: tuple[int, ...]) -> Iterator[RawSection]:
    offset, entry, count, names_at = header[3], header[8], header[9], header[10]
    if not offset or not count:
        raise ImageError(f"{path}: no section headers, expected an ELF with its sections")
    if offset + entry * count > len(raw):
        raise ImageError(
            f"{path}: truncated: section headers end at {offset + entry * count}, "
            f"file has {len(raw)} bytes"
        )
    if entry != _SECTION.size:
        raise ImageError(f"{path}: section headers of {entry} bytes, expected {_SECTION.size}")
    table = raw[offset : offset + entry * count]
    headers = list(_SECTION.iter_unpack(table))
    names = b""
    if names_at < count:
        at, size = headers[names_at][4:6]
        names = raw[at : at + size]
    for name, kind, flags, address, start, size, link, _info, align, entry_size in headers:
        text = text_at(names, name)
        yield RawSection(text, kind, flags, address, start, size, link, align, entry_size)


def _segments(path: Path, raw: bytes, header: tuple[int, ...]) -> Iterator[Segment]:
    offset, entry, count = header[2], header[6], header[7]
    if not count:
        return
    if entry != _SEGMENT.size or offset + entry * count > len(raw):
        raise ImageError(
            f"{path}: {count} program headers of {entry} bytes at {offset}, "
            f"expected {_SEGMENT.size} each within the file's {len(raw)}"
        )
    for fields in _SEGMENT.iter_unpack(raw[offset : offset + entry * count]):
        kind, at, address, load_address, file_size, memory_size, _flags, _align = fields
        if kind == _PT_LOAD:
            yield Segment(at, address, load_address, file_size, memory_size)
