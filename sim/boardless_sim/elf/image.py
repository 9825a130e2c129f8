"""An ELF as a board runs it: `FirmwareImage`, with its vector table checked."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from boardless_sim.elf.file import ElfFile, read_elf
from boardless_sim.elf.symbols import FUNCTION, LOCAL, NOTYPE, OBJECT
from boardless_sim.errors import ImageError

# Every STM32 has its Flash here, and every Cortex-M its SRAM below 0x40000000 (DDI 0403E, B3.1);
# how much of it there is, the chip says.
FLASH_BASE, FLASH_END = 0x0800_0000, 0x1000_0000
RAM_BASE, RAM_END = 0x1000_0000, 0x4000_0000
_KINDS = {NOTYPE: "label", OBJECT: "object", FUNCTION: "function"}


@dataclass(frozen=True)
class Segment:
    """Bytes of the image: stored at `load_address` (LMA) in Flash, used at `address` (VMA)."""

    address: int
    load_address: int
    data: bytes
    memory_size: int

    @property
    def load_end(self) -> int:
        """The first address behind what it takes of the Flash."""
        return self.load_address + len(self.data)


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
    elf: ElfFile | None = field(default=None, repr=False, compare=False)

    @property
    def raw(self) -> bytes:
        """The whole file."""
        return b"" if self.elf is None else self.elf.raw

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name. Raises `ImageError`."""
        found = self.symbols.get(name)
        if found is None:
            raise ImageError(f"{self.path}: no symbol {name!r}, expected one in the symbol table")
        return found

    @cached_property
    def _function_starts(self) -> list[int]:
        return [function.address for function in self.functions]

    @cached_property
    def objects(self) -> tuple[Symbol, ...]:
        """The variables that have a size, by address."""
        found = (s for s in self.symbols.values() if s.kind == "object" and s.size)
        return tuple(sorted(found, key=lambda s: (s.address, s.size)))

    def function_at(self, address: int) -> str:
        """The function that holds a code address; "?" outside every function."""
        index = bisect.bisect_right(self._function_starts, address & ~1) - 1
        if index < 0:
            return "?"
        function = self.functions[index]
        return function.name if (address & ~1) < function.address + max(function.size, 2) else "?"


def load_image(path: Path) -> FirmwareImage:
    """Read and check an ELF. Raises `ImageError`: the file, what was found, what was expected."""
    return image_of(read_elf(path))


def image_of(elf: ElfFile) -> FirmwareImage:
    """As `load_image`, of an ELF that is read already."""
    segments = tuple(_segments(elf))
    if not segments:
        raise ImageError(f"{elf.path}: no loadable segment, expected at least one in Flash")
    symbols = _symbols(elf)
    vector_table, initial_sp, reset = _vector_table(elf.path, segments)
    functions = tuple(
        sorted(
            (s for s in symbols if s.kind == "function"),
            key=lambda s: (s.address, -s.size, not s.is_global, s.name),
        )
    )
    return FirmwareImage(
        path=elf.path,
        segments=segments,
        symbols={s.name: s for s in sorted(symbols, key=lambda s: s.is_global)},
        vector_table=vector_table,
        initial_sp=initial_sp,
        reset_address=reset,
        sha256=elf.sha256,
        functions=_without_aliases(functions),
        elf=elf,
    )


def _segments(elf: ElfFile) -> Iterator[Segment]:
    copied = 0
    for segment in elf.segments:
        size = segment.file_size
        if not size:
            continue
        if segment.offset + size > len(elf.raw):
            raise ImageError(
                f"{elf.path}: truncated: segment at {segment.load_address:#010x} ends at byte "
                f"{segment.offset + size}, file has {len(elf.raw)}"
            )
        copied += size
        if copied > len(elf.raw):  # thousands of headers may name the same bytes
            raise ImageError(
                f"{elf.path}: segments of over {copied} bytes in a file of {len(elf.raw)}, "
                "expected each byte in one of them"
            )
        if not FLASH_BASE <= segment.load_address <= FLASH_END - size:
            raise ImageError(
                f"{elf.path}: segment of {size} bytes loads at {segment.load_address:#010x}, "
                f"expected Flash, from {FLASH_BASE:#010x} on"
            )
        data = elf.raw[segment.offset : segment.offset + size]
        yield Segment(segment.address, segment.load_address, data, segment.memory_size)


def _symbols(elf: ElfFile) -> list[Symbol]:
    if not elf.symbols:
        raise ImageError(f"{elf.path}: stripped (no .symtab), expected an ELF with its symbols")
    found = [
        Symbol(symbol.name, symbol.address, symbol.size, kind, symbol.binding != LOCAL)
        for symbol in elf.symbols
        if symbol.name and not symbol.is_mapping and (kind := _KINDS.get(symbol.kind)) is not None
    ]
    if not any(symbol.kind == "function" for symbol in found):
        raise ImageError(
            f"{elf.path}: stripped (no function symbols), expected an ELF with its symbols"
        )
    return found


def _without_aliases(functions: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    kept: dict[int, Symbol] = {}
    for function in functions:
        kept.setdefault(function.address, function)
    return tuple(kept.values())


def _vector_table(path: Path, segments: tuple[Segment, ...]) -> tuple[int, int, int]:
    """Where it stands, the initial SP and the reset vector.

    At the start of Flash, where the core looks for it after reset with BOOT0 low; an image that
    leaves that to a boot loader has its own at its start.
    """
    first = min(segments, key=lambda segment: segment.load_address)
    holder = next((s for s in segments if s.load_address <= FLASH_BASE < s.load_end), first)
    table = max(FLASH_BASE, holder.load_address)
    words = holder.data[table - holder.load_address :][:8]
    if len(words) < 8:
        raise ImageError(
            f"{path}: no vector table at {FLASH_BASE:#010x}, the image starts at {table:#010x}"
        )
    stack, reset = struct.unpack("<II", words)
    if not FLASH_BASE <= reset < FLASH_END or not reset & 1:
        raise ImageError(
            f"{path}: reset vector {reset:#010x}, expected a Thumb address (odd) in Flash"
        )
    if not RAM_BASE < stack <= RAM_END:
        raise ImageError(f"{path}: initial stack pointer {stack:#010x}, expected an address in RAM")
    # The core takes SP[1:0] as 0 (DDI 0403E, B1.4.1).
    return table, stack & ~3, reset & ~1
