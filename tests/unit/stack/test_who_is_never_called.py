"""Who no pointer leads to: what is not there, what is entered by a switch, what a library keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless.project.annotations import StackAnnotations
from boardless.stack import Confidence, StackReport
from tests.unit.stack.linked import linked

BIG = "__attribute__((noinline)) void big(void) { volatile char local[900]; local[0] = 1; }"


def called(report: StackReport, caller: str) -> set[str]:
    return {
        candidate.name
        for site in report.indirect
        if site.caller == caller
        for candidate in site.candidates
    }


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O2"])
def test_a_jump_to_a_weak_function_that_is_not_there_goes_nowhere(
    tmp_path: Path, level: str
) -> None:
    """GCC's frame_dummy ends in one; its branch to 0 was code that the ELF does not have."""
    text = """
    extern void maybe(void) __attribute__((weak));
    __attribute__((noinline)) void frame_dummy(void) { if (maybe) maybe(); }
    void Reset_Handler(void) { frame_dummy(); for (;;); }
    """
    report = linked(tmp_path, text, level)
    assert report.reasons == ()
    assert report.grade == Confidence.EXACT


def test_what_a_scheduler_puts_into_sp_is_another_stack(tmp_path: Path) -> None:
    """The registers that it pushes count on the stack that it leaves."""
    text = """
    __attribute__((naked, noinline)) void change(void **to, void **from) {
      __asm__("push {r4-r11, lr}\\n str sp, [r1]\\n ldr sp, [r0]\\n pop {r4-r11, pc}"); }
    void *a, *b;
    void Reset_Handler(void) { change(&a, &b); for (;;); }
    """
    report = linked(tmp_path, text)
    assert (report.reasons, report.grade) == ((), Confidence.ASSUMED)
    (function,) = (f for f in report.functions if f.name == "change")
    assert function.own_bytes == 36


def test_sp_from_arithmetic_in_the_middle_of_a_function_stays_unknown(tmp_path: Path) -> None:
    text = """
    __attribute__((naked, noinline)) void odd(int n) {
      __asm__("push {r4, lr}\\n eor r1, r0, r2\\n mov sp, r1\\n pop {r4, pc}"); }
    void Reset_Handler(void) { odd(3); for (;;); }
    """
    assert "sets SP" in linked(tmp_path, text).reasons[0]


def test_start_up_code_may_begin_at_a_label(tmp_path: Path) -> None:
    """Assembly without .type: nothing was found at the entry, and a handler was left out."""
    text = """
    __asm__(".thumb\\n .global Reset_Handler\\n Reset_Handler: push {r0-r3}\\n b .\\n"
            ".global Tick\\n .thumb_func\\n Tick: push {r0-r7, lr}\\n pop {r0-r7, pc}\\n");
    extern char Reset_Handler[], Tick[];
    void keeps(void) {}
    __attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000,
      Reset_Handler + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Tick};
    """
    report = linked(tmp_path, text)
    assert report.entry == "Reset_Handler"
    assert [(level.handler, level.bound_bytes) for level in report.interrupts.levels] == [
        ("Tick", 36 + 36)
    ]


TASKS = (
    BIG
    + """
typedef void (*function)(void *);
int xTaskCreate(function f, const char *name, unsigned short depth, void *p, int n, void **h);
__attribute__((noipa)) int xTaskCreate(function f, const char *name, unsigned short depth,
  void *p, int n, void **h) { volatile function keeps = f; return depth; }
void blinks(void *p) { big(); for (;;); }
__attribute__((noinline)) void ticks(void *p) { volatile int n = 1; }
function volatile hook = ticks;
void Reset_Handler(void) { xTaskCreate(blinks, "b", 128, 0, 1, 0); hook(0); for (;;); }
"""
)


def test_a_task_is_found_with_its_bound_and_its_room(tmp_path: Path) -> None:
    """FreeRTOS's task.h: `usStackDepth` is in words."""
    (task,) = linked(tmp_path, TASKS, "-g").tasks
    assert (task.name, task.reserve_bytes) == ("blinks", 512)
    assert task.bound_bytes is not None
    assert 900 < task.bound_bytes < 1100


def test_nobody_calls_a_task(tmp_path: Path) -> None:
    """It has the hook's prototype, and its depth is no part of the main stack's."""
    report = linked(tmp_path, TASKS, "-g")
    assert called(report, "Reset_Handler") == {"ticks"}
    assert report.bound_bytes is not None
    assert report.bound_bytes < 200


CLASSES = """
struct Print { virtual int write(char c) = 0; int print(char c); int line(); };
struct Serial : Print { int write(char c) override; };
struct Other { virtual int go(char c); };
int Serial::write(char c) { volatile char local[100]; local[0] = c; return local[0]; }
int Other::go(char c) { volatile char local[900]; local[0] = c; return local[0]; }
__attribute__((noinline)) int Print::print(char c) { return write(c) + 1; }
Other other; Serial serial; Other *volatile o = &other; Serial *volatile s = &serial;
extern "C" void Reset_Handler() { o->go(1); s->print(2); for (;;); }
extern "C" void __cxa_pure_virtual() { for (;;); }
void *operator new(unsigned n); void operator delete(void *p, unsigned n) {}
extern "C" __attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000,
  (void *)Reset_Handler};
"""


@pytest.mark.parametrize("options", [("-g",), ()], ids=["debug information", "none"])
def test_a_virtual_call_reaches_classes_that_derive_from_its_own(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Without debug information, the class is that of the method that calls on `this`."""
    report = linked(tmp_path, CLASSES, *options, "-xc++", "-fno-rtti", "-fno-exceptions")
    expected = {"_ZN6Serial5writeEc"}
    if not options:  # no shorter table than its own is left out
        expected |= {"_ZN5Other2goEc"}
    assert called(report, "_ZN5Print5printEc") - {"__cxa_pure_virtual"} == expected


def test_a_template_that_derives_is_no_class_less(tmp_path: Path) -> None:
    """Its table's name tells no class, so that it may be any."""
    text = CLASSES.replace(
        "Other other;",
        "template <int N> struct Odd : Print { int write(char c) override {"
        " volatile char local[N]; local[0] = c; return local[0]; } };\n"
        "Odd<700> odd; Odd<700> *volatile p = &odd;\nOther other;",
    ).replace("o->go(1);", "o->go(1); p->print(3);")
    report = linked(tmp_path, text, "-g", "-xc++", "-fno-rtti", "-fno-exceptions")
    assert "_ZN3OddILi700EE5writeEc" in called(report, "_ZN5Print5printEc")


LIBRARY = (
    BIG
    + """
typedef int (*slot)(void *, int);
struct stream { int f[8]; slot read, write; };
__attribute__((noinline)) int __swrite(void *p, int n) { volatile int m = n; return m; }
__attribute__((noinline)) int own(void *p, int n) { big(); return n; }
__attribute__((noinline)) void _cleanup_r(void *p) { big(); }
struct stream file; slot volatile lost = own; void (*volatile cleanup)(void *) = _cleanup_r;
__attribute__((noinline)) int __sflush_r(struct stream *s) { return s->write(s, 1); }
void Reset_Handler(void) { file.write = __swrite; lost(0, 1); __sflush_r(&file); for (;;); }
"""
)


def test_a_stream_of_the_library_calls_the_librarys_own(tmp_path: Path) -> None:
    """newlib, findfp.c: only std() fills a stream; `_cleanup_r` is what exit() calls."""
    report = linked(tmp_path, LIBRARY)
    assert called(report, "__sflush_r") == {"__swrite"}
    assert called(report, "Reset_Handler") == {"own"}


def test_a_stream_of_functions_may_call_any_other(tmp_path: Path) -> None:
    text = LIBRARY + "void funopen(void) {} void *volatile keeps = funopen;"
    assert "own" in called(linked(tmp_path, text), "__sflush_r")


def test_handlers_count_where_the_entry_point_is_not_the_reset_handler(tmp_path: Path) -> None:
    """armlink's entry is `__main`: no table was found, and what interrupts take was left out."""
    text = """
    void Reset_Handler(void);
    __attribute__((noinline)) void Fault(void) { for (;;); }
    void Tick(void) { volatile char local[200]; local[0] = 1; }
    void __main(void) { for (;;); }
    void Reset_Handler(void) { volatile char local[64]; local[0] = 1; __main(); }
    __attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000,
      Reset_Handler, Fault, Fault, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Tick, 0, 0};
    """
    report = linked(tmp_path, text, "-Wl,-e,__main")
    assert [level.handler for level in report.interrupts.levels] == ["Tick"]
    assert report.entry == "Reset_Handler"
    assert report.bound_bytes is not None
    assert report.bound_bytes > 64 + 200


def test_a_call_through_a_pointer_in_a_ring_may_be_said_to_nest_so_often(tmp_path: Path) -> None:
    """Two calls share their candidates: each is under way once."""
    text = (
        "typedef void (*function)(int);\n"
        "function volatile hook, other;\n"
        "__attribute__((noinline)) void up(int n)"
        " { volatile char local[100]; local[0] = n; hook(n); local[1] = n; }\n"
        "__attribute__((noinline)) void down(int n)"
        " { volatile char local[200]; local[0] = n; other(n); local[1] = n; }\n"
        "void Reset_Handler(void) { hook = up; other = down; hook = down; other = up;"
        " up(1); for (;;); }\n"
    )
    assert linked(tmp_path, text).bound_bytes is None
    once = linked(tmp_path, text, annotations=StackAnnotations(pointer_recursion=1))
    twice = linked(tmp_path, text, annotations=StackAnnotations(pointer_recursion=2))
    assert once.grade == Confidence.ASSUMED
    assert once.bound_bytes is not None
    assert twice.bound_bytes is not None
    assert once.bound_bytes >= 100 + 2 * 200
    assert twice.bound_bytes >= once.bound_bytes + 2 * 200


@pytest.mark.parametrize("start", ["main();", "begin(); begin = other;"], ids=["called", "handed"])
def test_main_is_begun_once_where_it_is_called_by_its_name(tmp_path: Path, start: str) -> None:
    """Where start-up code has it as a pointer, nothing else may be what it calls."""
    text = (
        "int main(void) { volatile char local[400]; local[0] = 1; for (;;); }\n"
        "__attribute__((noinline)) int other(void) { volatile int n = 1; return n; }\n"
        "typedef int (*function)(void);\n"
        "function volatile begin = main, second = other;\n"
        "__attribute__((noinline)) int calls(void) { return second() + 1; }\n"
        "void Reset_Handler(void) { calls(); START for (;;); }\n"
    )
    report = linked(tmp_path, text.replace("START", start))
    assert "other" in called(report, "calls")
    assert ("main" in called(report, "calls")) == (start != "main();")
