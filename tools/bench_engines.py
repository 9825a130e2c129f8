"""Measures the same frames on every engine that is here, as ratios to native.

Writes build/bench-engines.json. The figures are this machine's, as busy as it was; no verdict.
The engines take turns, so that a busy moment hits all of them: boardless-mailbox.elf on every one,
boardless.elf on those that have a camera.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from boardless.running.session import ENGINES
from boardless_models.data.dataset import DATASET_FOLDER

FIRMWARE = Path("build/firmware")
MAILBOX, CAMERA = "boardless-mailbox.elf", "boardless.elf"
RUNS = [(MAILBOX, engine) for engine in ENGINES]
RUNS += [(CAMERA, engine) for engine in ENGINES if engine != "qemu"]
OUTPUT = Path("build/bench-engines.json")
FRAMES = DATASET_FOLDER / "t10k-images-idx3-ubyte.gz"
COUNT = 50
ROUNDS = 3


@dataclass(frozen=True)
class Figures:
    """A firmware on an engine. `frames_per_s` leaves the start out.

    `cpu_s` is the processor's time end to end, which a busy machine changes least;
    `memory_bytes` is that of the largest process.
    """

    elf: str
    engine: str
    start_s: float
    frames_per_s: float
    end_to_end_s: float
    cpu_s: float
    memory_bytes: int


def timed_run(elf: str, engine: str, limit: int) -> tuple[float, float, int] | None:
    """Seconds, the processor's too, and peak memory of one `boardless run`; None without engine."""
    command = [
        *(sys.executable, "-m", "boardless", "run", str(FIRMWARE / elf), "--engine", engine),
        *("--frames", str(FRAMES), "--limit", str(limit)),
    ]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode == 2:
        return None
    if process.returncode:
        raise SystemExit(f"bench: exit code {process.returncode} of: {' '.join(command)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def measure() -> tuple[list[Figures], list[str]]:
    """The figures of every engine, and the engines that are not here."""
    here = [run for run in RUNS if timed_run(*run, 1) is not None]
    seconds: dict[tuple[str, str, int], list[float]] = {}
    cpu: dict[tuple[str, str, int], list[float]] = {}
    memory = dict.fromkeys(here, 0)
    for run in here * ROUNDS:
        for limit in (1, COUNT + 1):
            found = timed_run(*run, limit)
            if found is None:
                raise SystemExit(f"bench: engine {run[1]} ran once and then not again")
            seconds.setdefault((*run, limit), []).append(found[0])
            cpu.setdefault((*run, limit), []).append(found[1])
            memory[run] = max(memory[run], found[2])
    figures = []
    for run in here:
        start, whole = (statistics.median(seconds[*run, limit]) for limit in (1, COUNT + 1))
        per_second = COUNT / max(whole - start, 1e-3)
        cpu_s = statistics.median(cpu[*run, COUNT + 1])
        figures.append(Figures(*run, start, per_second, whole, cpu_s, memory[run]))
    engines = {engine for _, engine in here}
    return figures, [engine for engine in ENGINES if engine not in engines]


def show(found: list[Figures], missing: list[str]) -> None:
    """A row an engine, each figure with its ratio to that of the first with the same firmware."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    whole = f"{COUNT + 1} frames"
    columns = ("firmware", "engine", "first result", "frames/s", whole, "CPU", "memory")
    for column in columns:
        table.add_column(column, justify="left" if column in columns[:2] else "right")
    for row in found:
        base = next(first for first in found if first.elf == row.elf)
        table.add_row(
            row.elf,
            row.engine,
            f"{row.start_s:.2f} s ({row.start_s / base.start_s:.1f}x)",
            f"{row.frames_per_s:.0f} ({row.frames_per_s / base.frames_per_s:.2f}x)",
            f"{row.end_to_end_s:.2f} s ({row.end_to_end_s / base.end_to_end_s:.1f}x)",
            f"{row.cpu_s:.2f} s ({row.cpu_s / base.cpu_s:.1f}x)",
            f"{row.memory_bytes / 1e6:.0f} MB ({row.memory_bytes / base.memory_bytes:.1f}x)",
        )
    console = Console(width=110)
    console.print(table)
    for engine in missing:
        console.print(f"{engine}: not here")


def main() -> int:
    """Measure, write, show."""
    found, missing = measure()
    if not found:
        raise SystemExit(f"bench: no engine runs {FIRMWARE / MAILBOX} (make firmware)")
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "schema": 2,
        "frames": COUNT + 1,
        "engines": [asdict(row) for row in found],
        "missing": missing,
    }
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    show(found, missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
