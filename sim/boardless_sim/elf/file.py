"""An ELF, opened once: its bytes, sections and segments, and on demand symbols, lines and frames.

Any linked 32-bit little-endian ARM image will do; whether a board can run it is not asked here.
An ELF is hostile until checked: offsets and sizes are compared with the file before they are used.
Everything that is read of it is read from these bytes, so that what was checked is what is used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from boardless_sim.elf.symbols import ENTRY_BYTES, ElfSymbol, read_symbols, text_at
from boardless_sim.errors import ImageError
from boardless_sim.files import read_file

if TYPE_CHECKING:
    from boardless_sim.elf.cfi import Description
    from boardless_sim.elf.lines import LineTable

SHT_SYMTAB, SHT_NOBITS = 2, 8
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, _SHF_COMPRESSED = 1, 2, 4, 0x800
_PT_LOAD = 1
_ARM = 40
# What people hand over by mistake (gABI, e_machine).
_MACHINES = {
    3: "x86",
    8: "MIPS",
    62: "x86-64",
    83: "AVR",
    94: "Xtensa",
    183: "AArch64",
    243: "RISC-V",
}
_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SECTION = struct.Struct("<10I")
_SEGMENT = struct.Struct("<8I")
_MAX_UNPACKED = 256 << 20
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
class ProgramHeader:
    """One PT_LOAD program header."""

    offset: int
    address: int
    load_address: int
    file_size: int
    memory_size: int


@dataclass(frozen=True, eq=False)
class ElfFile:
    """A checked header, its tables, and the whole file. Two readings of one path are two."""

    path: Path
    raw: bytes
    entry: int
    sections: tuple[RawSection, ...]
    segments: tuple[ProgramHeader, ...]

    @cached_property
    def sha256(self) -> str:
        """The digest of the file."""
        import hashlib  # here: OpenSSL is slow to load, and few ask

        return hashlib.sha256(self.raw).hexdigest()

    @cached_property
    def symbols(self) -> tuple[ElfSymbol, ...]:
        """The symbol table; empty where the ELF is stripped. Raises `ImageError` on damage."""
        table = next((found for found in self.sections if found.kind == SHT_SYMTAB), None)
        if table is None or not table.size:
            return ()
        if (
            table.entry_size != ENTRY_BYTES
            or table.size % ENTRY_BYTES
            or table.link >= len(self.sections)
        ):
            raise ImageError(
                f"{self.path}: damaged ELF ({table.name} of {table.size} bytes in entries of "
                f"{table.entry_size}, names in section {table.link}; expected whole entries of "
                f"{ENTRY_BYTES} and one of {len(self.sections)} sections)"
            )
        names = self.data_of(self.sections[table.link])
        return tuple(read_symbols(self.data_of(table), names))

    @cached_property
    def lines(self) -> LineTable:
        """The line tables; empty, with the reason, where the ELF has none that can be read."""
        from boardless_sim.elf.lines import read_lines

        return read_lines(self)

    @cached_property
    def frames(self) -> tuple[Description, ...]:
        """Where .debug_frame puts every function's frame; empty without it."""
        from boardless_sim.elf.cfi import descriptions

        return descriptions(self.data(".debug_frame"))

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
    return elf_of(path, read_file(path, "an ELF", ImageError, _MAX_FILE_BYTES))


def elf_of(path: Path, raw: bytes) -> ElfFile:
    """The same of a file that is read already."""
    fields = _header(path, raw)
    sections = tuple(_sections(path, raw, fields))
    return ElfFile(path, raw, fields[1], sections, tuple(_segments(path, raw, fields)))


def _header(path: Path, raw: bytes) -> tuple[int, ...]:
    if raw[:4] != b"\x7fELF":
        raise ImageError(f"{path}: starts with {raw[:4]!r}, expected an ELF (b'\\x7fELF')")
    if len(raw) < _HEADER.size:
        raise ImageError(f"{path}: truncated after {len(raw)} bytes, expected an ELF header of 52")
    _, kind, machine, *fields = _HEADER.unpack_from(raw)
    if raw[5] != 1:
        raise ImageError(f"{path}: ELF data encoding {raw[5]}, expected 1 (little-endian)")
    if machine != _ARM:
        name = f" ({_MACHINES[machine]})" if machine in _MACHINES else ""
        raise ImageError(f"{path}: ELF machine {machine}{name}, expected {_ARM} (ARM)")
    if raw[4] != 1:
        raise ImageError(f"{path}: ELF class {raw[4]}, expected 1 (32-bit)")
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


def _segments(path: Path, raw: bytes, header: tuple[int, ...]) -> Iterator[ProgramHeader]:
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
            yield ProgramHeader(at, address, load_address, file_size, memory_size)
