"""Who is called through a pointer, where the ELF tells: by type, by member, by stores."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from boardless.project.annotations import StackAnnotations
from boardless.stack import Confidence, IndirectSite, StackReport, analyse_stack
from tests.unit.stack.build_corpus import M0
from tests.unit.stack.conftest import Corpus

FREE = StackAnnotations()
# `reads` is an argument that -O0 keeps on the stack, where it may have gone anywhere.
HANDED_ON = {"reads"}
LEVELS = [("-O0",), ("-Os",), ("-O2",)]


def site(report: StackReport, caller: str) -> IndirectSite:
    (found,) = (site for site in report.indirect if site.caller == caller)
    return found


def names(found: IndirectSite) -> set[str]:
    return {candidate.name for candidate in found.candidates}


@pytest.fixture(params=LEVELS, ids=" ".join)
def pointers(corpus: Corpus, request: pytest.FixtureRequest) -> StackReport:
    return analyse_stack(corpus("pointers.c", *request.param), FREE)


def test_a_call_through_a_member_reaches_who_was_put_into_that_member(
    pointers: StackReport,
) -> None:
    """`ops.open` and `ops.write` have the same prototype as `ops.read`."""
    found = site(pointers, "calls_member")
    assert (found.grade, found.chosen_by) == (Confidence.ASSUMED, "stores")
    assert names(found) == {"reads"}


def test_a_constant_table_counts_by_member(pointers: StackReport) -> None:
    assert names(site(pointers, "calls_nested")) - HANDED_ON == {"writes"}


def test_a_variable_with_one_writer_is_its_writers(pointers: StackReport) -> None:
    assert names(site(pointers, "calls_variable")) - HANDED_ON == {"opens"}


def test_another_structure_is_another_type(pointers: StackReport) -> None:
    for caller in ("calls_member", "calls_nested", "calls_variable"):
        assert not names(site(pointers, caller)) & {"other_struct", "returns", "nothing"}


def test_without_a_function_that_fits_every_one_is_a_candidate(pointers: StackReport) -> None:
    """A cast pointer: no function takes a 64-bit number, so nobody may be left out."""
    found = site(pointers, "calls_cast")
    assert found.chosen_by == "stores" or "cast_one" in names(found)
    assert "cast_one" in names(found)


def test_without_debug_information_offsets_still_tell(corpus: Corpus, tmp_path: Path) -> None:
    bare = tmp_path / "bare.elf"
    elf = corpus("pointers.c", "-Os")
    subprocess.run(["arm-none-eabi-objcopy", "-g", str(elf), str(bare)], check=True)
    found = names(site(analyse_stack(bare, FREE), "calls_member"))
    assert "reads" in found
    assert "nothing" in found  # it lies in a table of which nothing is known


CALLED = """
typedef void (*function)(void);
extern function __init_array_start[], __init_array_end[];
extern function __preinit_array_start[], __preinit_array_end[];
volatile int count;
__attribute__((noinline)) void unrelated(void) { volatile char local[900]; local[0] = 1; }
function volatile keeps = unrelated;
HOOKS
#ifdef OWN
void __libc_init_array(void);
static void start(void) {
    for (function *each = __init_array_start; each < __init_array_end; each++) (*each)();
}
#else
void __libc_init_array(void);
void _init(void) {}
static void start(void) { __libc_init_array(); }
#endif
extern void maybe(void) __attribute__((weak));
void Reset_Handler(void) { start(); if (maybe) maybe(); for (;;); }
__attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000, Reset_Handler};
"""
SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 512K
 RAM (rw) : ORIGIN = 0x20000000, LENGTH = 128K }
ENTRY(Reset_Handler)
SECTIONS { .vectors : { KEEP(*(.vectors)) } >FLASH
 .text : { *(.text*) *(.rodata*) } >FLASH
 .preinit_array : {
  __preinit_array_start = .; KEEP(*(.preinit_array*)) __preinit_array_end = .; } >FLASH
 .init_array : {
  __init_array_start = .; KEEP(*(.init_array*)) __init_array_end = .; } >FLASH
 .data : { *(.data*) } >RAM AT>FLASH
 .bss (NOLOAD) : { *(.bss*) *(COMMON) } >RAM }
"""
CONSTRUCTOR = """
__attribute__((constructor, noinline)) void begins(void)
{ volatile char local[100]; local[0] = 1; count = local[0]; }
"""


def started(folder: Path, hooks: str, *options: str) -> StackReport:
    source, script, elf = folder / "a.c", folder / "a.ld", folder / "a.elf"
    source.write_text(CALLED.replace("HOOKS", hooks))
    script.write_text(SCRIPT)
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-w", *options]
    command += ["--specs=nano.specs", "-nostartfiles", "-T", str(script), str(source)]
    subprocess.run([*command, "-o", str(elf)], check=True)
    return analyse_stack(elf, FREE)


def test_an_empty_array_calls_nobody(tmp_path: Path) -> None:
    report = started(tmp_path, "")
    assert report.grade == Confidence.EXACT
    assert report.bound_bytes is not None
    assert report.bound_bytes < 100


def test_a_constructor_in_the_array_counts_and_nobody_else(tmp_path: Path) -> None:
    report = started(tmp_path, CONSTRUCTOR)
    assert report.grade == Confidence.EXACT
    assert report.bound_bytes is not None
    assert 100 < report.bound_bytes < 200
    called = {name for found in report.indirect for name in names(found)}
    assert called == {"begins"}


def test_a_projects_own_loop_is_supposed_to_call_its_array(tmp_path: Path) -> None:
    report = started(tmp_path, CONSTRUCTOR, "-DOWN")
    assert report.grade == Confidence.ASSUMED
    assert {name for found in report.indirect for name in names(found)} == {"begins"}


def test_a_weak_function_that_is_not_there_is_never_called(tmp_path: Path) -> None:
    report = started(tmp_path, "", "-O0")
    assert report.bound_bytes is not None


PRINTING = """
#include <stdio.h>
#include <stdlib.h>
int main(void) { char *p = malloc(10); printf("%d %s", 5, p); free(p); return 0; }
void _exit(int code) { for (;;); }
int _write(int f, char *p, int n) { return n; }
int _read(int f, char *p, int n) { return 0; }
int _close(int f) { return 0; }
int _lseek(int f, int o, int w) { return 0; }
int _fstat(int f, void *s) { return 0; }
int _isatty(int f) { return 1; }
static char heap[4096];
void *_sbrk(int n) { static int at; at += n; return heap + at - n; }
int _kill(int a, int b) { return 0; }
int _getpid(void) { return 1; }
void __libc_init_array(void);
void _init(void) {}
void Reset_Handler(void) { __libc_init_array(); main(); for (;;); }
__attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000, Reset_Handler};
"""


@pytest.mark.parametrize("library", ["--specs=nano.specs", "-g"], ids=["newlib-nano", "newlib"])
def test_printf_and_malloc_are_bounded_without_an_annotation(tmp_path: Path, library: str) -> None:
    source, script, elf = tmp_path / "a.c", tmp_path / "a.ld", tmp_path / "a.elf"
    source.write_text(PRINTING)
    script.write_text(SCRIPT)
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-g", "-w", library]
    command += ["-nostartfiles", "-T", str(script), str(source), "-o", str(elf)]
    subprocess.run(command, check=True)
    report = analyse_stack(elf, FREE)
    assert report.bound_bytes is not None, report.reasons
    assert 400 < report.bound_bytes < 4096
    slots = {s.caller: names(s) for s in report.indirect if s.chosen_by == "stores"}
    assert "__swrite" in slots["__sflush_r"]
    assert "__sread" not in slots["__sflush_r"]


def test_a_table_where_an_empty_array_lies_is_a_table_still(corpus: Corpus) -> None:
    """On ARMv6-M the call is not seen to be by a table; its address is that of .init_array."""
    report = analyse_stack(corpus("shapes.c", "-Os", cpu=M0), FREE)
    found = site(report, "goes_through_a_table")
    assert {"leaf", "wide", "ends_in_a_tail_call"} <= names(found)
