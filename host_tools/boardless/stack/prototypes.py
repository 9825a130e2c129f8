"""Prototypes by debug information: of functions, and of the pointers that a call goes through.

A prototype is what an argument takes: sizes of integers and structures, pointers alike, so that an
`int` for an `unsigned` fits. A pointer cast to another type still escapes; such a figure is graded
"assumed".
"""

from __future__ import annotations

from collections.abc import Iterator

from boardless.stack.values import Value, What
from boardless_sim.elf.dwarf import Debug, Entry
from boardless_sim.elf.dwarf_codes import Tag
from boardless_sim.elf.file import ElfFile
from boardless_sim.errors import ImageError

_NAMES_FOR = frozenset({Tag.TYPEDEF, Tag.CONST, Tag.VOLATILE, Tag.RESTRICT, Tag.ATOMIC})
_POINTERS = frozenset({Tag.POINTER, Tag.REFERENCE, Tag.RVALUE_REFERENCE})
_RECORDS = frozenset({Tag.STRUCTURE, Tag.UNION, Tag.CLASS})
_HOLDING = frozenset({*_RECORDS, *_POINTERS, Tag.ARRAY})
_FLOAT = 4
_MAX_NESTING = 24


class Prototypes:
    """What an ELF's DWARF says of functions' types; empty without any."""

    def __init__(self, elf: ElfFile) -> None:
        self._debug = _read(elf)
        self._texts: dict[int, str] = {}
        self._types: dict[int | None, Entry | None] = {None: None}
        self._functions: dict[int, Entry] = {}
        self._prototypes: dict[int, str] = {}
        self._elements: set[str] = set()  # of what a pointer to a pointer to a function leads to
        self._slots: dict[int, set[str]] = {}  # by offset into any record
        self._open: list[tuple[int, str]] = []  # in an array from that offset on
        self._variables: dict[int, set[str]] = {}
        self.ending: set[int] = set()
        self._seen: set[tuple[int, int, int]] = set()
        for entry in self._debug.found():
            self._collect(entry)
        for target in self._debug.pointed:
            self._collect_pointer(target)

    def of_function(self, address: int) -> str | None:
        """A function's prototype as text, None where nothing describes it."""
        if address not in self._functions:
            return None
        if address not in self._prototypes:
            self._prototypes[address] = self._prototype(self._origin(self._functions[address]))
        return self._prototypes[address]

    def parameter(self, function: int, name: str) -> int | None:
        """Which word of the arguments a parameter is (AAPCS32, 6.4); None where nothing tells.

        Floating-point arguments may stand in registers of their own, so none behind one is known.
        """
        if function not in self._functions:
            return None
        word = 0
        for parameter in self._debug.children(self._origin(self._functions[function])):
            if parameter.tag != Tag.PARAMETER:
                continue
            kind = self._signature(parameter.type_at)
            size = 4 if kind == "p" else int(kind[1:]) if kind[1:].isdecimal() else 0
            if size == 8:
                word += word % 2
            if self._debug.is_called(parameter, name):
                return word
            if not size or kind[0] == "f":
                return None
            word += (size + 3) // 4
        return None

    def wanted(self, caller: int, through: Value | None) -> frozenset[str] | None:
        """The prototypes that a call may have; None where nothing tells."""
        if caller not in self._functions:
            return None
        found = self._through(caller, through) if through is not None else set()
        return frozenset(found) or None

    def _through(self, caller: int, through: Value) -> set[str]:
        if through.what == What.ARGUMENT:
            return set(self._parameters(self._functions[caller]))
        if through.what != What.FIELD:
            return set()
        if through.address is not None:
            return self._variables.get(through.address, set())
        found = set(self._slots.get(through.number, ()))
        found |= {kind for offset, kind in self._open if offset <= through.number}
        return found | self._elements if found else found

    def _parameters(self, function: Entry) -> Iterator[str]:
        """Pointers to functions among what a function takes."""
        for parameter in self._debug.children(self._origin(function)):
            if parameter.tag == Tag.PARAMETER:
                kind = self._pointed(self._resolved(parameter.type_at))
                if kind is not None:
                    yield kind

    # ---- collecting ----

    def _collect(self, entry: Entry) -> None:
        if entry.tag in _RECORDS:
            self._collect_record(entry)
        elif entry.address is None:
            return
        elif entry.tag == Tag.SUBPROGRAM:
            self._functions[entry.address & ~1] = entry
            if entry.noreturn or self._origin(entry).noreturn:
                self.ending.add(entry.address & ~1)
        else:
            kinds = self._kinds(self._resolved(self._origin(entry).type_at), 0, 0)
            for offset, kind, _ in kinds:
                self._variables.setdefault(entry.address + offset, set()).add(kind)

    def _collect_record(self, entry: Entry) -> None:
        """Once for all units that include its header."""
        key = entry.name, entry.size, entry.line
        if entry.name and key in self._seen:
            return
        self._seen.add(key)
        for offset, kind, is_open in self._members(entry, 0, 0):
            self._slots.setdefault(offset, set()).add(kind)
            if is_open:
                self._open.append((offset, kind))

    def _collect_pointer(self, target: int) -> None:
        tag = self._debug.tags.get(target)
        if tag in _POINTERS or tag in _NAMES_FOR:
            kind = self._pointed(self._resolved(target))
            if kind is not None:
                self._elements.add(kind)

    def _origin(self, entry: Entry) -> Entry:
        for _ in range(4):
            origin = None if entry.origin_at is None else self._debug.entry(entry.origin_at)
            if origin is None:
                break
            entry = origin
        return entry

    def _resolved(self, at: int | None) -> Entry | None:
        """The type behind typedefs and qualifiers; None is void."""
        if at not in self._types:
            self._types[at] = self._behind_names(at)
        return self._types[at]

    def _behind_names(self, at: int | None) -> Entry | None:
        for _ in range(_MAX_NESTING):
            entry = self._debug.entry(at) if at is not None else None
            if entry is None or entry.tag not in _NAMES_FOR:
                return entry
            at = entry.type_at
        return None

    def _pointed(self, entry: Entry | None) -> str | None:
        """The prototype behind a pointer to a function."""
        if entry is None or entry.tag not in _POINTERS:
            return None
        target = self._resolved(entry.type_at)
        is_function = target is not None and target.tag == Tag.SUBROUTINE
        return self._prototype(target) if is_function and target is not None else None

    def _members(self, record: Entry, base: int, depth: int) -> Iterator[tuple[int, str, bool]]:
        """Pointers to functions in a record, with those of records inside it."""
        if depth > _MAX_NESTING:
            return
        for member in self._debug.children(record):
            if member.tag == Tag.MEMBER:
                found = self._resolved(member.type_at)
                if found is not None and found.tag in _HOLDING:
                    yield from self._kinds(found, base + member.offset, depth + 1)

    def _kinds(
        self, entry: Entry | None, offset: int, depth: int
    ) -> Iterator[tuple[int, str, bool]]:
        if entry is None or depth > _MAX_NESTING:
            return
        kind = self._pointed(entry)
        if kind is not None:
            yield offset, kind, False
        elif entry.tag in _RECORDS:
            yield from self._members(entry, offset, max(depth, 1))
        elif entry.tag == Tag.ARRAY:
            inner = self._kinds(self._resolved(entry.type_at), offset, depth + 1)
            yield from ((at, found, True) for at, found, _ in inner)

    # ---- as text ----

    def _prototype(self, entry: Entry) -> str:
        parts = []
        for parameter in self._debug.children(entry):
            if parameter.tag == Tag.PARAMETER:
                parts.append(self._signature(parameter.type_at))
            elif parameter.tag == Tag.ANY_PARAMETERS:
                parts.append("...")
        return f"{self._signature(entry.type_at)}({','.join(parts)})"

    def _signature(self, at: int | None) -> str:
        if at is None:
            return "void"
        text = self._texts.get(at)
        if text is None:
            text = self._texts[at] = self._spelt(at)
        return text

    def _spelt(self, at: int) -> str:
        entry = self._resolved(at)
        if entry is None:
            return "void"
        if entry.tag in _POINTERS:
            return "p"
        if entry.tag in _RECORDS:
            return f"s{entry.size}"
        return f"{'f' if entry.encoding == _FLOAT else 'i'}{entry.size}"


def _read(elf: ElfFile) -> Debug:
    try:
        names = ".debug_info", ".debug_abbrev", ".debug_str"
        return Debug(*(elf.data(name) for name in names))
    except ImageError:
        return Debug(b"", b"")
