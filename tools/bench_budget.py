"""Measures the budget gate on a large ELF, and puncover and bloaty on the same one where they are.

python tools/bench_budget.py [ELF]: without one, a program of some 15 MB is made and compiled.
Writes build/bench-budget.json. The figures are this machine's, as busy as it was; no verdict. The
tools take turns, so that a busy moment hits all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path("build/bench-budget")
OUTPUT = Path("build/bench-budget.json")
ROUNDS = 5
UNITS, FUNCTIONS, RECORDS = 48, 60, 1_600
POINTER = 12  # one function in so many calls through a pointer, as in LVGL 9
GCC = "arm-none-eabi-gcc"
FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-Os", "-g", "-fno-eliminate-unused-debug-types")
LINK = ("-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs", "-Wl,--no-warnings")
SCRIPT = """\
ENTRY(start)
SECTIONS {
  .text 0x08000000 : { LONG(0x20020000) LONG(start + 1) *(.text* .rodata*) }
  .data 0x20000000 : AT(LOADADDR(.text) + SIZEOF(.text)) { *(.data* .bss* COMMON) end = .; }
}
"""
START = """\
#include <stdio.h>
{declared}
int leaf(struct record_0 *self, int depth) {{ return self->a + depth; }}
void start(void) {{
  struct record_0 r = {{0}};
  for (;;) printf("%d", {called});
}}
"""
RECORD = """\
struct record_{n} {{
  int a, b, c[{length}]; unsigned char d[{n} % 7 + 1]; struct record_{before} *next;
  int (*visit)(struct record_{n} *, int); void (*drop)(struct record_{n} *); const char *name;
}};
"""
FUNCTION = """\
int {callee}(struct record_0 *, int);
int unit_{unit}_{n}(struct record_0 *self, int depth) {{
  struct record_{record} held[{length}];
  volatile int sum = depth;
  for (int i = 0; i < {length}; i++) {{
    held[i].a = sum + i; held[i].b = sum ^ i << {shift};
    held[i].visit = (int (*)(struct record_{record} *, int))self->visit;
    if (held[i].a & {length}) sum += {visit}; else sum -= held[i].b * {n};
    switch (sum & 7) {{ case 0: sum += 3; break; case 1: sum *= 5; break; case 2: sum ^= 9; break;
      case 3: sum -= {n}; break; case 4: sum = ~sum; break; default: sum /= {length}; }}
  }}
  return sum + {callee}(self, depth + 1);
}}
"""


@dataclass(frozen=True)
class Figures:
    """One tool on the ELF: medians of wall and processor time, and the largest process."""

    tool: str
    seconds: float
    cpu_seconds: float
    memory_bytes: int


def large_elf() -> Path:
    """The made program: in every unit each function calls the next, some through a pointer."""
    elf = FOLDER / "large.elf"
    if elf.is_file() and elf.stat().st_mtime > Path(__file__).stat().st_mtime:
        return elf
    FOLDER.mkdir(parents=True, exist_ok=True)
    records = "struct record_0;\n" + "".join(
        RECORD.format(n=n, before=max(n - 1, 0), length=n % 9 + 1) for n in range(RECORDS)
    )
    (FOLDER / "records.h").write_text(records)
    (FOLDER / "large.ld").write_text(SCRIPT)
    sources = [write("start", start())]
    sources += [write(f"unit_{unit}", "".join(functions(unit))) for unit in range(UNITS)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compiled, sources))
    command = [GCC, *FLAGS, *LINK, "-T", str(FOLDER / "large.ld"), *objects, "-o", str(elf)]
    subprocess.run(command, check=True)
    return elf


def write(name: str, text: str) -> Path:
    """One source file, with the records in front."""
    path = FOLDER / f"{name}.c"
    path.write_text(f'#include "records.h"\n{text}')
    return path


def start() -> str:
    """The entry, which calls every unit, and the leaf that every unit ends in."""
    declared = "\n".join(f"int unit_{u}_0(struct record_0 *, int);" for u in range(UNITS))
    called = " + ".join(f"unit_{u}_0(&r, {u})" for u in range(UNITS))
    return START.format(declared=declared, called=called)


def functions(unit: int) -> Iterator[str]:
    """A unit's functions, each of which calls the next."""
    for n in range(FUNCTIONS):
        yield FUNCTION.format(
            unit=unit,
            n=n,
            visit="held[i].visit(&held[i], i)" if n % POINTER == 0 else "held[i].c[0]",
            callee=f"unit_{unit}_{n + 1}" if n + 1 < FUNCTIONS else "leaf",
            record=(unit * FUNCTIONS + n) % RECORDS,
            length=n % 5 + 2,
            shift=n % 6,
        )


def compiled(source: Path) -> str:
    """Its object's path."""
    made = source.with_suffix(".o")
    subprocess.run([GCC, *FLAGS, "-c", str(source), "-o", str(made)], check=True)
    return str(made)


def commands(elf: Path) -> dict[str, list[str]]:
    """The command line of every tool that is installed."""
    budgets = FOLDER / "boardless.toml"
    FOLDER.mkdir(parents=True, exist_ok=True)
    budgets.write_text('[budget.region.FLASH]\nmax = "16M"\n')
    boardless = [sys.executable, "-m", "boardless", "budget", str(elf), "--config", str(budgets)]
    found = {"boardless": boardless}
    if puncover := shutil.which("puncover"):
        report = str(FOLDER / "puncover")
        found["puncover"] = [puncover, "--non-interactive", "--generate-report", "--elf", str(elf)]
        found["puncover"] += ["--report-filename", report]
        if gcc := shutil.which(GCC):
            found["puncover"] += ["--gcc-tools-base", gcc.removesuffix("gcc")]
    if bloaty := shutil.which("bloaty"):
        found["bloaty"] = [bloaty, "-d", "compileunits", "-n", "0", str(elf)]
    return found


def timed(command: list[str]) -> tuple[float, float, int]:
    """Wall and processor seconds of a command and its children, and its peak memory."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"bench: exit code {process.returncode} of: {' '.join(command)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def measure(elf: Path) -> list[Figures]:
    """Every tool, in turns; boardless first."""
    found = commands(elf)
    runs: dict[str, list[tuple[float, float, int]]] = {tool: [] for tool in found}
    for _ in range(ROUNDS):
        for tool, command in found.items():
            runs[tool].append(timed(command))
    return [
        Figures(
            tool,
            statistics.median(run[0] for run in each),
            statistics.median(run[1] for run in each),
            max(run[2] for run in each),
        )
        for tool, each in runs.items()
    ]


def show(elf: Path, found: list[Figures]) -> None:
    """A row a tool, each figure with its ratio to boardless's."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("tool", "time", "processor", "memory"):
        table.add_column(column, justify="left" if column == "tool" else "right")
    base = found[0]
    for row in found:
        table.add_row(
            row.tool,
            f"{row.seconds:.2f} s ({row.seconds / base.seconds:.2f}x)",
            f"{row.cpu_seconds:.2f} s ({row.cpu_seconds / base.cpu_seconds:.2f}x)",
            f"{row.memory_bytes / 1e6:.0f} MB ({row.memory_bytes / base.memory_bytes:.2f}x)",
        )
    console = Console()
    console.print(f"budget of {elf}, {elf.stat().st_size / 1e6:.1f} MB, stack included:")
    console.print(table)
    for tool in sorted({"puncover", "bloaty"} - {row.tool for row in found}):
        console.print(f"{tool}: not installed")


def main() -> int:
    """Measure, write, show."""
    elf = Path(sys.argv[1]) if len(sys.argv) > 1 else large_elf()
    found = measure(elf)
    document = {
        "schema": 1,
        "elf_bytes": elf.stat().st_size,
        "tools": [asdict(row) for row in found],
    }
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    show(elf, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
