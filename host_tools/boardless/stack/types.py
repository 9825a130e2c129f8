"""Types by debug information, as text: strictly, as C tells them apart, and loosely, by their size.

Strictly, a pointer is what it points to and a structure is its name; integers are their size, for
one `long` is another's `int`. Loosely, all pointers are alike and structures are their size.
Qualifiers never count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from boardless_sim.elf.dwarf import Debug, Entry
from boardless_sim.elf.dwarf_codes import Tag

_NAMES_FOR = frozenset({Tag.TYPEDEF, Tag.CONST, Tag.VOLATILE, Tag.RESTRICT, Tag.ATOMIC})
POINTERS = frozenset({Tag.POINTER, Tag.REFERENCE, Tag.RVALUE_REFERENCE})
RECORDS = frozenset({Tag.STRUCTURE, Tag.UNION, Tag.CLASS})
_PARTS = (Tag.MEMBER, Tag.INHERITANCE)
_FLOAT = 4
_MAX_NESTING = 24
_MAX_POINTED = 4


class Prototype(NamedTuple):
    """A function's type as text, both ways."""

    strict: str
    loose: str


class Member(NamedTuple):
    """What lies at an offset of a record: its type, and its name as `ops.read`."""

    type_at: int | None
    name: str


class Types:
    """The types of an ELF's DWARF. A place in the section stands for a type, None for void."""

    def __init__(self, debug: Debug) -> None:
        self._debug = debug
        self._resolved: dict[int | None, Entry | None] = {None: None}
        self._spelt: dict[tuple[int | None, bool, int], str] = {}
        self._prototypes: dict[int, Prototype] = {}

    def origin(self, entry: Entry) -> Entry:
        """What an entry is an instance of: an inlined function's own, a declaration."""
        for _ in range(4):
            origin = None if entry.origin_at is None else self._debug.entry(entry.origin_at)
            if origin is None:
                break
            entry = origin
        return entry

    def resolved(self, at: int | None) -> Entry | None:
        """The type behind typedefs and qualifiers; None is void."""
        if at not in self._resolved:
            self._resolved[at] = self._behind_names(at)
        return self._resolved[at]

    def _behind_names(self, at: int | None) -> Entry | None:
        for _ in range(_MAX_NESTING):
            entry = self._debug.entry(at) if at is not None else None
            if entry is None or entry.tag not in _NAMES_FOR:
                return entry
            at = entry.type_at
        return None

    def behind(self, entry: Entry | None) -> Entry | None:
        """As `resolved`, of an entry."""
        if entry is None or entry.tag not in _NAMES_FOR:
            return entry
        return self.resolved(entry.type_at)

    def pointee(self, at: int | None) -> Entry | None:
        """What a pointer leads to; None where it is none, or leads to void."""
        entry = self.resolved(at)
        if entry is None or entry.tag not in POINTERS:
            return None
        return self.resolved(entry.type_at)

    def pointed_function(self, entry: Entry | None) -> Prototype | None:
        """The prototype behind a pointer to a function."""
        if entry is None or entry.tag not in POINTERS:
            return None
        target = self.resolved(entry.type_at)
        if target is None or target.tag != Tag.SUBROUTINE:
            return None
        return self.prototype(target)

    def prototype(self, entry: Entry) -> Prototype:
        """The type of a function, or of what a pointer to one leads to."""
        found = self._prototypes.get(entry.end)
        if found is None:
            strict, loose = (self._function(entry, is_strict, 0) for is_strict in (True, False))
            found = self._prototypes[entry.end] = Prototype(strict, loose)
        return found

    def size_of(self, at: int | None) -> tuple[int, bool]:
        """Bytes of an argument of a type, and whether it is a floating-point number."""
        kind = self._text(at, False, 0)
        if kind == "p":
            return 4, False
        return (int(kind[1:]), kind[0] == "f") if kind[1:].isdecimal() else (0, False)

    def member_at(self, record: Entry | None, offset: int, depth: int = 0) -> Member | None:
        """What lies at an offset of a record, inside records and arrays of it too."""
        if record is None or record.tag not in RECORDS or depth > _MAX_NESTING:
            return None
        best: Entry | None = None
        for member in self._debug.children(record):
            if member.tag in _PARTS and member.offset <= offset:
                best = member if best is None or member.offset >= best.offset else best
        if best is None:
            return None
        kind, inner = self.resolved(best.type_at), self.resolved(self._element(best.type_at))
        if inner is not None and inner.tag in RECORDS:
            return self.member_at(inner, (offset - best.offset) % max(inner.size, 1), depth + 1)
        if best.offset != offset and (kind is None or kind.tag != Tag.ARRAY):
            return None
        owner = self._debug.name_of(record) or "?"
        return Member(self._element(best.type_at), f"{owner}.{self._debug.name_of(best)}")

    def beginnings(
        self, entry: Entry | None, base: int, address: int, depth: int = 0
    ) -> Iterator[int]:
        """Where what encloses an address of an object begins, and the records beside it.

        A list's node is such a record: its container is found from it.
        """
        yield base
        if entry is None or depth > _MAX_NESTING:
            return
        if entry.tag == Tag.ARRAY:
            inner = self.resolved(self._element(entry.type_at))
            size = 0 if inner is None else 4 if inner.tag in POINTERS else inner.size
            if size:
                start = base + (address - base) // size * size
                yield from self.beginnings(inner, start, address, depth + 1)
        elif entry.tag in RECORDS:
            yield from self._beginnings_in(entry, base, address, depth)

    def _beginnings_in(self, record: Entry, base: int, address: int, depth: int) -> Iterator[int]:
        parts = [
            (base + member.offset, kind)
            for member in self._debug.children(record)
            if member.tag in _PARTS and (kind := self.resolved(member.type_at)) is not None
        ]
        nearest = max((start for start, _ in parts if start <= address), default=None)
        for start, kind in parts:
            if start == nearest and kind.tag in (*RECORDS, Tag.ARRAY):
                yield from self.beginnings(kind, start, address, depth + 1)
            elif kind.tag in RECORDS:
                yield start

    def _element(self, at: int | None) -> int | None:
        for _ in range(_MAX_NESTING):
            entry = self.resolved(at)
            if entry is None or entry.tag != Tag.ARRAY:
                return at
            at = entry.type_at
        return at

    def bases(self, record: Entry) -> Iterator[str]:
        """The classes that a class derives from."""
        for part in self._debug.children(record):
            base = self.resolved(part.type_at) if part.tag == Tag.INHERITANCE else None
            if base is not None:
                yield self._debug.name_of(base)

    def members(
        self, record: Entry, base: int = 0, depth: int = 0
    ) -> Iterator[tuple[int, Prototype, bool]]:
        """Pointers to functions in a record by their offset, and whether one is in an array."""
        if depth > _MAX_NESTING:
            return
        for member in self._debug.children(record):
            if member.tag in _PARTS:
                found = self.resolved(member.type_at)
                if found is not None and found.tag in (*RECORDS, *POINTERS, Tag.ARRAY):
                    yield from self.kinds(found, base + member.offset, depth + 1)

    def kinds(
        self, entry: Entry | None, offset: int, depth: int
    ) -> Iterator[tuple[int, Prototype, bool]]:
        """Pointers to functions in what a variable or a member is."""
        if entry is None or depth > _MAX_NESTING:
            return
        kind = self.pointed_function(entry)
        if kind is not None:
            yield offset, kind, False
        elif entry.tag in RECORDS:
            yield from self.members(entry, offset, max(depth, 1))
        elif entry.tag == Tag.ARRAY:
            inner = self.kinds(self.resolved(entry.type_at), offset, depth + 1)
            yield from ((at, found, True) for at, found, _ in inner)

    # ---- as text ----

    def _function(self, entry: Entry, is_strict: bool, pointed: int) -> str:
        parts = []
        for parameter in self._debug.children(entry):
            if parameter.tag == Tag.PARAMETER:
                kind = self.origin(parameter).type_at
                parts.append(self._text(kind, is_strict, pointed))
            elif parameter.tag == Tag.ANY_PARAMETERS:
                parts.append("...")
        return f"{self._text(entry.type_at, is_strict, pointed)}({','.join(parts)})"

    def _text(self, at: int | None, is_strict: bool, pointed: int) -> str:
        key = at, is_strict, pointed
        text = self._spelt.get(key)
        if text is None:
            text = self._spelt[key] = self._spell(self.resolved(at), is_strict, pointed)
        return text

    def _spell(self, entry: Entry | None, is_strict: bool, pointed: int) -> str:
        if entry is None:
            return "void"
        if entry.tag in POINTERS:
            if not is_strict or pointed >= _MAX_POINTED:
                return "p"
            target = self.resolved(entry.type_at)
            if target is not None and target.tag == Tag.SUBROUTINE:
                return f"p{self._function(target, True, pointed + 1)}"
            return f"p:{self._text(entry.type_at, True, pointed + 1)}"
        if entry.tag in RECORDS:
            name = self._debug.name_of(entry) if is_strict else ""
            return f"s:{name}" if name else f"s{entry.size}"
        return f"{'f' if entry.encoding == _FLOAT else 'i'}{entry.size}"
