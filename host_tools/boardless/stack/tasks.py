"""Tasks of operating systems: the functions that are handed to who makes a task, and their stacks.

A task's function is entered by a switch, on a stack of its own: nobody calls it, and its depth is
no part of who made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from boardless.stack.program import Program
from boardless.stack.scan import Scan
from boardless.stack.values import RegisterValue, What


@dataclass(frozen=True)
class _Maker:
    """Which word of a maker's arguments is the function, the stack and its size, in `unit` bytes.

    Below 0: not among them.
    """

    entry: int
    stack: int = -1
    size: int = -1
    unit: int = 1


# By the prototypes of each system's manual or public header.
_MAKERS: Mapping[str, _Maker] = {
    # FreeRTOS, task.h: the depth is in words
    "xTaskCreate": _Maker(0, size=2, unit=4),
    "xTaskGenericCreate": _Maker(0, size=2, unit=4),
    "xTaskCreateStatic": _Maker(0, stack=5, size=2, unit=4),
    "osThreadNew": _Maker(0),  # CMSIS-RTOS2
    # Zephyr, kernel.h
    "k_thread_create": _Maker(3, stack=1, size=2),
    "z_impl_k_thread_create": _Maker(3, stack=1, size=2),
    "z_setup_new_thread": _Maker(3, stack=1, size=2),
    "thread_create": _Maker(4, stack=0, size=1),  # RIOT, thread.h
    # ChibiOS, chthreads.h
    "chThdCreateStatic": _Maker(3, stack=0, size=1),
    "chThdCreateI": _Maker(3, stack=0, size=1),
    "chThdInit": _Maker(3, stack=0, size=1),
    # RT-Thread, rtthread.h
    "rt_thread_init": _Maker(2, stack=4, size=5),
    "rt_thread_create": _Maker(1, size=3),
    # ThreadX, tx_api.h
    "_tx_thread_create": _Maker(2, stack=4, size=5),
    "_txe_thread_create": _Maker(2, stack=4, size=5),
    # NuttX, sched.h and nuttx/kthread.h
    "task_create": _Maker(3, size=2),
    "nxtask_create": _Maker(3, size=2),
    "kthread_create": _Maker(3, size=2),
}
# Where a task begins, or goes when its function is done: entered by a switch.
TRAMPOLINES = frozenset(
    {
        *("z_thread_entry", "_thread_entry", "_thread_start", "_port_thread_start"),
        *("nxtask_start", "task_start", "pthread_start", "_tx_thread_shell_entry"),
        *("prvTaskExitError", "sched_task_exit", "_rt_thread_exit", "rt_thread_exit"),
    }
)


@dataclass(frozen=True)
class FoundTask:
    """A task that the ELF shows: its function, and the room of its stack where that is stated."""

    entry: int
    reserve_bytes: int | None = None
    stack_name: str = ""


def find_tasks(
    program: Program, calling: Callable[[int], list[int]], walk: Callable[[int], Scan]
) -> Iterator[FoundTask]:
    """Every function that is handed to a maker by its address."""
    for name, maker in _MAKERS.items():
        for target in program.by_name.get(name, ()):
            for caller in calling(target):
                passed = walk(caller).passed
                for (_, called), words in passed.items():
                    if called == target:
                        yield from _made(program, maker, words)


def _made(
    program: Program, maker: _Maker, words: tuple[RegisterValue | None, ...]
) -> Iterator[FoundTask]:
    entry = _number(words, maker.entry)
    if entry is None or not entry & 1 or entry - 1 not in program.functions:
        return
    size, stack = _number(words, maker.size), _number(words, maker.stack)
    held = None if stack is None else program.object_at(stack)
    reserve = size * maker.unit if size else None if held is None else held.size
    yield FoundTask(entry - 1, reserve, "" if held is None else held.name)


def _number(words: tuple[RegisterValue | None, ...], place: int) -> int | None:
    value = words[place] if 0 <= place < len(words) else None
    return value.number if value is not None and value.what == What.CONSTANT else None
