"""What an ELF says of sizes: its allocated sections with both addresses, and its sized symbols."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.elf.file import (
    SHF_ALLOC,
    SHT_NOBITS,
    SHT_SYMTAB,
    ElfFile,
    RawSection,
    Segment,
    read_elf,
    text_at,
)
from boardless_sim.errors import ImageError

_ADDRESS_SPACE = 1 << 32
_SYMBOL = struct.Struct("<IIIBBH")
_NOTYPE, _OBJECT, _FUNC, _FILE = 0, 1, 2, 4
_BINDINGS = {0: "local", 1: "global", 2: "weak"}


@dataclass(frozen=True)
class Section:
    """An allocated section: where it runs, where it is loaded from (LMA), and whether it is loaded.

    `align` is what the linker may have padded before it.
    """

    name: str
    address: int
    load_address: int
    size: int
    align: int
    is_loaded: bool

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.size


@dataclass(frozen=True)
class SizedSymbol:
    """A function or an object and its bytes. Two names of the same bytes are two of these.

    `file` is the source that the symbol table names for a local symbol; `section` is the place of
    its section among the layout's.
    """

    name: str
    address: int
    size: int
    is_function: bool = False
    binding: str = "global"
    file: str = ""
    section: int | None = None


@dataclass(frozen=True)
class Layout:
    """Everything of an ELF that a size can be read from. Stripped: no symbol."""

    path: Path
    sections: tuple[Section, ...]
    symbols: tuple[SizedSymbol, ...]
    elf: ElfFile
    is_stripped: bool = False


def read_layout(path: Path) -> Layout:
    """Read and check an ELF. Raises `ImageError`: the file, what was found, what was expected."""
    elf = read_elf(path)
    placed = {
        index: _section(elf, section)
        for index, section in enumerate(elf.sections)
        if section.flags & SHF_ALLOC
    }
    if not placed:
        raise ImageError(f"{path}: no allocated section, expected a linked firmware")
    places = {index: place for place, index in enumerate(placed)}
    table = next((section for section in elf.sections if section.kind == SHT_SYMTAB), None)
    if table is None or not table.size:
        return Layout(path, tuple(placed.values()), (), elf, is_stripped=True)
    symbols = tuple(_symbols(elf, table, places))
    return Layout(path, tuple(placed.values()), symbols, elf)


def _section(elf: ElfFile, raw: RawSection) -> Section:
    is_loaded = raw.kind != SHT_NOBITS
    if is_loaded and raw.offset + raw.size > len(elf.raw):
        raise ImageError(
            f"{elf.path}: truncated: section {raw.name!r} ends at byte {raw.offset + raw.size}, "
            f"file has {len(elf.raw)}"
        )
    load_address = _load_address(elf.segments, raw, is_loaded)
    for start in (raw.address, load_address):
        if start + raw.size > _ADDRESS_SPACE:
            raise ImageError(
                f"{elf.path}: section {raw.name!r} of {raw.size} bytes at {start:#010x}, "
                "expected an end within 32 bits"
            )
    return Section(
        raw.name,
        raw.address,
        load_address,
        raw.size,
        raw.align,
        is_loaded,
    )


def _load_address(loads: Sequence[Segment], raw: RawSection, is_loaded: bool) -> int:
    """The LMA as objcopy works it out: as far into the segment as the section's bytes are."""
    address, offset, size = raw.address, raw.offset, raw.size
    if len(loads) > 1 and not any(load.load_address for load in loads):
        return address  # a linker that does not fill in p_paddr
    for load in loads:
        inside = (
            load.address <= address and address + size <= load.address + load.memory_size
        ) and (
            not is_loaded
            or (load.offset <= offset and offset + size <= load.offset + load.file_size)
        )
        if inside:
            distance = offset - load.offset if is_loaded else address - load.address
            return load.load_address + distance
    return address


def _symbols(elf: ElfFile, table: RawSection, places: dict[int, int]) -> Iterator[SizedSymbol]:
    if table.offset + table.size > len(elf.raw) or table.entry_size != _SYMBOL.size:
        raise ImageError(f"{elf.path}: damaged ELF (.symtab does not fit into the file)")
    if table.size % _SYMBOL.size or table.link >= len(elf.sections):
        raise ImageError(
            f"{elf.path}: damaged ELF (.symtab of {table.size} bytes, names in section "
            f"{table.link}; expected whole entries of 16 and one of {len(elf.sections)} sections)"
        )
    names = elf.data_of(elf.sections[table.link])
    file = ""
    for name_at, value, size, info, _other, where in _SYMBOL.iter_unpack(elf.data_of(table)):
        kind, binding = info & 15, _BINDINGS.get(info >> 4, "global")
        if kind == _FILE:
            file = text_at(names, name_at)
        if kind not in (_NOTYPE, _OBJECT, _FUNC) or not name_at or not 0 < where < 0xFF00:
            continue
        name = text_at(names, name_at)
        address = value & ~1 if kind == _FUNC else value
        if address + size > _ADDRESS_SPACE:
            raise ImageError(
                f"{elf.path}: symbol {name!r} of {size} bytes at {address:#010x}, "
                "expected an end within 32 bits"
            )
        yield SizedSymbol(
            name,
            address,
            size,
            is_function=kind == _FUNC,
            binding=binding,
            file=file if binding == "local" else "",
            section=places.get(where),
        )
