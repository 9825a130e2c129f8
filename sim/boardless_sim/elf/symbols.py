"""The symbol table of an ELF (gABI, "Symbol Table"; AAELF32, 5.5), read once and as a whole.

One by one, a parser of structures takes a tenth of a run's start for them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

NOTYPE, OBJECT, FUNCTION, FILE = 0, 1, 2, 4  # STT_*
LOCAL, GLOBAL, WEAK = 0, 1, 2  # STB_*
_UNDEFINED, _RESERVED = 0, 0xFF00  # SHN_UNDEF, SHN_LORESERVE
_ENTRY = struct.Struct("<IIIBBH")  # st_name, st_value, st_size, st_info, st_other, st_shndx
ENTRY_BYTES = _ENTRY.size
_MAX_NAME = 2_048


class ElfSymbol(NamedTuple):
    """One entry, its name resolved. `value` of a function still has its Thumb bit.

    `file` is the source that the table names for a local symbol. `section` is an index into the
    section headers.
    """

    name: str
    value: int
    size: int
    kind: int
    binding: int
    section: int
    file: str

    @property
    def address(self) -> int:
        """Where it stands, without the Thumb bit of a function."""
        return self.value & ~1 if self.kind == FUNCTION else self.value

    @property
    def is_defined(self) -> bool:
        """Whether it lies in a section: not undefined, not an absolute number."""
        return _UNDEFINED < self.section < _RESERVED

    @property
    def is_mapping(self) -> bool:
        """Whether it marks where code ($t) or data ($d) begins (AAELF32, 5.5.5)."""
        return self.name.startswith("$")


def read_symbols(table: bytes, names: bytes) -> Iterator[ElfSymbol]:
    """Every entry with a name. `table` holds whole entries."""
    known: dict[int, str] = {}  # mapping symbols share a few names and are most of the table
    file = ""
    for name_at, value, size, info, _other, section in _ENTRY.iter_unpack(table):
        kind = info & 15
        if not name_at:
            continue
        name = known.get(name_at)
        if name is None:
            name = known[name_at] = text_at(names, name_at)
        binding = info >> 4
        if kind == FILE:
            file = name
        yield ElfSymbol(name, value, size, kind, binding, section, file if binding == LOCAL else "")


def text_at(table: bytes, offset: int) -> str:
    """A name of a string table: bounded, and printable whatever the file holds."""
    end = table.find(0, offset, offset + _MAX_NAME)
    text = table[offset : end if end >= 0 else offset + _MAX_NAME].decode("utf-8", "replace")
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
