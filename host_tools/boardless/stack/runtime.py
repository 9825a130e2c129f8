"""Calls through pointers of the C runtime, by what the ELF holds for them.

Start-up code calls every function of the arrays that the linker collects (ELF gABI, "Initialization
and Termination Functions"): who they are stands in the ELF, word by word.
"""

from __future__ import annotations

from boardless.stack.program import Program

# Whose loops go over which arrays: newlib and picolibc (misc/init.c, misc/fini.c). The symbols are
# those of the GNU linker's own script; a linker script without one has no such array.
_LOOPS = {
    "__libc_init_array": ("preinit_array", "init_array"),
    "__libc_fini_array": ("fini_array",),
}
_MOST = 4_096


def called_by_loop(program: Program, caller: int) -> tuple[int, ...] | None:
    """Whom a start-up loop calls; None where the function is none, or its arrays are not known."""
    function = program.functions.get(caller)
    names = () if function is None else function.names
    arrays = next((_LOOPS[name] for name in names if name in _LOOPS), None)
    if arrays is None:
        return None
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
