"""C++ virtual tables: who stands in which slot, and which class a method is of.

By the Itanium C++ ABI, 2.5.2 and 5.1: a table `_ZTV…` holds for every base one part of the offset
to the top, the type's information and the functions; an object points to the first function.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from boardless.stack.program import DataObject, Program

_TABLE = "_ZTV"
_FARTHEST = 0xFFFF_0000  # an offset to the top is not positive
_MAX_SLOTS = 1_024
_METHOD = re.compile(r"_ZNV?K?(?P<names>\d.*)")


class VirtualTables:
    """The virtual tables of a program."""

    def __init__(self, program: Program, functions: Iterable[int]) -> None:
        self._program = program
        self._pointers = {address | 1 for address in functions}
        self._slots: dict[int, set[int]] = {}
        self._parts: dict[str, dict[int, set[int]]] = {}
        self._ranges: list[range] = []
        for found in program.objects:
            if found.name.startswith(_TABLE) and found.size <= 4 * _MAX_SLOTS:
                self._read(found)

    def __contains__(self, address: int) -> bool:
        """Whether a word lies in a table."""
        return any(address in there for there in self._ranges)

    def at(self, offset: int) -> frozenset[int]:
        """Who stands so many bytes behind where any object points."""
        return frozenset(self._slots.get(offset, ()))

    def of_classes(
        self, names: Collection[str], described: Collection[str], offset: int
    ) -> frozenset[int]:
        """As `at`, for an object of one of some classes, by their names without namespaces.

        A class that is not among those `described`, a template's for one, may be any.
        """
        return frozenset(
            found
            for name, part in self._parts.items()
            if (own := _last_name(name)) in names or own not in described
            for found in part.get(offset, ())
        )

    def of_class(self, method: str, offset: int) -> frozenset[int]:
        """As `at`, for an object of the class that a mangled name is a method of.

        A class that derives from it has its slots and more, so that shorter tables are no such.
        Empty where no table of that class is there: its bases' constructors alone need none.
        """
        own = self._parts.get(_class_of(method))
        if own is None:
            return frozenset()
        least = max(own, default=0)
        fitting = [part for part in self._parts.values() if max(part, default=0) >= least]
        return frozenset(found for part in fitting for found in part.get(offset, ()))

    def _read(self, table: DataObject) -> None:
        program = self._program
        self._ranges.append(range(table.address, table.address + table.size))
        words = [program.constant(table.address + 4 * n) for n in range(table.size // 4)]
        starts: list[int] = []
        part = self._parts.setdefault(table.name.removeprefix(_TABLE), {})
        for number, word in enumerate(words):
            if word in self._pointers:
                for start in starts:
                    offset = 4 * (number - start)
                    part.setdefault(offset, set()).add(word - 1)
                    self._slots.setdefault(offset, set()).add(word - 1)
            elif _begins(words, number):
                starts.append(number + 2)


def _begins(words: list[int | None], number: int) -> bool:
    """Whether an offset to the top and a type's information may stand there.

    An empty slot looks like one; then a function counts in two slots.
    """
    top, information = words[number], words[number + 1] if number + 1 < len(words) else None
    if top is None or information is None:
        return False
    return (top == 0 or top >= _FARTHEST) and not information & 1


def _class_of(method: str) -> str:
    """The class in a method's mangled name, as a table has it: of `_ZN5Print5writeEh` `5Print`."""
    found = _METHOD.match(method)
    if found is None:
        return ""
    names, at, parts = found["names"], 0, []
    while (length := re.match(r"\d+", names[at:])) is not None:
        end = at + length.end() + int(length[0])
        parts.append(names[at:end])
        at = end
    rest = names[at : at + 2]
    if rest[:1] in ("C", "D") and rest[1:].isdigit():  # a constructor, a destructor
        owner = parts
    elif rest[:1] == "E":
        owner = parts[:-1]
    else:  # templates and operators
        return ""
    return owner[0] if len(owner) == 1 else f"N{''.join(owner)}E" if owner else ""


def _last_name(mangled: str) -> str:
    """A class's own name: of `N4mbed6StreamE` `Stream`; empty of a template's."""
    at, last = 1 if mangled.startswith("N") else 0, ""
    while (length := re.match(r"\d+", mangled[at:])) is not None:
        start = at + length.end()
        at = start + int(length[0])
        last = mangled[start:at]
    return last if mangled[at:] in ("", "E") else ""
