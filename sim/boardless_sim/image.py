"""ELF to `FirmwareImage`: the one ELF loader.

An ELF is hostile until checked: every size and offset is compared with the file before it is used.
"""

from __future__ import annotations

import bisect
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from elftools.common.exceptions import ELFError, ELFParseError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from boardless_sim.errors import ImageError

FLASH_BASE = 0x0800_0000
FLASH_SIZE = 0x10_0000
MAX_FILE_BYTES = 256 << 20
_DAMAGE = (  # what pyelftools lets through when links, types or sizes make no sense
    ELFError,
    ELFParseError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)
_MAILBOX = "frame_mailbox"  # firmware/app/frame_mailbox.h
# Of a symbol table, read as a whole: one by one, pyelftools takes a tenth of a run's start.
_SYMBOL = struct.Struct("<IIIBBH")  # st_name, st_value, st_size, st_info, st_other, st_shndx
_KINDS = {0: "label", 1: "object", 2: "function"}  # STT_NOTYPE, STT_OBJECT, STT_FUNC
_LOCAL = 0  # STB_LOCAL
_LONGEST_NAME = 1 << 16


@dataclass(frozen=True)
class Segment:
    """Bytes of the image: stored at `load_address` (LMA) in Flash, used at `address` (VMA)."""

    address: int
    load_address: int
    data: bytes
    memory_size: int


@dataclass(frozen=True)
class Symbol:
    """A name in the symbol table. `address` has the Thumb bit cleared."""

    name: str
    address: int
    size: int
    kind: str
    is_global: bool


@dataclass(frozen=True)
class FirmwareImage:
    """A checked firmware for a Cortex-M with Flash at 0x08000000."""

    path: Path
    segments: tuple[Segment, ...]
    symbols: Mapping[str, Symbol]
    vector_table: int
    initial_sp: int
    reset_address: int
    sha256: str
    functions: tuple[Symbol, ...] = field(repr=False)

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name. Raises `ImageError`."""
        found = self.symbols.get(name)
        if found is None:
            raise ImageError(f"{self.path}: no symbol {name!r}, expected one in the symbol table")
        return found

    @cached_property
    def _function_starts(self) -> list[int]:
        return [function.address for function in self.functions]

    def function_at(self, address: int) -> str:
        """The function that holds a code address; "?" outside every function."""
        index = bisect.bisect_right(self._function_starts, address & ~1) - 1
        if index < 0:
            return "?"
        function = self.functions[index]
        return function.name if (address & ~1) < function.address + max(function.size, 2) else "?"


def load_image(path: Path) -> FirmwareImage:
    """Read and check an ELF. Raises `ImageError`: the file, what was found, what was expected."""
    raw = _read(path)
    _check_header(path, raw)
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            segments = tuple(_segments(path, elf, raw))
            symbols = _symbols(path, elf, raw)
    except _DAMAGE as error:
        detail = ascii(f"{type(error).__name__}: {error}")[1:-1]
        raise ImageError(f"{path}: damaged ELF ({detail})") from error
    vector_table, initial_sp, reset = _vector_table(path, segments)
    functions = tuple(
        sorted(
            (s for s in symbols if s.kind == "function"),
            key=lambda s: (s.address, -s.size, not s.is_global, s.name),
        )
    )
    return FirmwareImage(
        path=path,
        segments=segments,
        symbols={s.name: s for s in sorted(symbols, key=lambda s: s.is_global)},
        vector_table=vector_table,
        initial_sp=initial_sp,
        reset_address=reset,
        sha256=hashlib.sha256(raw).hexdigest(),
        functions=_without_aliases(functions),
    )


def mailbox_of(image: FirmwareImage) -> int | None:
    """The address of the variable through which the firmware takes frames; None without one."""
    symbol = image.symbols.get(_MAILBOX)
    return None if symbol is None or symbol.kind != "object" else symbol.address


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise ImageError(f"{path}: not a file, expected an ELF")
        if size > MAX_FILE_BYTES:
            raise ImageError(f"{path}: {size} bytes, expected at most {MAX_FILE_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror or error}, expected an ELF") from error


def _check_header(path: Path, raw: bytes) -> None:
    if raw[:4] != b"\x7fELF":
        raise ImageError(f"{path}: starts with {raw[:4]!r}, expected an ELF (b'\\x7fELF')")
    if len(raw) < 52:
        raise ImageError(f"{path}: truncated after {len(raw)} bytes, expected an ELF header of 52")
    if raw[4] != 1:
        raise ImageError(f"{path}: ELF class {raw[4]}, expected 1 (32-bit)")
    if raw[5] != 1:
        raise ImageError(f"{path}: ELF data encoding {raw[5]}, expected 1 (little-endian)")
    kind, machine = struct.unpack_from("<HH", raw, 16)
    if machine != 40:
        raise ImageError(f"{path}: ELF machine {machine}, expected 40 (ARM)")
    if kind != 2:
        raise ImageError(f"{path}: ELF type {kind}, expected 2 (executable, linked at its address)")
    for what, at, entry_at, count_at in (("program", 28, 42, 44), ("section", 32, 46, 48)):
        offset = struct.unpack_from("<I", raw, at)[0]
        entry = struct.unpack_from("<H", raw, entry_at)[0]
        count = struct.unpack_from("<H", raw, count_at)[0]
        if offset + entry * count > len(raw):
            raise ImageError(
                f"{path}: truncated: {what} headers end at {offset + entry * count}, "
                f"file has {len(raw)} bytes"
            )


def _segments(path: Path, elf: ELFFile, raw: bytes) -> list[Segment]:
    found: list[Segment] = []
    for segment in elf.iter_segments():
        if segment["p_type"] != "PT_LOAD" or not segment["p_filesz"]:
            continue
        start, size = segment["p_offset"], segment["p_filesz"]
        if start + size > len(raw):
            raise ImageError(
                f"{path}: truncated: segment at {segment['p_paddr']:#010x} ends at byte "
                f"{start + size}, file has {len(raw)}"
            )
        if not FLASH_BASE <= segment["p_paddr"] <= FLASH_BASE + FLASH_SIZE - size:
            raise ImageError(
                f"{path}: segment of {size} bytes loads at {segment['p_paddr']:#010x}, expected "
                f"Flash {FLASH_BASE:#010x}-{FLASH_BASE + FLASH_SIZE - 1:#010x}"
            )
        data = raw[start : start + size]
        found.append(Segment(segment["p_vaddr"], segment["p_paddr"], data, segment["p_memsz"]))
    if not found:
        raise ImageError(f"{path}: no loadable segment, expected at least one in Flash")
    return found


def _symbols(path: Path, elf: ELFFile, raw: bytes) -> list[Symbol]:
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        raise ImageError(f"{path}: stripped (no .symtab), expected an ELF with its symbols")
    start, end = table["sh_offset"], table["sh_offset"] + table["sh_size"]
    if end > len(raw):
        raise ImageError(f"{path}: truncated: .symtab ends at byte {end}, file has {len(raw)}")
    names = table.stringtable["sh_offset"]
    found: list[Symbol] = []
    for name_at, value, size, info, _, _ in _SYMBOL.iter_unpack(raw[start:end]):
        kind = _KINDS.get(info & 0xF)
        name = _name(raw, names + name_at) if kind is not None and name_at else ""
        if kind is None or not name or name.startswith("$"):
            continue
        address = value & ~1 if kind == "function" else value
        found.append(Symbol(name, address, size, kind, info >> 4 != _LOCAL))
    if not any(symbol.kind == "function" for symbol in found):
        raise ImageError(
            f"{path}: stripped (no function symbols), expected an ELF with its symbols"
        )
    return found


def _name(raw: bytes, start: int) -> str:
    return raw[start : raw.index(b"\0", start, start + _LONGEST_NAME)].decode("utf-8", "replace")


def _without_aliases(functions: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    kept: dict[int, Symbol] = {}
    for function in functions:
        kept.setdefault(function.address, function)
    return tuple(kept.values())


def _vector_table(path: Path, segments: tuple[Segment, ...]) -> tuple[int, int, int]:
    """The table at the start of Flash, where the core looks for it after reset with BOOT0 low."""
    for segment in segments:
        offset = FLASH_BASE - segment.load_address
        if offset >= 0 and offset + 8 <= len(segment.data):
            stack, reset = struct.unpack_from("<II", segment.data, offset)
            break
    else:
        lowest = min(segment.load_address for segment in segments)
        raise ImageError(
            f"{path}: no vector table at {FLASH_BASE:#010x}, the image starts at {lowest:#010x}"
        )
    if not _in_flash(reset) or not reset & 1:
        raise ImageError(
            f"{path}: reset vector {reset:#010x}, expected a Thumb address (odd) in Flash"
        )
    if not (0x2000_0000 < stack <= 0x2002_0000 or 0x1000_0000 < stack <= 0x1001_0000):
        raise ImageError(
            f"{path}: initial stack pointer {stack:#010x}, expected an address in SRAM or CCM"
        )
    return FLASH_BASE, stack & ~3, reset & ~1  # the core takes SP[1:0] as 0 (DDI 0403E, B1.4.1)


def _in_flash(address: int) -> bool:
    return FLASH_BASE <= address < FLASH_BASE + FLASH_SIZE
