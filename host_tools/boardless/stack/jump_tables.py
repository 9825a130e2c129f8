"""Where a jump through a table may go: tables of addresses, and of distances behind the branch."""

from __future__ import annotations

from collections.abc import Iterator

from boardless.stack.program import Function, Program
from boardless.stack.scan import Fuel

# What GCC calls for a switch on ARMv6-M, which has no TBB: bytes of an entry, and whether signed
# (libgcc, config/arm/lib1funcs.S). The table lies behind the call.
CASE_HELPERS = {
    "__gnu_thumb1_case_uqi": (1, False),
    "__gnu_thumb1_case_sqi": (1, True),
    "__gnu_thumb1_case_uhi": (2, False),
    "__gnu_thumb1_case_shi": (2, True),
    "__gnu_thumb1_case_si": (4, True),
}


def addresses(program: Program, function: Function, table: int, fuel: Fuel) -> Iterator[int]:
    """Targets inside a function that the words of a read-only table name, up to what is no such.

    A table that lies in the code ends where the first of its targets stands.
    """
    limit, at = 1 << 32, table
    while at < limit and (word := program.constant(at)) is not None:
        target = word & ~1
        if not function.address <= target < function.end:
            break
        yield target
        limit = min(limit, target) if target > table else limit
        at += 4
        if fuel.steps < 0:
            break
        fuel.steps -= 1


def distances(
    program: Program, table: int, base: int, width: int, has_sign: bool, fuel: Fuel
) -> Iterator[int]:
    """Targets by their distances from a base, up to the first target or where code is marked again.

    Distances are in halfwords but for those of 32 bits (DDI 0403E, A7.7.185, TBB and TBH).
    """
    code = program.code_at(table)
    if code is None:
        return
    limit = min(program.next_code(table) or code.end, code.end)
    at = table
    while at + width <= limit and fuel.steps >= 0:
        fuel.steps -= 1
        place = at - code.start
        number = int.from_bytes(code.data[place : place + width], "little", signed=has_sign)
        target = base + number * (1 if width == 4 else 2)
        if not code.start <= target < code.end:
            break
        yield target
        if target > table:
            limit = min(limit, target)
        at += width


def added_to_pc(program: Program, address: int) -> int:
    """Bytes of an entry of the table behind an ADD to PC at an address; 0 where it is none.

    clang's for ARMv6-M: LDRB or LDRH, LSLS, ADD pc, then the distances.
    """
    code = program.code_at(address - 4)
    load = code.halfwords[address - 4 - code.start >> 1] if code is not None else 0
    if load >> 11 == 0xF or load >> 9 == 0x2E:
        return 1
    return 2 if load >> 11 == 0x11 or load >> 9 == 0x2D else 0
