"""What an ELF says of sizes: its allocated sections with both addresses, and its sized symbols.

Any linked 32-bit little-endian ARM image will do; whether a board can run it is not asked here.
An ELF is hostile until checked: offsets and sizes are compared with the file before they are used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from boardless_sim.errors import ImageError
from boardless_sim.image import MAX_FILE_BYTES

_ADDRESS_SPACE = 1 << 32
_SHF_ALLOC = 2
_SIZED_KINDS = ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE")
_HEADER_BYTES = 52


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


@dataclass(frozen=True)
class SizedSymbol:
    """A function or an object and its bytes. Two names of the same bytes are two of these."""

    name: str
    address: int
    size: int


@dataclass(frozen=True)
class Layout:
    """Everything of an ELF that a size can be read from."""

    path: Path
    sections: tuple[Section, ...]
    symbols: tuple[SizedSymbol, ...]


@dataclass(frozen=True)
class _Load:
    offset: int
    address: int
    load_address: int
    file_size: int
    memory_size: int


def read_layout(path: Path) -> Layout:
    """Read and check an ELF. Raises `ImageError`: the file, what was found, what was expected."""
    size = _check_file(path)
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            loads = _loads(elf)
            sections = tuple(_sections(path, elf, loads, size))
            symbols = tuple(_symbols(path, elf, size))
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror or error}, expected an ELF") from error
    except (
        ELFError,
        struct.error,
        ValueError,
        LookupError,
        ArithmeticError,
        AttributeError,
        TypeError,
        AssertionError,
    ) as error:
        # what pyelftools lets through where tables, links or types make no sense
        what = str(error) if str(error).isprintable() else repr(str(error))
        raise ImageError(f"{path}: damaged ELF ({what or type(error).__name__})") from error
    if not sections:
        raise ImageError(f"{path}: no allocated section, expected a linked firmware")
    return Layout(path, sections, symbols)


def _check_file(path: Path) -> int:
    try:
        if path.is_dir():
            raise ImageError(f"{path}: a folder, expected an ELF")
        with path.open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror or error}, expected an ELF") from error
    if size > MAX_FILE_BYTES:
        raise ImageError(f"{path}: {size} bytes, expected at most {MAX_FILE_BYTES}")
    if header[:4] != b"\x7fELF":
        raise ImageError(f"{path}: starts with {header[:4]!r}, expected an ELF (b'\\x7fELF')")
    if len(header) < _HEADER_BYTES:
        raise ImageError(f"{path}: truncated after {size} bytes, expected an ELF header of 52")
    kind, machine = struct.unpack_from("<HH", header, 16)
    if (header[4], header[5], machine) != (1, 1, 40):
        raise ImageError(
            f"{path}: ELF class {header[4]}, encoding {header[5]}, machine {machine}, "
            "expected 1, 1, 40 (32-bit little-endian ARM)"
        )
    if kind != 2:
        raise ImageError(f"{path}: ELF type {kind}, expected 2 (executable, linked at its address)")
    offset, entry, count = struct.unpack_from("<I", header, 32) + struct.unpack_from(
        "<HH", header, 46
    )
    if not offset or not count:
        raise ImageError(f"{path}: no section headers, expected an ELF with its sections")
    if offset + entry * count > size:
        raise ImageError(
            f"{path}: truncated: section headers end at {offset + entry * count}, "
            f"file has {size} bytes"
        )
    return size


def _loads(elf: ELFFile) -> list[_Load]:
    return [
        _Load(
            segment["p_offset"],
            segment["p_vaddr"],
            segment["p_paddr"],
            segment["p_filesz"],
            segment["p_memsz"],
        )
        for segment in elf.iter_segments()
        if segment["p_type"] == "PT_LOAD"
    ]


def _sections(path: Path, elf: ELFFile, loads: list[_Load], file_size: int) -> Iterator[Section]:
    for section in elf.iter_sections():
        if not section["sh_flags"] & _SHF_ALLOC:
            continue
        name, address, size = section.name, section["sh_addr"], section["sh_size"]
        is_loaded = section["sh_type"] != "SHT_NOBITS"
        offset = section["sh_offset"]
        if is_loaded and offset + size > file_size:
            raise ImageError(
                f"{path}: truncated: section {name!r} ends at byte {offset + size}, "
                f"file has {file_size}"
            )
        load_address = _load_address(loads, offset, address, size, is_loaded)
        for start in (address, load_address):
            if start + size > _ADDRESS_SPACE:
                raise ImageError(
                    f"{path}: section {name!r} of {size} bytes at {start:#010x}, "
                    "expected an end within 32 bits"
                )
        yield Section(name, address, load_address, size, section["sh_addralign"], is_loaded)


def _load_address(loads: list[_Load], offset: int, address: int, size: int, is_loaded: bool) -> int:
    """The LMA as objcopy works it out: as far into the segment as the section's bytes are."""
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


def _symbols(path: Path, elf: ELFFile, file_size: int) -> Iterator[SizedSymbol]:
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection) or not table["sh_size"]:
        raise ImageError(f"{path}: stripped (no .symtab), expected an ELF with its symbols")
    if table["sh_offset"] + table["sh_size"] > file_size or table["sh_entsize"] != 16:
        raise ImageError(f"{path}: damaged ELF (.symtab does not fit into the file)")
    for symbol in table.iter_symbols():
        info, size, where = symbol["st_info"], symbol["st_size"], symbol["st_shndx"]
        if info["type"] not in _SIZED_KINDS or not symbol.name or not isinstance(where, int):
            continue
        address = symbol["st_value"] & ~1 if info["type"] == "STT_FUNC" else symbol["st_value"]
        if address + size > _ADDRESS_SPACE:
            raise ImageError(
                f"{path}: symbol {symbol.name!r} of {size} bytes at {address:#010x}, "
                "expected an end within 32 bits"
            )
        yield SizedSymbol(symbol.name, address, size)
