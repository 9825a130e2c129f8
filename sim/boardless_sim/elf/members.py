"""Arrays inside structures: where a buffer ends that is a member, and what its neighbour is called.

From the debug information of variables in memory (DWARF 5, 5.7). Without any, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING

from boardless_sim.elf.dwarf import Debug, Entry
from boardless_sim.elf.dwarf_codes import Tag
from boardless_sim.elf.file import ElfFile
from boardless_sim.errors import ImageError

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_RECORDS = frozenset({Tag.STRUCTURE, Tag.CLASS})
_BEHIND = frozenset({Tag.TYPEDEF, Tag.CONST, Tag.VOLATILE, Tag.ATOMIC})
_MAX_NESTING = 24
_DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class Members:
    """Of one ELF's variables. What cannot be read is as if it were not there."""

    def __init__(self, elf: ElfFile) -> None:
        self._elf = elf

    @cached_property
    def _debug(self) -> Debug:
        try:
            names = ".debug_info", ".debug_abbrev", ".debug_str"
            return Debug(*(self._elf.data(name) for name in names))
        except ImageError:
            return Debug(b"", b"")

    def end_of_array(self, variable: int, address: int) -> int | None:
        """Where the array ends that is a member of the variable there and holds the address."""
        for entry in self._debug.found_at(variable):
            if entry.tag == Tag.VARIABLE and entry.address == variable:
                whole = entry if entry.origin_at is None else self._debug.entry(entry.origin_at)
                kind = None if whole is None else self._behind(whole.type_at)
                if kind is not None and kind.tag in _RECORDS and address < variable + kind.size:
                    return self._end_in(kind, variable, address, 0)
        return None

    def _end_in(self, record: Entry, start: int, address: int, depth: int) -> int | None:
        members = [m for m in self._debug.children(record) if m.tag == Tag.MEMBER]
        below = [m for m in members if start + m.offset <= address]
        if not below or depth > _MAX_NESTING:
            return None
        holder = max(below, key=lambda member: member.offset)
        after = [m.offset for m in members if m.offset > holder.offset]
        kind = self._behind(holder.type_at)
        if kind is not None and kind.tag in _RECORDS:
            return self._end_in(kind, start + holder.offset, address, depth + 1)
        if kind is None or kind.tag != Tag.ARRAY:
            return None
        return start + min(after, default=record.size)

    def _behind(self, at: int | None) -> Entry | None:
        for _ in range(_MAX_NESTING):
            entry = None if at is None else self._debug.entry(at)
            if entry is None or entry.tag not in _BEHIND:
                return entry
            at = entry.type_at
        return None

    def name_at(self, variable: str, offset: int) -> str:
        """The variable, and the member there: `state.guard`."""
        # Here, because pyelftools is slow to load, and few firmwares write past a buffer.
        from elftools.common.exceptions import DWARFError, ELFError
        from elftools.elf.elffile import ELFFile

        with suppress(ELFError, DWARFError, RecursionError, *_DAMAGE):
            elf = ELFFile(BytesIO(self._elf.raw))
            for unit in elf.get_dwarf_info().iter_CUs():
                for die in unit.get_top_DIE().iter_children():
                    if die.tag == "DW_TAG_variable" and _text(die) == variable:
                        return ".".join((variable, *_path(die, offset, 0)))
        return variable


def _path(die: DIE, offset: int, depth: int) -> Iterator[str]:
    kind = die
    while "DW_AT_type" in kind.attributes and kind.tag != "DW_TAG_array_type":
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    if kind.tag not in ("DW_TAG_structure_type", "DW_TAG_class_type") or depth > _MAX_NESTING:
        return
    members = [
        (member.attributes["DW_AT_data_member_location"].value, member)
        for member in kind.iter_children()
        if "DW_AT_data_member_location" in member.attributes
    ]
    below = [pair for pair in members if pair[0] <= offset]
    if below:
        start, member = max(below, key=lambda pair: pair[0])
        yield _text(member)
        yield from _path(member, offset - start, depth + 1)


def _text(die: DIE) -> str:
    name = die.attributes.get("DW_AT_name")
    return "" if name is None else name.value.decode("utf-8", "backslashreplace")
