"""Debug information entries, read for what a prototype is made of and skipped for all else.

.debug_info of DWARF 2 to 5, 32-bit. One pass finds functions, variables, records and pointers; what
stands inside them is read when it is asked for. Bodies are stepped over by their sibling reference,
entries of a fixed length in one addition: that keeps millions of them below a second.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property

from boardless_sim.elf.abbreviations import FIELDS, POINTERS, Abbreviation, Known, Mode, read_table
from boardless_sim.elf.dwarf_codes import (
    BLOCK_LENGTHS,
    FIXED_BYTES,
    RELATIVE,
    ULEBS,
    Attribute,
    Form,
    Tag,
)
from boardless_sim.elf.leb import uleb
from boardless_sim.elf.symbols import text_at

_DAMAGE = (ValueError, IndexError, KeyError, struct.error)
_MAX_ENTRIES = 4_000_000
_MAX_CHILDREN = 4_096
_PARTS = frozenset({Tag.MEMBER, Tag.INHERITANCE, Tag.PARAMETER, Tag.ANY_PARAMETERS})
# The one expression that a variable in memory has: DW_OP_addr and the address (section 2.5.1.1).
_OP_ADDR = 0x03
# Bytes of a unit's header before its first entry, by its kind (DWARF 5, section 7.5.1): compile,
# partial, skeleton, split compile, type, split type.
_HEADER_5 = {1: 12, 3: 12, 4: 20, 5: 20, 2: 24, 6: 24}
_HEADER_4 = 11
_WORD = struct.Struct("<I")
_MAX_DEPTH = 512
_GLOBAL = 3  # a unit, a namespace and one inside it


class Entry:
    """One entry: references are offsets into the section. `address` is low_pc or a variable's.

    `name` is an offset into .debug_str, below 0 into .debug_info itself, 0 none.

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


class Debug:
    """The entries of an ELF. What cannot be read is left out, never an error."""

    def __init__(self, info: bytes, abbreviations: bytes, strings: bytes = b"") -> None:
        self._info, self._strings = info, strings
        self._units = list(_units(info, abbreviations))
        self._starts = [unit.start for unit in self._units]
        self._read: dict[int, Entry | None] = {}
        self.pointed: set[int] = set()
        self.prototypes: set[int] = set()

    def found(self) -> Iterator[Entry]:
        """Functions and variables with an address, and records, outside of bodies.

        Fills in what pointers point to: `pointed`, typedefs, qualifiers and pointers; `prototypes`.
        """
        yield from self._found(self._units)

    def found_at(self, address: int) -> Iterator[Entry]:
        """As `found`, of those units that give a variable this address."""
        location = struct.pack("<BI", _OP_ADDR, address)
        yield from self._found(
            unit for unit in self._units if self._info.find(location, unit.start, unit.end) >= 0
        )

    def _found(self, units: Iterable[_Unit]) -> Iterator[Entry]:
        count = 0
        for unit in units:
            named: set[int] = set()
            functions: set[int] = set()
            pointed: set[int] = set()
            with suppress(*_DAMAGE):
                for found in unit.walk(named, functions, pointed):
                    count += 1
                    if count > _MAX_ENTRIES:
                        return
                    yield found
            # most of what is pointed to is a record: kept for every unit, they took 40 MB
            self.pointed |= pointed & named
            self.prototypes |= pointed & functions
            self.pointed.update(at for at in pointed if not unit.start <= at < unit.end)

    def entry(self, at: int) -> Entry | None:
        """The entry at an offset."""
        if at not in self._read:
            self._read[at] = None
            place = bisect_right(self._starts, at) - 1
            if place >= 0 and at < self._units[place].end:
                with suppress(*_DAMAGE):
                    self._read[at] = self._units[place].entry(at)
        return self._read[at]

    def name_of(self, entry: Entry) -> str:
        """An entry's name; empty where it has none that can be read."""
        table, at = (self._info, -entry.name) if entry.name < 0 else (self._strings, entry.name)
        return text_at(table, at) if entry.name else ""

    def unit_of(self, entry: Entry) -> range:
        """Where the unit that an entry stands in begins and ends."""
        place = bisect_right(self._starts, entry.end - 1) - 1
        return range(0) if place < 0 else range(self._starts[place], self._units[place].end)

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
        known: Known,
    ) -> None:
        self._records = records
        self.start, self.end = start, end
        self._info = info
        self._version = int.from_bytes(info[start + 4 : start + 6], "little")
        if self._version == 5:
            kind, table = info[start + 6], int.from_bytes(info[start + 8 : start + 12], "little")
            self._first = start + _HEADER_5[kind]
            self._address_size = info[start + 7]
        else:
            table = int.from_bytes(info[start + 6 : start + 10], "little")
            self._first = start + _HEADER_4
            self._address_size = info[start + 10]
        self._abbreviations, self._table_at, self._known = abbreviations, table, known

    @cached_property
    def _table(self) -> dict[int, Abbreviation]:
        """Its abbreviations. Read when an entry is: most units are never asked for one."""
        return dict(read_table(self._abbreviations, self._table_at, self._version, self._known))

    def walk(  # noqa: C901 - a call an entry costs as much as the entry
        self, named: set[int], functions: set[int], pointed: set[int]
    ) -> Iterator[Entry]:
        """Every entry of a kind that is looked for, bodies stepped over where that is possible."""
        info, at, end, table = self._info, self._first, self.end, self._table
        word, base, depth, subroutine = _WORD.unpack_from, self.start, 0, int(Tag.SUBROUTINE)
        while at < end and 0 <= depth < _MAX_DEPTH:
            start = at
            code, at = (info[at], at + 1) if info[at] < 128 else uleb(info, at)
            if not code:
                depth -= 1
                continue
            abbreviation, sibling = table[code], 0
            tag, has_children, _, size, _, step, mode, _ = abbreviation
            if mode <= Mode.NAME:
                if mode:
                    named.add(start)
                elif tag == subroutine:
                    functions.add(start)
                at = at + size if size is not None else self._skip(at, abbreviation)
            elif mode <= Mode.BODY or (mode == Mode.RECORD and self._is_known(at, abbreviation)):
                if step is None or size is None:
                    at, sibling = self._step(at, abbreviation)
                else:  # as `_step` does; it is most of them
                    sibling = word(info, at + step)[0] + base
                    at += size
                if mode == Mode.POINTER:
                    named.add(start)
                    pointed.add(sibling)
                elif tag == subroutine:
                    functions.add(start)
            else:
                entry = self._parse(at, abbreviation)
                at, sibling = entry.end, entry.sibling
                if mode == Mode.RECORD or depth <= _GLOBAL:
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

    def _is_known(self, at: int, abbreviation: Abbreviation) -> bool:
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

    def _step(self, at: int, abbreviation: Abbreviation) -> tuple[int, int]:
        """An entry's end, and its sibling or, of a pointer, its type."""
        if abbreviation.step is not None and abbreviation.fixed_size is not None:
            place = at + abbreviation.step
            number = int.from_bytes(self._info[place : place + 4], "little") + self.start
            return at + abbreviation.fixed_size, number
        entry = self._parse(at, abbreviation)
        number = (entry.type_at or 0) if entry.tag in POINTERS else entry.sibling
        return entry.end, number

    def _skip(self, at: int, abbreviation: Abbreviation) -> int:
        for _, form, _ in abbreviation.forms:
            at = at + FIXED_BYTES[form] if form in FIXED_BYTES else self._end_of(at, form)
        return at

    def _end_of(self, at: int, form: int) -> int:
        info = self._info
        if form == Form.ADDR:
            return at + self._address_size
        if form == Form.STRING:
            return info.index(0, at, self.end) + 1
        if form in (Form.BLOCK, Form.EXPRLOC):
            size, at = uleb(info, at)
            return at + size
        if form in BLOCK_LENGTHS:
            width = BLOCK_LENGTHS[form]
            return at + width + int.from_bytes(info[at : at + width], "little")
        if form == Form.REF_ADDR:
            return at + (self._address_size if self._version < 3 else 4)
        if form == Form.INDIRECT:
            form, at = uleb(info, at)
            return at + FIXED_BYTES[form] if form in FIXED_BYTES else self._end_of(at, form)
        return uleb(info, at)[1]  # sdata, udata, ref_udata, strx, addrx, loclistx, rnglistx

    def _parse(self, at: int, abbreviation: Abbreviation) -> Entry:
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

    def _parse_varied(self, at: int, abbreviation: Abbreviation, entry: Entry) -> None:
        """An entry whose attributes have no fixed place."""
        for attribute, form, constant in abbreviation.forms:
            end = at + FIXED_BYTES[form] if form in FIXED_BYTES else self._end_of(at, form)
            if attribute == Attribute.LOCATION:
                if end - at >= 6 and self._info[end - 5] == _OP_ADDR and self._info[at] == 5:
                    entry.address = int.from_bytes(self._info[end - 4 : end], "little")
            elif attribute == Attribute.NAME:
                if form == Form.STRING:
                    entry.name = -at
                elif form == Form.STRP:
                    entry.name = self._number(at, end, form, constant)
            elif attribute in FIELDS:
                setattr(entry, FIELDS[attribute], self._number(at, end, form, constant))
            at = end
        entry.end = at

    def _number(self, at: int, end: int, form: int, constant: int) -> int:
        if form in (Form.IMPLICIT_CONST, Form.FLAG_PRESENT):
            return constant if form == Form.IMPLICIT_CONST else 1
        if form in ULEBS:
            number = uleb(self._info, at)[0]
        else:
            number = int.from_bytes(self._info[at:end], "little")
        return number + self.start if form in RELATIVE else number


def _units(info: bytes, abbreviations: bytes) -> Iterator[_Unit]:
    at = 0
    records: set[tuple[bytes, bytes]] = set()
    known: Known = {}
    while at + 12 <= len(info):
        (length,) = struct.unpack_from("<I", info, at)
        end = at + 4 + length
        if length < 8 or end > len(info):
            return
        with suppress(*_DAMAGE):
            yield _Unit(info, at, end, abbreviations, records, known)
        at = end
