"""A firmware as a board runs it, of an ELF, an Intel HEX or a BIN: `FirmwareImage`."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from boardless_sim.elf.file import ElfFile, elf_of, read_elf
from boardless_sim.elf.formats import MOST_BYTES, Piece, is_elf, is_intel_hex, read_intel_hex
from boardless_sim.elf.symbols import FUNCTION, LOCAL, NOTYPE, OBJECT
from boardless_sim.errors import ImageError
from boardless_sim.files import read_file

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
class ImagePlan:
    """How a firmware is flashed, where its file does not say it.

    `vector_table`: where the core starts, None for the start of Flash. `at`: where a BIN goes, None
    for there too. `also`: further files, such as a boot loader, and where a BIN of them goes.
    `symbols`: an ELF that has the names which the file lacks.
    """

    vector_table: int | None = None
    at: int | None = None
    also: tuple[tuple[Path, int | None], ...] = ()
    symbols: Path | None = None


AS_IT_IS = ImagePlan()


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
    """A checked firmware for a Cortex-M with Flash at 0x08000000. Without names it has no symbols.

    `elf`: where names, lines and call frames are; None for a HEX or BIN without `symbols`.
    """

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

    def require_names(self, what: str) -> None:
        """Raises `ImageError` for what nothing can be said of without names."""
        if not self.functions:
            raise ImageError(
                f"{self.path}: no symbols, {what} needs them: expected --symbols ELF "
                "with those of this build"
            )

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


def load_image(path: Path, plan: ImagePlan = AS_IT_IS) -> FirmwareImage:
    """Read and check a firmware. Raises `ImageError`: the file, what was found, what was expected.

    An ELF, an Intel HEX, or a BIN, told apart by how they begin.
    """
    return image_from(path, read_file(path, "an ELF", ImageError, MOST_BYTES), plan)


def image_from(path: Path, raw: bytes, plan: ImagePlan = AS_IT_IS) -> FirmwareImage:
    """The same of a file's bytes; `path` is what messages call it."""
    elf = None if _is_other(path, raw) else elf_of(path, raw)
    return _image(path, raw, elf, plan)


def image_of(elf: ElfFile, plan: ImagePlan = AS_IT_IS) -> FirmwareImage:
    """As `load_image`, of an ELF that is read already."""
    return _image(elf.path, elf.raw, elf, plan)


def _image(path: Path, raw: bytes, elf: ElfFile | None, plan: ImagePlan) -> FirmwareImage:
    segments = tuple(_segments_of(path, raw, elf, plan.at))
    if not segments:
        raise ImageError(f"{path}: no loadable segment, expected at least one in Flash")
    named = elf if plan.symbols is None else read_elf(plan.symbols)
    if named is not None and named is not elf:
        _require_same_code(named, segments)
    symbols = [] if named is None else _symbols(named)
    for other, at in plan.also:
        segments = (*segments, *_beside(other, at, segments))
    vector_table, initial_sp, reset = _vector_table(path, segments, plan.vector_table)
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
        sha256=_sha256(raw) if elf is None else elf.sha256,
        functions=_without_aliases(functions),
        elf=named,
    )


def _sha256(raw: bytes) -> str:
    import hashlib  # here: OpenSSL is slow to load, and few ask

    return hashlib.sha256(raw).hexdigest()


def _is_other(path: Path, raw: bytes) -> bool:
    """Whether it is a HEX or a BIN: anything that is no ELF is a BIN only by its name."""
    return not is_elf(raw) and (is_intel_hex(raw) or path.suffix.lower() == ".bin")


def _segments_of(path: Path, raw: bytes, elf: ElfFile | None, at: int | None) -> Iterator[Segment]:
    if elf is not None:
        yield from _segments(elf)
        return
    if is_intel_hex(raw):
        pieces = read_intel_hex(path, raw)
    else:
        pieces = [Piece(FLASH_BASE if at is None else at, bytearray(raw))]
    for piece in pieces:
        _require_flash(path, piece.address, len(piece.data))
        yield Segment(piece.address, piece.address, bytes(piece.data), len(piece.data))


def _beside(path: Path, at: int | None, taken: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments of a further file, which must have a place of their own."""
    raw = read_file(path, "an ELF, a HEX or a BIN", ImageError, MOST_BYTES)
    elf = None if _is_other(path, raw) else elf_of(path, raw)
    found = tuple(_segments_of(path, raw, elf, at))
    for segment in found:
        for other in taken:
            if segment.load_address < other.load_end and other.load_address < segment.load_end:
                raise ImageError(
                    f"{path}: {len(segment.data)} bytes at {segment.load_address:#010x}, where "
                    f"the firmware has {len(other.data)} at {other.load_address:#010x}"
                )
    return found


def _require_same_code(named: ElfFile, segments: tuple[Segment, ...]) -> None:
    """Names of another build would be lies."""
    for own in _segments(named):
        for segment in segments:
            start = max(own.load_address, segment.load_address)
            end = min(own.load_end, segment.load_end)
            ours = segment.data[
                start - segment.load_address : max(end, start) - segment.load_address
            ]
            theirs = own.data[start - own.load_address : max(end, start) - own.load_address]
            if ours != theirs:
                at = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
                raise ImageError(
                    f"{named.path}: other bytes than the firmware at {start + at:#010x}, expected "
                    "the ELF that it was made from"
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
        _require_flash(elf.path, segment.load_address, size)
        data = elf.raw[segment.offset : segment.offset + size]
        yield Segment(segment.address, segment.load_address, data, segment.memory_size)


def _require_flash(path: Path, address: int, size: int) -> None:
    if not FLASH_BASE <= address <= FLASH_END - size:
        raise ImageError(
            f"{path}: segment of {size} bytes loads at {address:#010x}, "
            f"expected Flash, from {FLASH_BASE:#010x} on"
        )


def _symbols(elf: ElfFile) -> list[Symbol]:
    return [
        Symbol(symbol.name, symbol.address, symbol.size, kind, symbol.binding != LOCAL)
        for symbol in elf.symbols
        if symbol.name and not symbol.is_mapping and (kind := _KINDS.get(symbol.kind)) is not None
    ]


def _without_aliases(functions: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    kept: dict[int, Symbol] = {}
    for function in functions:
        kept.setdefault(function.address, function)
    return tuple(kept.values())


def _vector_table(
    path: Path, segments: tuple[Segment, ...], wanted: int | None
) -> tuple[int, int, int]:
    """Where it stands, the initial SP and the reset vector.

    At the start of Flash, where the core looks for it after reset with BOOT0 low; an image that
    leaves that to a boot loader has its own at its start, or where the user says.
    """
    first = min(segments, key=lambda segment: segment.load_address)
    place = FLASH_BASE if wanted is None else wanted
    holder = next((s for s in segments if s.load_address <= place < s.load_end), first)
    table = max(place, holder.load_address)
    words = holder.data[table - holder.load_address :][:8]
    if len(words) < 8 or wanted not in (None, table):
        start = first.load_address
        raise ImageError(
            f"{path}: no vector table at {place:#010x}, the image starts at {start:#010x}"
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
