"""Calls through pointers of the C runtime, by what the ELF holds for them.

Start-up code calls every function of the arrays that the linker collects (ELF gABI, "Initialization
and Termination Functions"): who they are stands in the ELF, word by word.
"""

from __future__ import annotations

from collections.abc import Iterable

from boardless.stack.program import Program

# Whose loops go over which arrays: newlib and picolibc (misc/init.c, misc/fini.c). The symbols are
# those of the GNU linker's own script; a linker script without one has no such array.
_LOOPS = {
    "__libc_init_array": ("preinit_array", "init_array"),
    "__libc_fini_array": ("fini_array",),
}
_MOST = 4_096
# How many activations there are at once of what the library itself keeps from recurring.
_ACTIVATIONS = {
    "__sfp": 2,  # calls __sinit once, which is marked as done before it calls __sfp (findfp.c)
    "__sbprintf": 1,  # gives an unbuffered stream a buffer, so that it is not called again
}


def called_by_loop(program: Program, caller: int) -> tuple[int, ...] | None:
    """Whom a library's start-up loop calls; None where the function is none, or holds others."""
    function = program.functions.get(caller)
    names = () if function is None else function.names
    arrays = next((_LOOPS[name] for name in names if name in _LOOPS), None)
    return None if arrays is None else _called(program, arrays)


def called_by_own_loop(program: Program, caller: int, sites: int) -> tuple[int, ...] | None:
    """The same of a project's own loop: a function that has the ends of as many arrays as calls.

    That it calls what lies between them is supposed.
    """
    function = program.functions.get(caller)
    if function is None:
        return None
    words = [program.constant(at) for at in range(function.address + 3 & ~3, function.end, 4)]
    arrays = [
        array
        for array in ("preinit_array", "init_array", "fini_array")
        if _has_ends(program, array, words)
    ]
    return _called(program, arrays) if arrays and sites <= len(arrays) else None


def _has_ends(program: Program, array: str, words: list[int | None]) -> bool:
    """Whether literals are both ends of an array, and not an object that lies where it is empty."""
    start, end = program.label(f"__{array}_start"), program.label(f"__{array}_end")
    if start is None or end is None or program.object_name(start):
        return False
    if start == end:
        return words.count(start) >= 2
    return start in words and end in words


def _called(program: Program, arrays: Iterable[str]) -> tuple[int, ...] | None:
    found: dict[int, None] = {}
    for array in arrays:
        for word in _words(program, array):
            if word is None or not word & 1 or word - 1 not in program.functions:
                return None
            found[word - 1] = None
    return tuple(sorted(found))


def _words(program: Program, array: str) -> list[int | None]:
    start = program.label(f"__{array}_start")
    end = program.label(f"__{array}_end")
    if start is None or end is None or not 0 <= end - start <= 4 * _MOST:
        return [] if start is None and end is None else [None]
    words = [program.initial_word(at) for at in range(start, end, 4)]
    return [word for word in words if word not in (0, 0xFFFF_FFFF)]  # the gABI lets both be there


def known_activations(program: Program) -> dict[int, int]:
    """Activations at once of functions of the library that its own flags keep from recurring."""
    return {
        address: count
        for name, count in _ACTIVATIONS.items()
        for address in program.by_name.get(name, ())
    }
