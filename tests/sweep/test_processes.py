"""Worker processes of this machine: what happens when one dies, or the sweep itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from boardless import cli
from boardless.sweep.grid import Grid
from boardless.sweep.local import LocalWorkers
from boardless_sim.errors import EngineError


def results(path: Path) -> dict[str, str]:
    lines = map(json.loads, (path / "results.jsonl").read_text().splitlines())
    return {line["key"]: line["fingerprint"] for line in lines}


def test_the_faulty_firmware_fails_and_any_jobs_find_the_same(folder: Path) -> None:
    plan, one, two = (str(folder / name) for name in ("plan.toml", "one", "two"))
    table = folder / "table.json"
    assert cli.main(["sweep", plan, "--out", one, "--jobs", "1", "--json", str(table)]) == 1
    document = json.loads(table.read_text())
    assert [bool(row["failures"]) for row in document["rows"]] == [False, False, True, True]
    assert [row["frames"] for row in document["rows"]] == [6, 6, 6, 6]
    assert cli.main(["sweep", plan, "--out", two, "--jobs", "2"]) == 1
    assert results(folder / "one") == results(folder / "two")
    # Equal bytes under another name are known.
    shutil.copy(folder / "good.elf", folder / "bad.elf")
    assert cli.main(["sweep", plan, "--out", one, "--json", str(table)]) == 0
    assert json.loads(table.read_text())["tasks_run"] == 0


class KillsOnce(LocalWorkers):
    """Ends one worker process by SIGKILL after the first result."""

    def results(self, todo: deque) -> Iterator[dict]:  # type: ignore[type-arg]
        killed = False
        for line in super().results(todo):
            yield line
            if not killed:
                killed = True
                children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
                workers = [c for c in children if b"spawn_main" in cmdline(c)]
                os.kill(int(workers[0]), signal.SIGKILL)


def cmdline(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_worker_that_is_killed_costs_its_task_only(folder: Path, grid: Grid) -> None:
    lines = list(KillsOnce(grid, 1).results(deque(grid.tasks)))
    assert sorted(line["key"] for line in lines) == sorted(task.key for task in grid.tasks)


def test_a_task_that_always_kills_its_worker_ends_the_sweep(folder: Path, grid: Grid) -> None:
    lines = LocalWorkers(grid, 1)
    killer = folder / "killer.py"
    killer.write_text("import os\n\nos._exit(9)\n")
    task = grid.tasks[0]
    deadly = replace(task, setup=replace(task.setup, peripherals=(f"{killer}:Killer@0x50060800",)))
    with pytest.raises(EngineError, match="died 3 times"):
        list(lines.results(deque([deadly])))


def test_a_sweep_that_is_killed_leaves_no_process_and_goes_on(folder: Path) -> None:
    command = [sys.executable, "-m", "boardless", "sweep", "plan.toml", "--out", "out"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        kept = folder / "out/results.jsonl"
        while process.poll() is None and not (kept.exists() and kept.stat().st_size):
            os.sched_yield()
        process.kill()
    done = len(results(folder / "out"))
    table = folder / "table.json"
    cli.main(["sweep", str(folder / "plan.toml"), "--out", str(folder / "out"),
              "--json", str(table)])  # fmt: skip
    document = json.loads(table.read_text())
    assert document["tasks_known"] >= done
    assert document["tasks_known"] + document["tasks_run"] == 8
