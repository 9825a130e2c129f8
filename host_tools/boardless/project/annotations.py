"""What a project says of its stack that its ELF does not: `[budget.stack]`.

[budget.stack]
max = "3K"                        # main stack: the entry's worst path and every interrupt level
entry = ["Reset_Handler"]
su = "build/firmware"             # compiler's .su files below this folder, to compare with
cold = ["panic"]                  # what ends the program, beside what C names
pointer-recursion = 1             # calls through a pointer that come back to themselves

[budget.stack.calls]              # who is called through a pointer; * and ? as in a shell
"scheduler" = ["poll_*"]
"nn_run(observer)" = []           # the calls through that parameter; nobody: it is null
"ops.read" = ["uart_read"]        # through that member, whoever calls; a variable likewise
"poll.c: hook(n)" = ["on_tick"]   # on a line of that file with that text
"sched.c:run?" = ["idle"]         # a static function's; it may not be there: another -O
"scheduler+0x1a" = ["poll_uart"]  # the call at that place, until the next edit

[budget.stack.recursion]          # how many activations at once
"qsort" = 8

[budget.stack.frames]             # own frame where alloca or a VLA decides
"read_line" = 160

[budget.stack.interrupts]
fp = true                         # 104-byte frames; false: 32

[budget.stack.interrupts.level]   # handlers that share a preemption level never nest
"1" = ["SysTick_Handler"]
"2" = ["DMA2_Stream1_IRQHandler", "DCMI_IRQHandler"]

[[budget.stack.task]]
name = "sensor"
entry = "sensor_task"
max = "1K"
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boardless.project.budgets import Budget, read_budget
from boardless.project.toml_table import TomlTable

DEFAULT_ENTRY = "Reset_Handler"


KEYS = (
    *("entry", "su", "cold", "pointer-recursion", "calls", "recursion", "frames", "interrupts"),
    "task",
)


@dataclass(frozen=True)
class Task:
    """A thread with a stack of its own."""

    name: str
    entry: str
    budget: Budget | None = None


@dataclass(frozen=True)
class PriorityLevel:
    """Handlers of one preemption level."""

    name: str
    handlers: tuple[str, ...]


@dataclass(frozen=True)
class StackAnnotations:
    """Everything that `[budget.stack]` tells the analysis. `fp` None: as the code lets suppose.

    `pointer_recursion`: how often at once any one call through a pointer is under way where it may
    come back to itself; None: nobody says.
    """

    entries: tuple[str, ...] = ()
    calls: tuple[tuple[str, tuple[str, ...]], ...] = ()
    recursion: tuple[tuple[str, int], ...] = ()
    frames: tuple[tuple[str, int], ...] = ()
    tasks: tuple[Task, ...] = ()
    levels: tuple[PriorityLevel, ...] = ()
    fp: bool | None = None
    cold: tuple[str, ...] = ()
    pointer_recursion: int | None = None
    su_folders: tuple[Path, ...] = ()


def read_annotations(table: TomlTable) -> StackAnnotations:
    """Read what `[budget.stack]` has beside maxima. Raises `ConfigError`: key, found, expected."""
    interrupts = table.table("interrupts")
    fp, levels = interrupts.flag("fp"), _lists(interrupts.table("level"))
    interrupts.close()
    return StackAnnotations(
        entries=table.texts("entry"),
        calls=_lists(table.table("calls"), may_be_empty=True),
        recursion=_numbers(table.table("recursion"), are_bytes=False),
        frames=_numbers(table.table("frames"), are_bytes=True),
        tasks=tuple(_task(entry) for entry in table.tables("task")),
        levels=tuple(PriorityLevel(name, handlers) for name, handlers in levels),
        fp=fp,
        cold=table.texts("cold"),
        pointer_recursion=(
            table.count("pointer-recursion") if table.has("pointer-recursion") else None
        ),
        su_folders=tuple(table.folder / folder for folder in table.texts("su")),
    )


def _lists(
    table: TomlTable, *, may_be_empty: bool = False
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, table.texts(name, may_be_empty=may_be_empty)) for name in table.names())


def _numbers(table: TomlTable, *, are_bytes: bool) -> tuple[tuple[str, int], ...]:
    read = table.size if are_bytes else table.count
    return tuple((name, read(name)) for name in table.names())


def _task(entry: TomlTable) -> Task:
    name, function = entry.required_text("name"), entry.required_text("entry")
    budget = read_budget(entry, f"stack.task {name}", needs_max=False)
    entry.close()
    return Task(name, function, budget)
