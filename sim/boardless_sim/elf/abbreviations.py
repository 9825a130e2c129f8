"""Abbreviations: how the entries of one kind are laid out, and what a pass does with them.

Worked out once for all units that have the same one, because there are hundreds of thousands of
entries and a few hundred of these (DWARF 5, section 7.5.3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from boardless_sim.elf.dwarf_codes import FIXED_BYTES, RELATIVE, Attribute, Form, Tag
from boardless_sim.elf.leb import uleb

_FOUND = frozenset({Tag.SUBPROGRAM, Tag.VARIABLE})
POINTERS = frozenset({Tag.POINTER, Tag.REFERENCE, Tag.RVALUE_REFERENCE})
# What the pass does not go into where it can step over it: nothing inside is a type that a pointer
# outside may lead to.
_BODIES = frozenset(
    {
        *(Tag.SUBROUTINE, Tag.ENUMERATION, Tag.ARRAY),
        *(Tag.LEXICAL_BLOCK, Tag.INLINED, Tag.CALL_SITE, Tag.GNU_CALL_SITE),
    }
)
RECORDS = frozenset({Tag.STRUCTURE, Tag.UNION, Tag.CLASS})
_NAMES = frozenset({Tag.TYPEDEF, Tag.CONST, Tag.VOLATILE, Tag.RESTRICT, Tag.ATOMIC})
FIELDS: Final[dict[int, str]] = {
    Attribute.BYTE_SIZE: "size",
    Attribute.LOW_PC: "address",
    Attribute.ABSTRACT_ORIGIN: "origin_at",
    Attribute.DATA_MEMBER_LOCATION: "offset",
    Attribute.ENCODING: "encoding",
    Attribute.SPECIFICATION: "origin_at",
    Attribute.TYPE: "type_at",
    Attribute.NORETURN: "noreturn",
    Attribute.SIBLING: "sibling",
    Attribute.NAME: "name",
    Attribute.DECL_LINE: "line",
}
_LETTERS = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Mode:
    """What the pass does with an entry, the commonest first. Plain numbers: it is asked often."""

    SKIP: Final = 0
    NAME: Final = 1  # typedefs and qualifiers: only where they are
    POINTER: Final = 2
    BODY: Final = 3
    RECORD: Final = 4
    FOUND: Final = 5


class EntryLayout(NamedTuple):
    """How the fields of an entry of fixed size are read: all at once."""

    layout: struct.Struct
    names: tuple[str, ...]
    relative: tuple[str, ...]  # those that count from the unit's start
    constants: dict[str, int]


class Abbreviation(NamedTuple):
    """`plan`: of an entry of fixed size.

    `step`: where its only reference that matters to the pass stands, a sibling or a type.
    """

    tag: int
    has_children: bool
    forms: tuple[tuple[int, int, int], ...]  # attribute, form, implicit constant
    fixed_size: int | None
    plan: EntryLayout | None
    step: int | None
    mode: int
    is_named: bool


Known = dict[tuple[bool, int, bool, tuple[tuple[int, int, int], ...]], Abbreviation]


def read_table(
    data: bytes, at: int, version: int, known: Known
) -> Iterator[tuple[int, Abbreviation]]:
    """The abbreviations of a unit; those that another one has too are `known`."""
    fixed: dict[int, int] = {**FIXED_BYTES, Form.ADDR: 4}
    if version >= 3:  # before, it was as wide as an address of the target
        fixed[Form.REF_ADDR] = 4
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
            if form == Form.IMPLICIT_CONST:
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
) -> Abbreviation:
    if any(form not in fixed for _, form, _ in forms):
        mode = _mode(tag, has_children, forms)
        return Abbreviation(tag, has_children, forms, None, None, None, mode, False)
    at, step = 0, None
    layout, names, relative, constants = "<", [], [], {}
    wanted = Attribute.TYPE if tag in POINTERS else Attribute.SIBLING
    for attribute, form, constant in forms:
        field, width = FIELDS.get(attribute), fixed[form]
        if field == "name" and form != Form.STRP:
            field = None  # an index into a table that is not read
        if field is not None and not width:
            constants[field] = 1 if form == Form.FLAG_PRESENT else constant
        elif field is not None and width in _LETTERS:
            layout += _LETTERS[width]
            names.append(field)
            relative += [field] if form in RELATIVE else []
        else:
            layout += f"{width}x"
        if attribute == wanted and form == Form.REF4:
            step = at
        at += width
    is_named = any(attribute == Attribute.NAME for attribute, *_ in forms)
    plan = EntryLayout(struct.Struct(layout), tuple(names), tuple(relative), constants)
    mode = _mode(tag, has_children, forms)
    return Abbreviation(tag, has_children, forms, at, plan, step, mode, is_named)


def _mode(tag: int, has_children: bool, forms: tuple[tuple[int, int, int], ...]) -> int:
    if tag in RECORDS:
        return Mode.RECORD
    if tag in _FOUND and any(
        attribute in (Attribute.LOW_PC, Attribute.LOCATION) for attribute, *_ in forms
    ):
        return Mode.FOUND
    if tag in _BODIES or tag in _FOUND:  # a function or a variable that is only declared
        return Mode.BODY if has_children else Mode.SKIP
    if tag in POINTERS:
        return Mode.POINTER
    return Mode.NAME if tag in _NAMES else Mode.SKIP
