"""Prototypes by debug information: of functions, and of the pointers that a call goes through."""

from __future__ import annotations

from boardless.budget.elf_file import ElfFile
from boardless.budget.stack.frames import Value


class Prototypes:
    """What an ELF's DWARF says of functions' types; empty without any."""

    def __init__(self, elf: ElfFile) -> None:
        self._functions: dict[int, str] = {}

    def of_function(self, address: int) -> str | None:
        """A function's prototype as text, None where nothing describes it."""
        return self._functions.get(address)

    def wanted(self, caller: int, through: Value | None) -> frozenset[str] | None:
        """The prototypes that a call may have; None where nothing describes the caller."""
        return None
