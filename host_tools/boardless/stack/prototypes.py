"""Prototypes by debug information: of functions, and of the pointers that a call goes through.

A pointer cast to another type still escapes; such a figure is graded "assumed".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple

from boardless.stack.types import POINTERS, RECORDS, Prototype, Types
from boardless.stack.values import RegisterValue, What
from boardless_sim.elf.dwarf import Debug, Entry
from boardless_sim.elf.dwarf_codes import Tag
from boardless_sim.elf.file import ElfFile
from boardless_sim.errors import ImageError

_MAX_STEPS = 6


class Place(NamedTuple):
    """Where a pointer to a function lies: its prototype, and its name as `ops.read`."""

    prototype: Prototype
    name: str


class Prototypes:
    """What an ELF's DWARF says of functions' types; empty without any."""

    def __init__(self, elf: ElfFile) -> None:
        self._debug = _read(elf)
        self._types = Types(self._debug)
        self._functions: dict[int, Entry] = {}
        self._globals: dict[int, Entry] = {}
        self._elements: set[Prototype] = set()  # of what a pointer to such a pointer leads to
        self._slots: dict[int, set[Prototype]] = {}  # by offset into any record
        self._open: list[tuple[int, Prototype]] = []  # in an array from that offset on
        self._variables: dict[int, set[Prototype]] = {}
        self.ending: set[int] = set()
        self._seen: set[tuple[str, int, int]] = set()
        self._derived: dict[str, set[str]] = {}
        self._known_in: dict[range, frozenset[Prototype]] = {}
        for entry in self._debug.found():
            self._collect(entry)
        for target in self._debug.pointed:
            self._collect_pointer(target)
        self._places = sorted(self._globals)

    def of_function(self, address: int) -> Prototype | None:
        """A function's prototype, None where nothing describes it."""
        entry = self._functions.get(address)
        return None if entry is None else self._types.prototype(self._types.origin(entry))

    def parameter(self, function: int, name: str) -> int | None:
        """Which word of the arguments a parameter is (AAPCS32, 6.4); None where nothing tells."""
        for word, parameter in self._parameter_words(function):
            if self._debug.name_of(self._types.origin(parameter)) == name:
                return word
        return None

    def parameter_name(self, function: int, number: int) -> str:
        """The name of the parameter that a word of the arguments is; empty where nothing tells."""
        for word, parameter in self._parameter_words(function):
            if word == number:
                return self._debug.name_of(self._types.origin(parameter))
        return ""

    def wanted(self, caller: int, through: RegisterValue | None) -> frozenset[Prototype] | None:
        """The prototypes that a call may have; None where nothing tells."""
        if caller not in self._functions:
            return None
        if through is None:
            return self._known_to(caller) or None
        place = self.place(caller, through)
        if place is not None:
            return frozenset({place.prototype})
        found = frozenset(self._through(caller, through))
        return found & self._known_to(caller) or found or None

    def _known_to(self, caller: int) -> frozenset[Prototype]:
        """The prototypes that the unit of a function has pointers to: it calls through no other."""
        unit = self._debug.unit_of(self._functions[caller])
        if unit not in self._known_in:
            pointed = self._pointed[bisect_left(self._pointed, unit.start) :]
            found = (self._debug.entry(at) for at in takewhile(unit.__contains__, pointed))
            kinds = (self._types.behind(entry) for entry in found)
            self._known_in[unit] = frozenset(
                self._types.prototype(kind)
                for kind in kinds
                if kind is not None and kind.tag == Tag.SUBROUTINE
            )
        return self._known_in[unit]

    @cached_property
    def _pointed(self) -> list[int]:
        return sorted(self._debug.pointed | self._debug.prototypes)

    def place(self, caller: int, through: RegisterValue) -> Place | None:
        """Where a pointer comes from, followed from a parameter or a variable on."""
        found = self._type_of(caller, through, _MAX_STEPS)
        if found is None:
            return None
        prototype = self._types.pointed_function(self._types.resolved(found[0]))
        return None if prototype is None else Place(prototype, found[1])

    @cached_property
    def described(self) -> frozenset[str]:
        """The names of all records."""
        return frozenset(name for name, _, _ in self._seen)

    def virtual_classes(self, caller: int, through: RegisterValue) -> frozenset[str]:
        """Of whose virtual tables a word may come: GCC and clang point to one by `_vptr`.

        The class that has the pointer, and all that derive from it; empty where it is no such word.
        """
        found = None if through.of is None else self._type_of(caller, through.of, _MAX_STEPS)
        owner, is_table, _ = ("", "", "") if found is None else found[1].partition("._vptr")
        classes: set[str] = set()
        work = [owner] if is_table else []
        while work:
            name = work.pop()
            if name not in classes:
                classes.add(name)
                work.extend(self._derived.get(name, ()))
        return frozenset(classes)

    def variable_name(self, address: int) -> str:
        """The member or the variable at an address, where it is a pointer to a function."""
        found = self._variable(address)
        if found is None or self._types.pointed_function(self._types.resolved(found[0])) is None:
            return ""
        return found[1]

    def distances(self, address: int) -> frozenset[int]:
        """How far an address of a variable may lie from where a pointer to it leads."""
        place = bisect_right(self._places, address) - 1
        if place < 0:
            return frozenset()
        start = self._places[place]
        kind = self._types.resolved(self._types.origin(self._globals[start]).type_at)
        return frozenset(address - begin for begin in self._types.beginnings(kind, start, address))

    def _type_of(
        self, caller: int, value: RegisterValue, steps: int
    ) -> tuple[int | None, str] | None:
        """A value's type, and the name of the member or the variable that it is."""
        if value.what == What.ARGUMENT:
            for word, parameter in self._parameter_words(caller):
                if word == value.number:
                    entry = self._types.origin(parameter)
                    return entry.type_at, self._debug.name_of(entry)
            return None
        if value.what != What.FIELD or not steps:
            return None
        if value.address is not None:
            return self._variable(value.address)
        if value.of is None:
            return None
        base = self._type_of(caller, value.of, steps - 1)
        record = None if base is None else self._types.pointee(base[0])
        member = self._types.member_at(record, value.number)
        if member is not None:
            return member
        if record is not None and record.tag in POINTERS and base is not None and not value.number:
            pointer = self._types.resolved(base[0])
            return None if pointer is None else (pointer.type_at, base[1])
        return None

    def _variable(self, address: int) -> tuple[int | None, str] | None:
        """The variable at an address, or the member of it."""
        entry = self._globals.get(address)
        if entry is not None:
            entry = self._types.origin(entry)
            if self._types.pointed_function(self._types.resolved(entry.type_at)) is not None:
                return entry.type_at, self._debug.name_of(entry)
            member = self._types.member_at(self._types.resolved(entry.type_at), 0)
            return member or (entry.type_at, self._debug.name_of(entry))
        place = bisect_left(self._places, address) - 1
        if place < 0:
            return None
        below = self._places[place]
        owner = self._types.resolved(self._types.origin(self._globals[below]).type_at)
        if owner is None or owner.tag not in RECORDS or address - below >= owner.size:
            return None
        return self._types.member_at(owner, address - below)

    def _parameter_words(self, function: int) -> Iterator[tuple[int, Entry]]:
        """Each parameter and the first of its words.

        Floating-point arguments may stand in registers of their own, so none behind one is known.
        """
        entry = self._functions.get(function)
        word = 0
        for parameter in () if entry is None else self._debug.children(self._types.origin(entry)):
            if parameter.tag != Tag.PARAMETER:
                continue
            size, is_float = self._types.size_of(self._types.origin(parameter).type_at)
            word += word % 2 if size == 8 else 0
            yield word, parameter
            if not size or is_float:
                return
            word += (size + 3) // 4

    def _through(self, caller: int, through: RegisterValue) -> set[Prototype]:
        if through.what == What.ARGUMENT:
            return set(self._pointers_of(self._functions[caller]))
        if through.what != What.FIELD:
            return set()
        if through.address is not None:
            return self._variables.get(through.address, set())
        found = set(self._slots.get(through.number, ()))
        found |= {kind for offset, kind in self._open if offset <= through.number}
        return found | self._elements if found else found

    def _pointers_of(self, function: Entry) -> Iterator[Prototype]:
        """Pointers to functions among what a function takes."""
        for parameter in self._debug.children(self._types.origin(function)):
            if parameter.tag == Tag.PARAMETER:
                kind = self._types.pointed_function(
                    self._types.resolved(self._types.origin(parameter).type_at)
                )
                if kind is not None:
                    yield kind

    # ---- collecting ----

    def _collect(self, entry: Entry) -> None:
        if entry.tag in RECORDS:
            self._collect_record(entry)
        elif entry.address is None:
            return
        elif entry.tag == Tag.SUBPROGRAM:
            self._functions[entry.address & ~1] = entry
            if entry.noreturn or self._types.origin(entry).noreturn:
                self.ending.add(entry.address & ~1)
        else:
            self._globals[entry.address] = entry
            kind = self._types.resolved(self._types.origin(entry).type_at)
            for offset, found, _ in self._types.kinds(kind, 0, 0):
                self._variables.setdefault(entry.address + offset, set()).add(found)

    def _collect_record(self, entry: Entry) -> None:
        """Once for all units that include its header."""
        key = self._debug.name_of(entry), entry.size, entry.line
        if entry.name and key in self._seen:
            return
        self._seen.add(key)
        for base in self._types.bases(entry):
            self._derived.setdefault(base, set()).add(key[0])
        for offset, kind, is_open in self._types.members(entry):
            self._slots.setdefault(offset, set()).add(kind)
            if is_open:
                self._open.append((offset, kind))

    def _collect_pointer(self, target: int) -> None:
        kind = self._types.pointed_function(self._types.resolved(target))
        if kind is not None:
            self._elements.add(kind)


def _read(elf: ElfFile) -> Debug:
    try:
        names = ".debug_info", ".debug_abbrev", ".debug_str"
        return Debug(*(elf.data(name) for name in names))
    except ImageError:
        return Debug(b"", b"")
