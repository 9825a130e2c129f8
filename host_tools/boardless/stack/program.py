"""The code of an ELF as the stack's analysis needs it: functions, halfwords, constants, vectors."""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from boardless_sim.elf.demangle import demangled
from boardless_sim.elf.file import SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS, ElfFile
from boardless_sim.elf.symbols import FUNCTION, GLOBAL, LOCAL, NOTYPE, OBJECT, WEAK
from boardless_sim.errors import ImageError

# coprocessors 10 and 11: second halfword of bits 11 to 9 = 101
_FPU = re.compile(
    rb"[\x00-\xff][\xec-\xee][\x00-\xff][\x0a\x0b\x1a\x1b\x2a\x2b\x3a\x3b\x4a\x4b\x5a\x5b"
    rb"\x6a\x6b\x7a\x7b\x8a\x8b\x9a\x9b\xaa\xab\xba\xbb\xca\xcb\xda\xdb\xea\xeb\xfa\xfb]",
    re.DOTALL,
)
_MAX_FUNCTIONS = 1 << 16
_BINDING_ORDER = {GLOBAL: 0, LOCAL: 1, WEAK: 2}  # the name a person would use first
_RAM = range(0x1000_0000, 0x4000_0000)
_SYSTEM_VECTORS = 16
_MAX_VECTORS = 16 + 496  # the most interrupts that ARMv8-M knows


@dataclass(frozen=True)
class Function:
    """A function's place and all its names; the first is the one it is called by here."""

    address: int
    size: int
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True)
class Code:
    """Bytes in memory: an executable section, or constants. `halfwords` starts at `start`."""

    start: int
    end: int
    data: bytes
    halfwords: memoryview


@dataclass(frozen=True)
class DataObject:
    """A named object and its bytes' range."""

    address: int
    size: int
    name: str


class Program:
    """An ELF with symbols. Every look-up is by address without the Thumb bit."""

    def __init__(self, elf: ElfFile) -> None:
        self.elf = elf
        self.code: list[Code] = []
        self.constants: list[Code] = []
        self.writable: list[Code] = []
        self._load()
        self.functions: dict[int, Function] = {}
        self.objects: list[DataObject] = []
        self.literal_starts: set[int] = set()
        self._marks: list[tuple[int, bool]] = []
        self.is_stripped = True
        self._read_symbols()
        self._literals = sorted(self.literal_starts)
        self._object_starts = [found.address for found in self.objects]
        self.by_name: dict[str, list[int]] = {}
        for function in self.functions.values():
            for name in function.names:
                self.by_name.setdefault(name, []).append(function.address)
        for name in list(self.by_name):
            source_name = demangled(name)
            if source_name is not None:
                self.by_name.setdefault(source_name, []).extend(self.by_name[name])
        self.entry = elf.entry & ~1
        self.vector_range = range(0)
        self.vectors = tuple(self._vectors())
        self.reset = next((at for number, at in self.vectors if number == 1), self.entry)
        for address in (self.entry, *(handler for _, handler in self.vectors)):
            self._place_label(address)

    def code_at(self, address: int) -> Code | None:
        """The executable section that holds an address."""
        return next((code for code in self.code if code.start <= address < code.end), None)

    def run_from(self, address: int, code: Code) -> int:
        """Where what is marked as code, from an address of a section on, ends."""
        place = bisect_right(self._literals, address)
        following = self._literals[place] if place < len(self._literals) else code.end
        return min(following, code.end)

    def constant(self, address: int) -> int | None:
        """A word that no store changes: of code or of a read-only section."""
        for held in (*self.code, *self.constants):
            if held.start <= address <= held.end - 4:
                at = address - held.start
                return int.from_bytes(held.data[at : at + 4], "little")
        return None

    def initial_word(self, address: int) -> int | None:
        """A word as the image loads it, of any section."""
        for held in (*self.code, *self.constants, *self.writable):
            if held.start <= address <= held.end - 4:
                at = address - held.start
                return int.from_bytes(held.data[at : at + 4], "little")
        return None

    def label(self, name: str) -> int | None:
        """The value of a symbol that is no function: a linker script's, an object's."""
        return self._labels.get(name)

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {s.name: s.value for s in self.elf.symbols if s.kind != FUNCTION and s.section}

    def object_name(self, address: int) -> str:
        """The name of the variable that begins at an address; empty where none does."""
        found = self.object_at(address)
        return found.name if found is not None and found.address == address else ""

    def file_of(self, address: int) -> str:
        """The source file that the symbol table names for a local function; empty for others."""
        return self._files.get(address, "")

    @cached_property
    def _files(self) -> dict[int, str]:
        return {s.address: s.file for s in self.elf.symbols if s.kind == FUNCTION and s.file}

    def object_at(self, address: int) -> DataObject | None:
        """The sized object that an address lies in."""
        place = bisect_right(self._object_starts, address) - 1
        if place < 0:
            return None
        found = self.objects[place]
        return found if address < found.address + found.size else None

    def next_code(self, address: int) -> int | None:
        """Where code goes on behind the literals at `address`, as the ELF marks it."""
        place = bisect_right(self._marks, (address, True))
        return next((at for at, is_code in self._marks[place:] if is_code), None)

    def may_be_literal(self, address: int) -> bool:
        """Whether a word of an executable section is data; where nothing is marked, any is."""
        place = bisect_right(self._marks, (address, True)) - 1
        return not self._marks or (place >= 0 and not self._marks[place][1])

    def uses_fpu(self) -> bool:
        """Whether code may hold FPU instructions; a literal that looks like one counts too."""
        return any(
            match.start() % 2 == 0 for held in self.code for match in _FPU.finditer(held.data)
        )

    def _load(self) -> None:
        for section in self.elf.sections:
            if not section.flags & SHF_ALLOC or section.kind == SHT_NOBITS or not section.size:
                continue
            data = self.elf.data_of(section)
            even = data + b"\0" if len(data) & 1 else data
            held = Code(
                section.address, section.address + len(data), data, memoryview(even).cast("H")
            )
            if section.flags & SHF_EXECINSTR:
                self.code.append(held)
            elif section.flags & SHF_WRITE:
                self.writable.append(held)
            else:
                self.constants.append(held)

    def _read_symbols(self) -> None:
        executable = {
            index
            for index, section in enumerate(self.elf.sections)
            if section.flags & SHF_ALLOC and section.flags & SHF_EXECINSTR
        }
        found: dict[int, tuple[int, list[tuple[int, str]]]] = {}
        for name, value, size, kind, binding, where, _ in self.elf.symbols:
            if not 0 < where < 0xFF00:
                continue
            if kind == FUNCTION:
                address = value & ~1
                longest, names = found.setdefault(address, (0, []))
                names.append((_BINDING_ORDER.get(binding, 3), name))
                found[address] = max(longest, size), names
            elif kind == NOTYPE and where in executable and name.startswith("$"):
                self._mark(value, name[1:2])
            elif kind == OBJECT and size:
                self.objects.append(DataObject(value, size, name))
        self._marks.sort()
        self.objects.sort(key=lambda item: (item.address, -item.size))
        self.is_stripped = not found
        self._place(found)

    def _mark(self, address: int, letter: str) -> None:
        if letter in ("t", "d"):
            self._marks.append((address, letter == "t"))
            if letter == "d":
                self.literal_starts.add(address)

    def _place(self, found: dict[int, tuple[int, list[tuple[int, str]]]]) -> None:
        """Functions, each with an extent: one of size 0 reaches to the next."""
        starts = sorted(found)
        if len(starts) > _MAX_FUNCTIONS:
            raise ImageError(
                f"{self.elf.path}: {len(starts)} functions, expected at most {_MAX_FUNCTIONS}"
            )
        for place, address in enumerate(starts):
            size, names = found[address]
            code = self.code_at(address)
            if code is None:
                continue
            following = starts[place + 1] if place + 1 < len(starts) else code.end
            size = size or min(following, code.end) - address
            unique = tuple(dict.fromkeys(name for _, name in sorted(names)))
            self.functions[address] = Function(address, min(size, code.end - address), unique)

    def _place_label(self, address: int) -> None:
        """Assembly may begin at a label that is no function; it reaches to the next one."""
        code = self.code_at(address)
        if code is None or any(f.address <= address < f.end for f in self.functions.values()):
            return
        following = min((at for at in self.functions if at > address), default=code.end)
        names = (s.name for s in self.elf.symbols if s.value == address and s.kind == NOTYPE)
        name = next((name for name in names if not name.startswith("$")), f"sub_{address:08x}")
        self.functions[address] = Function(address, min(following, code.end) - address, (name,))
        self.by_name.setdefault(name, []).append(address)

    def _vectors(self) -> Iterator[tuple[int, int]]:
        """Exception number and handler, from the table that the core begins with."""
        start, words = self._table()
        for number, word in enumerate(words):
            is_handler = word & 1 and self.code_at(word & ~1) is not None
            if number and word and not is_handler and number >= 16:
                return
            self.vector_range = range(start, start + 4 * number + 4)
            if number and is_handler:
                yield number, word & ~1

    def _table(self) -> tuple[int, list[int]]:
        """Where a section starts with a stack and the entry point; else with what can be no other.

        armlink's entry point is `__main`, where the reset handler goes on.
        """
        tables = [
            (held.start, [word for (word,) in struct.iter_unpack("<I", table)])
            for held in (*self.constants, *self.code, *self.writable)
            for table in [held.data[: min(len(held.data), 4 * _MAX_VECTORS) & ~3]]
        ]
        for start, words in tables:
            if len(words) >= 2 and words[1] == self.entry | 1 and not words[0] & 3:
                return start, words
        return next((t for t in tables if self._begins_a_table(t[1])), (0, []))

    def _begins_a_table(self, words: list[int]) -> bool:
        """A stack in RAM, a handler for a reset, for an NMI and for a fault (DDI 0403E, B1.5.3)."""
        if len(words) < _SYSTEM_VECTORS or words[0] & 3 or words[0] not in _RAM:
            return False
        return all(word & 1 and self.code_at(word & ~1) is not None for word in words[1:4])
