"""What an ELF says of sizes: its allocated sections with both addresses, and its sized symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.elf.file import (
    SHF_ALLOC,
    SHF_WRITE,
    SHT_NOBITS,
    ElfFile,
    ProgramHeader,
    RawSection,
    read_elf,
)
from boardless_sim.elf.symbols import FUNCTION, LOCAL, NOTYPE, OBJECT, WEAK
from boardless_sim.errors import ImageError

_ADDRESS_SPACE = 1 << 32
_BINDINGS = {LOCAL: "local", WEAK: "weak"}


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
    is_writable: bool = True

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
    return layout_of(read_elf(path))


def layout_of(elf: ElfFile) -> Layout:
    """As `read_layout`, of an ELF that is read already."""
    placed = {
        index: _section(elf, section)
        for index, section in enumerate(elf.sections)
        if section.flags & SHF_ALLOC
    }
    if not placed:
        raise ImageError(f"{elf.path}: no allocated section, expected a linked firmware")
    places = {index: place for place, index in enumerate(placed)}
    symbols = tuple(_symbols(elf, places))
    return Layout(elf.path, tuple(placed.values()), symbols, elf, is_stripped=not elf.symbols)


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
        name=raw.name,
        address=raw.address,
        load_address=load_address,
        size=raw.size,
        align=raw.align,
        is_loaded=is_loaded,
        is_writable=bool(raw.flags & SHF_WRITE),
    )


def _load_address(loads: Sequence[ProgramHeader], raw: RawSection, is_loaded: bool) -> int:
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
    return next(iter(_beside(loads, raw, is_loaded)), address)


def _beside(loads: Sequence[ProgramHeader], raw: RawSection, is_loaded: bool) -> Iterator[int]:
    """armlink's: a section that runs in RAM has its bytes in the segment of the code before it."""
    for load in loads:
        start = raw.offset - load.offset
        if is_loaded and raw.size and 0 <= start <= load.file_size - raw.size:
            yield load.load_address + start


def _symbols(elf: ElfFile, places: dict[int, int]) -> Iterator[SizedSymbol]:
    for symbol in elf.symbols:
        if symbol.kind not in (NOTYPE, OBJECT, FUNCTION) or not symbol.is_defined:
            continue
        if symbol.address + symbol.size > _ADDRESS_SPACE:
            raise ImageError(
                f"{elf.path}: symbol {symbol.name!r} of {symbol.size} bytes at "
                f"{symbol.address:#010x}, expected an end within 32 bits"
            )
        yield SizedSymbol(
            symbol.name,
            symbol.address,
            symbol.size,
            is_function=symbol.kind == FUNCTION,
            binding=_BINDINGS.get(symbol.binding, "global"),
            file=symbol.file,
            section=places.get(symbol.section),
        )
