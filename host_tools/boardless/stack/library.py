"""Calls through pointers of C libraries that are linked without debug information.

Who may be called is stated by the library's own source: newlib and newlib-nano (findfp.c, stdio.c,
the scanf family, locale.c, fwalk.c), picolibc (stdio/), and armlink's manual for the table of
regions. It holds where the library's own functions are the callers; what a program itself puts into
a stream counts beside them, and where it makes streams of functions of its own, nothing here holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from boardless.stack.program import Program

_STREAMS = ("__sread", "__swrite", "__swrite64", "__sseek", "__sseek64", "__sclose", "__seofread")
_LOCALE = (
    *("__ascii_wctomb", "__utf8_wctomb", "__sjis_wctomb", "__eucjp_wctomb", "__jis_wctomb"),
    *("__ascii_mbtowc", "__utf8_mbtowc", "__sjis_mbtowc", "__eucjp_mbtowc", "__jis_mbtowc"),
)
_SCANNERS = ("__ssvfiscanf_r", "__svfiscanf_r", "__ssvfscanf_r", "__svfscanf_r")
_SCANNING = (
    *("_scanf_chars", "_scanf_i", "_scanf_float", "_sungetc_r", "__ssrefill_r", "_ungetc_r"),
    *("__srefill_r", "_strtol_r", "_strtoul_r", "_strtoll_r", "_strtoull_r"),
)
_CLEANUP = ("_cleanup_r", "_cleanup", "cleanup_stdio", "cleanup_glue", "stdio_exit_handler")
# What makes a stream that calls functions of the program's own.
_MAKERS = ("funopen", "_funopen_r", "fopencookie", "_fopencookie_r")


@dataclass(frozen=True)
class Library:
    """Who some functions call: functions of the library, and members that a program may fill."""

    callers: frozenset[str]
    callees: tuple[str, ...]
    members_of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


_LIBRARIES = (
    Library(
        frozenset(
            {
                *("__sflush_r", "__sfvwrite_r", "__srefill_r", "__swbuf_r", "_fclose_r"),
                *("_fseek_r", "_fseeko_r", "_ftell_r", "_ftello_r", "__smakebuf_r", "__swsetup_r"),
            }
        ),
        _STREAMS,
        ("__sFILE", "__sFILE64"),
        _MAKERS,
    ),
    Library(
        frozenset(
            {
                *("_wcrtomb_r", "_mbrtowc_r", "_mbtowc_r", "_wctomb_r", "_mbstowcs_r"),
                *("_wcsnrtombs_l", "_mbsnrtowcs_l", "__wctomb", "_btowc_r", "btowc", "wctob"),
                *("_wcstombs_r", "_wcsnrtombs_r", "_mbsnrtowcs_r", "mbtowc", "wctomb", "wcrtomb"),
                *("_vfprintf_r", "_svfprintf_r", "_vfiprintf_r", "_svfiprintf_r", "mbrtowc"),
            }
        ),
        _LOCALE,
    ),
    Library(  # newlib-nano's printf: what is given to each of its parts
        frozenset({"_printf_common", "_printf_i", "_printf_float"}),
        ("__sfputs_r", "__ssputs_r", "__sfputc_r"),
    ),
    Library(  # Arm's: the table of regions that armlink writes
        frozenset({"__scatterload", "__scatterload_rt2", "__scatterload_null", "__main"}),
        (
            *("__scatterload_copy", "__scatterload_zeroinit", "__scatterload_null"),
            *("__decompress", "__decompress0", "__decompress1", "__decompress2"),
        ),
    ),
    Library(
        frozenset({*_SCANNERS, "_scanf_chars", "_scanf_i", "_scanf_float"}),
        _SCANNING,
    ),
    Library(
        frozenset(
            {
                *("vfprintf", "__l_vfprintf", "__d_vfprintf", "__f_vfprintf", "__i_vfprintf"),
                *("__m_vfprintf", "fputc", "putc", "putchar", "fputs", "puts", "fwrite", "ungetc"),
                *("fgetc", "getc", "getchar", "fread", "fflush", "fclose", "__fflush", "perror"),
                *("vfscanf", "__l_vfscanf", "__d_vfscanf", "__f_vfscanf", "__i_vfscanf"),
            }
        ),
        (
            *("__file_str_put", "__file_str_put_alloced", "__file_str_get", "__null_put"),
            *("__file_wstr_get", "__bufio_put", "__bufio_get", "__bufio_flush", "__bufio_close"),
        ),
        ("__file", "__file_close", "__file_ext", "__file_bufio", "__file_str"),
    ),
)
# The one who calls what exit() runs, and what fwalk() goes through the streams with.
_ONLY_BY = {
    **dict.fromkeys(_CLEANUP, frozenset({"exit", "_exit_r", "_reclaim_reent"})),
    **dict.fromkeys(_STREAMS, _LIBRARIES[0].callers),
    **dict.fromkeys(_LOCALE, _LIBRARIES[1].callers),
    **dict.fromkeys(_SCANNING, frozenset({*_SCANNERS, *_SCANNING})),
    **dict.fromkeys(
        ("_fclose_r", "_fflush_r", "__sflush_r", "__fp_lock", "__fp_unlock"),
        frozenset({"_fwalk", "_fwalk_reent", "_fwalk_sglue"}),
    ),
}


# Destructors of static objects, as GCC names them, and who goes through what atexit() was given.
_AT_EXIT = ("__tcf_", "_GLOBAL__sub_D_")
_LEAVING = frozenset({"__call_exitprocs", "exit", "__cxa_finalize", "__libc_fini_array"})


def library_of(program: Program, caller: int) -> Library | None:
    """The rule for a function's calls; None where there is none for it."""
    names = _names(program, caller)
    found = next((rule for rule in _LIBRARIES if names & rule.callers), None)
    if found is None or any(name in program.by_name for name in found.unless):
        return None
    return found


def may_call(program: Program, caller: int, callee: int) -> bool:
    """Whether a library's function is called through a pointer by that one."""
    names = _names(program, callee)
    callers = [_ONLY_BY[name] for name in names if name in _ONLY_BY]
    if any(name.startswith(_AT_EXIT) for name in names):
        callers.append(_LEAVING)
    return not callers or any(_names(program, caller) & names for names in callers)


def _names(program: Program, function: int) -> frozenset[str]:
    found = program.functions.get(function)
    return frozenset() if found is None else frozenset(found.names)
