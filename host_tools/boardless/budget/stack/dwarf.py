"""Debug information entries, read for what a prototype is made of and skipped for all else.

One pass over .debug_info (DWARF 2 to 5, 32-bit). Entries of a fixed length are stepped over in one
addition, function bodies by their sibling reference; that keeps millions of them below a second.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import IntEnum
from typing import NamedTuple

from boardless.budget.leb import uleb

MAX_ENTRIES = 4_000_000


class Tag(IntEnum):
    """The entries that matter (DWARF 5, table 7.3)."""

    ARRAY = 0x01
    CLASS = 0x02
    ENUMERATION = 0x04
    PARAMETER = 0x05
    MEMBER = 0x0D
    POINTER = 0x0F
    REFERENCE = 0x10
    STRUCTURE = 0x13
    SUBROUTINE = 0x15
    TYPEDEF = 0x16
    UNION = 0x17
    ANY_PARAMETERS = 0x18
    BASE = 0x24
    CONST = 0x26
    SUBPROGRAM = 0x2E
    VARIABLE = 0x34
    VOLATILE = 0x35
    RESTRICT = 0x37
    RVALUE_REFERENCE = 0x42
    ATOMIC = 0x47


_TAGS = frozenset(Tag)
_BODIES = frozenset({0x0B, 0x1D, 0x48, 0x4109})  # blocks, inlined calls, call sites
_SIBLING, _LOCATION, _SIZE, _LOW_PC, _ORIGIN, _ENCODING = 0x01, 0x02, 0x0B, 0x11, 0x31, 0x3E
_OFFSET, _SPECIFICATION, _TYPE, _NORETURN = 0x38, 0x47, 0x49, 0x87
_FIELDS = {_SIZE: "size", _ENCODING: "encoding", _OFFSET: "offset"}
_WANTED = frozenset(
    {
        *(_SIBLING, _LOCATION, _SIZE, _LOW_PC, _ORIGIN, _ENCODING, _OFFSET, _SPECIFICATION),
        *(_TYPE, _NORETURN),
    }
)
_FIXED = {
    0x0B: 1,
    0x05: 2,
    0x06: 4,
    0x07: 8,
    0x0C: 1,
    0x0E: 4,
    0x11: 1,
    0x12: 2,
    0x13: 4,
    0x14: 8,
    0x17: 4,
    0x19: 0,
    0x1C: 4,
    0x1D: 4,
    0x1E: 16,
    0x1F: 4,
    0x20: 8,
    0x21: 0,
    0x24: 8,
    0x25: 1,
    0x26: 2,
    0x27: 3,
    0x28: 4,
    0x29: 1,
    0x2A: 2,
    0x2B: 3,
    0x2C: 4,
    0x1F20: 4,
    0x1F21: 4,
}
_RELATIVE = frozenset({0x11, 0x12, 0x13, 0x14, 0x15})
_BLOCKS = {0x03: 2, 0x04: 4, 0x0A: 1}
_MAX_DEPTH = 512
_LOCAL = frozenset({Tag.PARAMETER, Tag.MEMBER, Tag.ANY_PARAMETERS})  # of what encloses them
_GLOBAL = 3  # a unit, a namespace and one inside it


class _Abbreviation(NamedTuple):
    """`plan`, of an entry of fixed size: attribute, distance, width, whether a reference."""

    tag: int
    has_children: bool
    forms: tuple[tuple[int, int, int], ...]  # attribute, form, implicit constant
    fixed_size: int | None
    plan: tuple[tuple[int, int, int, bool], ...] | None


class Child(NamedTuple):
    """A member or a parameter of what encloses it."""

    tag: int
    type_at: int | None
    offset: int


class Entry:
    """One entry: references are offsets into the section. `address` is low_pc or a variable's.

    Defaults are the class's own, because there are hundreds of thousands of them.
    """

    tag: int = 0
    type_at: int | None = None
    origin_at: int | None = None
    size: int = 0
    encoding: int = 0
    offset: int = 0
    address: int | None = None
    is_noreturn: bool = False
    children: Sequence[Child] = ()


def entries(info: bytes, abbreviations: bytes) -> dict[int, Entry]:
    """Every entry that matters by its offset, as far as the section can be read."""
    found: dict[int, Entry] = {}
    at = 0
    tables: dict[int, dict[int, _Abbreviation]] = {}
    while at + 12 <= len(info) and len(found) < MAX_ENTRIES:
        (length,) = struct.unpack_from("<I", info, at)
        end = at + 4 + length
        if length < 8 or end > len(info):
            break
        # a unit that cannot be read to its end tells of no more types than it did
        with suppress(ValueError, IndexError, KeyError, struct.error):
            _Unit(info, at, end, abbreviations, tables, found).read()
        at = end
    return found


class _Unit:
    def __init__(
        self,
        info: bytes,
        start: int,
        end: int,
        abbreviations: bytes,
        tables: dict[int, dict[int, _Abbreviation]],
        found: dict[int, Entry],
    ) -> None:
        self._info, self._start, self._end = info, start, end
        self._found = found
        version = int.from_bytes(info[start + 4 : start + 6], "little")
        if version == 5:
            kind, table = info[start + 6], int.from_bytes(info[start + 8 : start + 12], "little")
            self._at = start + {1: 12, 3: 12, 4: 20, 5: 20, 2: 24, 6: 24}[kind]
            self._at += 4 if kind in (2, 6) else 0
            self._address_size = info[start + 7]
        else:
            table = int.from_bytes(info[start + 6 : start + 10], "little")
            self._at = start + 11
            self._address_size = info[start + 10]
        self._version = version
        key = table << 8 | version
        if key not in tables:
            tables[key] = dict(_table(abbreviations, table, version))
        self._table = tables[key]

    def read(self) -> None:
        """Walk the unit's entries; parents are remembered for those that matter."""
        info, at, end, table = self._info, self._at, self._end, self._table
        parents: list[int] = []
        while at < end and len(parents) < _MAX_DEPTH and len(self._found) < MAX_ENTRIES:
            start = at
            code, at = (info[at], at + 1) if info[at] < 128 else uleb(info, at)
            if not code:
                if not parents:
                    return
                parents.pop()
                continue
            abbreviation = table[code]
            at, parent, sibling = self._step(at, start, abbreviation, parents)
            if not abbreviation.has_children:
                continue
            if start < sibling <= end:
                at = sibling
            else:
                parents.append(parent)

    def _step(
        self, at: int, start: int, abbreviation: _Abbreviation, parents: list[int]
    ) -> tuple[int, int, int]:
        """Past one entry: its end, itself as a parent, and where to go on without its children."""
        tag = abbreviation.tag
        if tag in _BODIES:
            at, _, sibling = self._entry(at, abbreviation)
            return at, 0, sibling
        inner = bool(parents and parents[-1])
        if tag in _LOCAL and inner:
            at, entry, _ = self._entry(at, abbreviation)
            self._adopt(parents[-1], Child(tag, entry.type_at, entry.offset))
            return at, 0, 0
        if tag not in _TAGS or tag in _LOCAL or (tag == Tag.VARIABLE and len(parents) > _GLOBAL):
            size = abbreviation.fixed_size
            return at + size if size is not None else self._skip(at, abbreviation), 0, 0
        at, self._found[start], _ = self._entry(at, abbreviation)
        return at, start, 0

    def _adopt(self, parent: int, child: Child) -> None:
        enclosing = self._found[parent]
        if isinstance(enclosing.children, list):
            enclosing.children.append(child)
        else:
            enclosing.children = [child]

    def _skip(self, at: int, abbreviation: _Abbreviation) -> int:
        for _, form, _ in abbreviation.forms:
            size = _FIXED.get(form)
            at = at + size if size is not None else self._end_of(at, form)
        return at

    def _end_of(self, at: int, form: int) -> int:
        info = self._info
        if form == 0x01:
            return at + self._address_size
        if form == 0x08:
            return info.index(0, at, self._end) + 1
        if form in (0x09, 0x18):
            size, at = uleb(info, at)
            return at + size
        if form in _BLOCKS:
            width = _BLOCKS[form]
            return at + width + int.from_bytes(info[at : at + width], "little")
        if form == 0x10:
            return at + (self._address_size if self._version < 3 else 4)
        if form == 0x16:
            form, at = uleb(info, at)
            return at + _FIXED[form] if form in _FIXED else self._end_of(at, form)
        return uleb(info, at)[1]  # sdata, udata, ref_udata, strx, addrx, loclistx, rnglistx

    def _entry(self, at: int, abbreviation: _Abbreviation) -> tuple[int, Entry, int]:
        if abbreviation.plan is None or abbreviation.fixed_size is None:
            return self._varied(at, abbreviation)
        info, entry, sibling = self._info, Entry(), 0
        entry.tag = abbreviation.tag
        for attribute, distance, width, is_relative in abbreviation.plan:
            place = at + distance
            number = int.from_bytes(info[place : place + width], "little")
            if is_relative:
                number += self._start
            if attribute == _TYPE:
                entry.type_at = number
            elif attribute == _SIBLING:
                sibling = number
            else:
                _set(entry, attribute, number)
        return at + abbreviation.fixed_size, entry, sibling

    def _varied(self, at: int, abbreviation: _Abbreviation) -> tuple[int, Entry, int]:
        """An entry whose attributes have no fixed place."""
        entry, sibling = Entry(), 0
        entry.tag = abbreviation.tag
        for attribute, form, constant in abbreviation.forms:
            end = at + _FIXED[form] if form in _FIXED else self._end_of(at, form)
            if attribute == _LOCATION:
                if end - at >= 6 and self._info[end - 5] == 0x03 and self._info[at] == 5:
                    entry.address = int.from_bytes(self._info[end - 4 : end], "little")
            elif attribute == _SIBLING:
                sibling = self._number(at, end, form, constant)
            elif attribute in _WANTED:
                _set(entry, attribute, self._number(at, end, form, constant))
            at = end
        return at, entry, sibling

    def _number(self, at: int, end: int, form: int, constant: int) -> int:
        if form == 0x21:
            return constant
        if form in (0x0D, 0x0F, 0x15):
            number = uleb(self._info, at)[0]
        else:
            number = int.from_bytes(self._info[at:end], "little")
        return number + self._start if form in _RELATIVE else number


def _set(entry: Entry, attribute: int, number: int) -> None:
    if attribute == _TYPE:
        entry.type_at = number
    elif attribute in (_ORIGIN, _SPECIFICATION):
        entry.origin_at = number
    elif attribute == _LOW_PC:
        entry.address = number & ~1
    elif attribute == _NORETURN:
        entry.is_noreturn = True
    else:
        setattr(entry, _FIELDS[attribute], number)


def _table(data: bytes, at: int, version: int) -> Iterator[tuple[int, _Abbreviation]]:
    while at < len(data):
        code, at = uleb(data, at)
        if not code:
            return
        tag, at = uleb(data, at)
        has_children, at = bool(data[at]), at + 1
        forms = []
        while True:
            attribute, at = uleb(data, at)
            form, at = uleb(data, at)
            constant = 0
            if form == 0x21:
                constant, at = uleb(data, at)
            if not attribute and not form:
                break
            forms.append((attribute, form, constant))
        fixed = {**_FIXED, 0x01: 4, **({0x10: 4} if version >= 3 else {})}
        yield code, _abbreviation(tag, has_children, tuple(forms), fixed)


def _abbreviation(
    tag: int, has_children: bool, forms: tuple[tuple[int, int, int], ...], fixed: dict[int, int]
) -> _Abbreviation:
    if any(form not in fixed for _, form, _ in forms):
        return _Abbreviation(tag, has_children, forms, None, None)
    at, plan, is_plain = 0, [], True
    for attribute, form, _ in forms:
        if attribute in _WANTED and attribute != _LOCATION:
            plan.append((attribute, at, fixed[form], form in _RELATIVE))
            is_plain = is_plain and form != 0x21
        at += fixed[form]
    return _Abbreviation(tag, has_children, forms, at, tuple(plan) if is_plain else None)
