"""Debug information entries, read for what a prototype is made of and skipped for all else.

.debug_info of DWARF 2 to 5, 32-bit. One pass finds functions, variables, records and pointers; what
stands inside them is read when it is asked for. Bodies are stepped over by their sibling reference,
entries of a fixed length in one addition: that keeps millions of them below a second.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from enum import IntEnum
from typing import Final, NamedTuple

from boardless_sim.elf.leb import uleb

_DAMAGE = (ValueError, IndexError, KeyError, struct.error)
_MAX_ENTRIES = 4_000_000
_MAX_CHILDREN = 4_096


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


_FOUND = frozenset({Tag.SUBPROGRAM, Tag.VARIABLE})
_POINTERS = frozenset({Tag.POINTER, Tag.REFERENCE, Tag.RVALUE_REFERENCE})
_BODIES = frozenset(  # what the pass does not go into, where it can step over it
    {
        *(Tag.SUBROUTINE, Tag.ENUMERATION, Tag.ARRAY, 0x0B, 0x1D, 0x48, 0x4109),
    }
)
_PARTS = frozenset({Tag.MEMBER, Tag.PARAMETER, Tag.ANY_PARAMETERS})
_RECORDS = frozenset({Tag.STRUCTURE, Tag.UNION, Tag.CLASS})
_NAMES = frozenset({Tag.TYPEDEF, Tag.CONST, Tag.VOLATILE, Tag.RESTRICT, Tag.ATOMIC})
_SIBLING, _LOCATION, _NAME, _LOW_PC, _LINE, _TYPE = 0x01, 0x02, 0x03, 0x11, 0x3B, 0x49
_FIELDS = {
    0x0B: "size",
    _LOW_PC: "address",
    0x31: "origin_at",
    0x38: "offset",
    0x3E: "encoding",
    0x47: "origin_at",
    _TYPE: "type_at",
    0x87: "noreturn",
    _SIBLING: "sibling",
    _NAME: "name",
    _LINE: "line",
}
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
_CONSTANT, _STRING, _INDIRECT, _ADDRESS, _REF_ADDRESS = 0x21, 0x08, 0x16, 0x01, 0x10
_REF4, _PRESENT = 0x13, 0x19
_ULEBS = frozenset({0x0D, 0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23, 0x1F01, 0x1F02})
_BLOCKS = {0x03: 2, 0x04: 4, 0x0A: 1}
_WORD = struct.Struct("<I")
_LETTERS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_MAX_DEPTH = 512
_GLOBAL = 3  # a unit, a namespace and one inside it


class Entry:
    """One entry: references are offsets into the section. `address` is low_pc or a variable's.

    Defaults are the class's own, because there are hundreds of thousands of them.
    """

    tag: int = 0
    end: int = 0
    has_children: bool = False
    type_at: int | None = None
    origin_at: int | None = None
    address: int | None = None
    sibling: int = 0
    size: int = 0
    encoding: int = 0
    offset: int = 0
    name: int = 0
    line: int = 0
    noreturn: int = 0


class _Mode:
    """What the pass does with an entry, the commonest first. Plain numbers: it is asked often."""

    SKIP: Final = 0
    NAME: Final = 1  # typedefs and qualifiers: only where they are
    POINTER: Final = 2
    BODY: Final = 3
    RECORD: Final = 4
    FOUND: Final = 5


class _Plan(NamedTuple):
    """How the fields of an entry of fixed size are read: all at once."""

    layout: struct.Struct
    names: tuple[str, ...]
    relative: tuple[str, ...]  # those that count from the unit's start
    constants: dict[str, int]


class _Abbreviation(NamedTuple):
    """`plan`: of an entry of fixed size.

    `step`: where its only reference that matters to the pass stands, a sibling or a type.
    """

    tag: int
    has_children: bool
    forms: tuple[tuple[int, int, int], ...]  # attribute, form, implicit constant
    fixed_size: int | None
    plan: _Plan | None
    step: int | None
    mode: int
    is_named: bool


class Debug:
    """The entries of an ELF. What cannot be read is left out, never an error."""

    def __init__(self, info: bytes, abbreviations: bytes, strings: bytes = b"") -> None:
        self._strings = strings
        self._units = list(_units(info, abbreviations))
        self._starts = [unit.start for unit in self._units]
        self._read: dict[int, Entry | None] = {}
        self.tags: dict[int, int] = {}
        self.pointed: set[int] = set()  # what pointers point to

    def found(self) -> Iterator[Entry]:
        """Functions and variables with an address, and records, outside of bodies.

        Fills in `tags` and `pointed`.
        """
        count = 0
        for unit in self._units:
            with suppress(*_DAMAGE):
                for found in unit.walk(self.tags, self.pointed):
                    count += 1
                    if count > _MAX_ENTRIES:
                        return
                    yield found

    def entry(self, at: int) -> Entry | None:
        """The entry at an offset."""
        if at not in self._read:
            self._read[at] = None
            place = bisect_right(self._starts, at) - 1
            if place >= 0 and at < self._units[place].end:
                with suppress(*_DAMAGE):
                    self._read[at] = self._units[place].entry(at)
        return self._read[at]

    def is_called(self, entry: Entry, name: str) -> bool:
        """Whether an entry has that name, in itself or in .debug_str."""
        text = name.encode() + b"\0"
        there = self._strings[entry.name : entry.name + len(text)] if entry.name > 0 else b""
        return entry.name == hash(text) or there == text

    def children(self, entry: Entry) -> list[Entry]:
        """Members or parameters that an entry encloses, without what those enclose."""
        found: list[Entry] = []
        place = bisect_right(self._starts, entry.end - 1) - 1
        if entry.has_children and place >= 0:
            with suppress(*_DAMAGE):
                for child in self._units[place].children(entry.end):
                    found.append(child)
                    if len(found) >= _MAX_CHILDREN:
                        break
        return found


class _Unit:
    def __init__(
        self,
        info: bytes,
        start: int,
        end: int,
        abbreviations: bytes,
        records: set[tuple[bytes, bytes]],
        known: _Known,
    ) -> None:
        self._records = records
        self.start, self.end = start, end
        self._info = info
        self._version = int.from_bytes(info[start + 4 : start + 6], "little")
        if self._version == 5:
            kind, table = info[start + 6], int.from_bytes(info[start + 8 : start + 12], "little")
            self._first = start + {1: 12, 3: 12, 4: 20, 5: 20, 2: 24, 6: 24}[kind]
            self._address_size = info[start + 7]
        else:
            table = int.from_bytes(info[start + 6 : start + 10], "little")
            self._first = start + 11
            self._address_size = info[start + 10]
        self._table = dict(_table(abbreviations, table, self._version, known))

    def walk(  # noqa: C901 - a call an entry costs as much as the entry
        self, tags: dict[int, int], pointed: set[int]
    ) -> Iterator[Entry]:
        """Every entry of a kind that is looked for, bodies stepped over where that is possible."""
        info, at, end, table = self._info, self._first, self.end, self._table
        word, base, depth = _WORD.unpack_from, self.start, 0
        while at < end and 0 <= depth < _MAX_DEPTH:
            start = at
            code, at = (info[at], at + 1) if info[at] < 128 else uleb(info, at)
            if not code:
                depth -= 1
                continue
            abbreviation, sibling = table[code], 0
            tag, has_children, _, size, _, step, mode, _ = abbreviation
            if mode <= _Mode.NAME:
                if mode:
                    tags[start] = tag
                at = at + size if size is not None else self._skip(at, abbreviation)
            elif mode <= _Mode.BODY or (mode == _Mode.RECORD and self._is_known(at, abbreviation)):
                if step is None or size is None:
                    at, sibling = self._step(at, abbreviation)
                else:  # as `_step` does; it is most of them
                    sibling = word(info, at + step)[0] + base
                    at += size
                if mode == _Mode.POINTER:
                    tags[start] = tag
                    pointed.add(sibling)
            else:
                entry = self._parse(at, abbreviation)
                at, sibling = entry.end, entry.sibling
                if mode == _Mode.RECORD or depth <= _GLOBAL:
                    yield entry
            if has_children and start < sibling <= end:
                at = sibling
            elif has_children:
                depth += 1

    def entry(self, at: int) -> Entry:
        """The entry at an offset of this unit."""
        code, at = uleb(self._info, at)
        return self._parse(at, self._table[code])

    def children(self, at: int) -> Iterator[Entry]:
        """Members and parameters from an offset on, until their parent ends."""
        info, depth = self._info, 0
        while at < self.end:
            code, at = (info[at], at + 1) if info[at] < 128 else uleb(info, at)
            if not code:
                if not depth:
                    return
                depth -= 1
                continue
            abbreviation, sibling = self._table[code], 0
            if abbreviation.tag in _PARTS:
                entry = self._parse(at, abbreviation)
                at, sibling = entry.end, entry.sibling
                if not depth:
                    yield entry
            elif not abbreviation.has_children and abbreviation.fixed_size is not None:
                at += abbreviation.fixed_size
            else:
                at, sibling = self._step(at, abbreviation)
            if abbreviation.has_children and at < sibling <= self.end:
                at = sibling
            elif abbreviation.has_children:
                depth += 1

    def _is_known(self, at: int, abbreviation: _Abbreviation) -> bool:
        """Whether another unit has the same record: all but its sibling, byte for byte."""
        if abbreviation.step is None or abbreviation.fixed_size is None:
            return False
        if not abbreviation.is_named:
            return False
        cut = at + abbreviation.step
        key = self._info[at:cut], self._info[cut + 4 : at + abbreviation.fixed_size]
        if key in self._records:
            return True
        self._records.add(key)
        return False

    def _step(self, at: int, abbreviation: _Abbreviation) -> tuple[int, int]:
        """An entry's end, and its sibling or, of a pointer, its type."""
        if abbreviation.step is not None and abbreviation.fixed_size is not None:
            place = at + abbreviation.step
            number = int.from_bytes(self._info[place : place + 4], "little") + self.start
            return at + abbreviation.fixed_size, number
        entry = self._parse(at, abbreviation)
        number = (entry.type_at or 0) if entry.tag in _POINTERS else entry.sibling
        return entry.end, number

    def _skip(self, at: int, abbreviation: _Abbreviation) -> int:
        for _, form, _ in abbreviation.forms:
            at = at + _FIXED[form] if form in _FIXED else self._end_of(at, form)
        return at

    def _end_of(self, at: int, form: int) -> int:
        info = self._info
        if form == _ADDRESS:
            return at + self._address_size
        if form == _STRING:
            return info.index(0, at, self.end) + 1
        if form in (0x09, 0x18):
            size, at = uleb(info, at)
            return at + size
        if form in _BLOCKS:
            width = _BLOCKS[form]
            return at + width + int.from_bytes(info[at : at + width], "little")
        if form == _REF_ADDRESS:
            return at + (self._address_size if self._version < 3 else 4)
        if form == _INDIRECT:
            form, at = uleb(info, at)
            return at + _FIXED[form] if form in _FIXED else self._end_of(at, form)
        return uleb(info, at)[1]  # sdata, udata, ref_udata, strx, addrx, loclistx, rnglistx

    def _parse(self, at: int, abbreviation: _Abbreviation) -> Entry:
        entry = Entry()
        entry.tag, entry.has_children = abbreviation.tag, abbreviation.has_children
        if abbreviation.plan is None or abbreviation.fixed_size is None:
            self._parse_varied(at, abbreviation, entry)
            return entry
        layout, names, relative, constants = abbreviation.plan
        fields = entry.__dict__
        fields.update(zip(names, layout.unpack_from(self._info, at), strict=True))
        for name in relative:
            fields[name] += self.start
        fields.update(constants)
        entry.end = at + abbreviation.fixed_size
        return entry

    def _parse_varied(self, at: int, abbreviation: _Abbreviation, entry: Entry) -> None:
        """An entry whose attributes have no fixed place."""
        for attribute, form, constant in abbreviation.forms:
            end = at + _FIXED[form] if form in _FIXED else self._end_of(at, form)
            if attribute == _LOCATION:
                if end - at >= 6 and self._info[end - 5] == 0x03 and self._info[at] == 5:
                    entry.address = int.from_bytes(self._info[end - 4 : end], "little")
            elif attribute in _FIELDS and form != _STRING:
                setattr(entry, _FIELDS[attribute], self._number(at, end, form, constant))
            elif attribute == _NAME:
                entry.name = hash(self._info[at:end])
            at = end
        entry.end = at

    def _number(self, at: int, end: int, form: int, constant: int) -> int:
        if form in (_CONSTANT, _PRESENT):
            return constant if form == _CONSTANT else 1
        if form in _ULEBS:
            number = uleb(self._info, at)[0]
        else:
            number = int.from_bytes(self._info[at:end], "little")
        return number + self.start if form in _RELATIVE else number


def _units(info: bytes, abbreviations: bytes) -> Iterator[_Unit]:
    at = 0
    records: set[tuple[bytes, bytes]] = set()
    known: _Known = {}
    while at + 12 <= len(info):
        (length,) = struct.unpack_from("<I", info, at)
        end = at + 4 + length
        if length < 8 or end > len(info):
            return
        with suppress(*_DAMAGE):
            yield _Unit(info, at, end, abbreviations, records, known)
        at = end


_Known = dict[tuple[bool, int, bool, tuple[tuple[int, int, int], ...]], _Abbreviation]


def _table(
    data: bytes, at: int, version: int, known: _Known
) -> Iterator[tuple[int, _Abbreviation]]:
    """The abbreviations of a unit; those that another one has too are `known`."""
    fixed = {**_FIXED, _ADDRESS: 4, **({_REF_ADDRESS: 4} if version >= 3 else {})}
    while at < len(data):
        code, at = uleb(data, at)
        if not code:
            return
        tag, at = uleb(data, at)
        has_children, at = bool(data[at]), at + 1
        forms = []
        while True:
            attribute, form, at = data[at], data[at + 1], at + 2
            if attribute > 127 or form > 127:
                attribute, at = uleb(data, at - 2)
                form, at = uleb(data, at)
            constant = 0
            if form == _CONSTANT:
                constant, at = uleb(data, at)
            if not attribute and not form:
                break
            forms.append((attribute, form, constant))
        key = version >= 3, tag, has_children, tuple(forms)
        if key not in known:
            known[key] = _abbreviation(tag, has_children, key[3], fixed)
        yield code, known[key]


def _abbreviation(
    tag: int, has_children: bool, forms: tuple[tuple[int, int, int], ...], fixed: dict[int, int]
) -> _Abbreviation:
    if any(form not in fixed for _, form, _ in forms):
        mode = _mode(tag, has_children, forms)
        return _Abbreviation(tag, has_children, forms, None, None, None, mode, False)
    at, step = 0, None
    layout, names, relative, constants = "<", [], [], {}
    wanted = _TYPE if tag in _POINTERS else _SIBLING
    for attribute, form, constant in forms:
        field, width = _FIELDS.get(attribute), fixed[form]
        if field is not None and not width:
            constants[field] = 1 if form == _PRESENT else constant
        elif field is not None and width in _LETTERS:
            layout += _LETTERS[width]
            names.append(field)
            relative += [field] if form in _RELATIVE else []
        else:
            layout += f"{width}x"
        if attribute == wanted and form == _REF4:
            step = at
        at += width
    is_named = any(attribute == _NAME for attribute, *_ in forms)
    plan = _Plan(struct.Struct(layout), tuple(names), tuple(relative), constants)
    mode = _mode(tag, has_children, forms)
    return _Abbreviation(tag, has_children, forms, at, plan, step, mode, is_named)


def _mode(tag: int, has_children: bool, forms: tuple[tuple[int, int, int], ...]) -> int:
    if tag in _RECORDS:
        return _Mode.RECORD
    if tag in _FOUND and any(attribute in (_LOW_PC, _LOCATION) for attribute, *_ in forms):
        return _Mode.FOUND
    if tag in _BODIES or tag in _FOUND:  # a function or a variable that is only declared
        return _Mode.BODY if has_children else _Mode.SKIP
    if tag in _POINTERS:
        return _Mode.POINTER
    return _Mode.NAME if tag in _NAMES else _Mode.SKIP
