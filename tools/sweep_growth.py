"""How a sweep grows beyond the machines that are here, from what its tasks took on this one.

    boardless sweep plan.toml --out build/sweep --jobs 1
    python tools/sweep_growth.py build/sweep/results.jsonl --frames 1000000

No measurement: the measured times of the tasks are dealt out to workers as the scheduler would, one
after the other, and what binds is named. Times are this machine's core's.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boardless.sweep.store import read_results
from boardless_sim.errors import BoardlessError

WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
BEND = 0.8  # share of the ideal speed below which another worker is not worth it
FRAME_BYTES = 28 * 28  # of the test frames


@dataclass(frozen=True)
class Link:
    """What stands between the client and its workers. `task_s`: of the scheduler's time a task."""

    task_s: float
    start_s: float
    bytes_per_s: float
    task_bytes: int


@dataclass(frozen=True)
class Growth:
    """A sweep on so many workers. `binds`: what keeps it from being faster."""

    workers: int
    wall_s: float
    speed: float
    binds: str

    @property
    def efficiency(self) -> float:
        """Of the ideal."""
        return self.speed / self.workers


def grow(times_s: Sequence[float], workers: int, link: Link) -> Growth:
    """Deal the tasks out in order, each to the worker that is free first.

    The scheduler handles one task at a time, and the client's line carries one task's frames at a
    time; a worker starts its process before its first task.
    """
    free = [link.start_s] * workers
    heapq.heapify(free)
    scheduled = sent = 0.0
    for task_s in times_s:
        scheduled += link.task_s
        sent = max(sent, scheduled) + link.task_bytes / link.bytes_per_s
        heapq.heappush(free, max(heapq.heappop(free), sent) + task_s)
    wall = max(free)
    total = sum(times_s)
    others = {
        "the scheduler": scheduled,
        "the client's line": len(times_s) * link.task_bytes / link.bytes_per_s,
        "the longest task and the start": max(times_s) + link.start_s,
    }
    is_near_ideal = total / workers >= BEND * wall
    binds = "the workers" if is_near_ideal else max(others, key=lambda name: others[name])
    return Growth(workers, wall, total / wall, binds)


def main() -> int:
    """Print the table."""
    given = _arguments()
    try:
        lines = [line for line in read_results(given.results) if "problem" not in line]
    except BoardlessError as error:
        print(f"sweep_growth: {error}", file=sys.stderr)
        return 2
    if not lines:
        print(f"sweep_growth: {given.results}: no results, expected some", file=sys.stderr)
        return 2
    chunk = round(sum(line["count"] for line in lines) / len(lines))
    measured = [float(line["host_s"]) for line in lines]
    tasks = max(1, given.frames // chunk)
    times = [measured[number % len(measured)] for number in range(tasks)]
    print(f"{given.frames:,} frames in {tasks:,} tasks of {chunk}; measured: {len(lines)} tasks,")
    print(f"mean {sum(measured) / len(measured):.3f} s, longest {max(measured):.3f} s of one core")
    line_bytes_per_s = given.mbit * 1e6 / 8
    link = Link(given.scheduler_ms / 1000, given.start_s, line_bytes_per_s, chunk * FRAME_BYTES)
    _print_table([grow(times, workers, link) for workers in WORKERS])
    hours = sum(times) / 3600
    print(f"\n{hours:,.1f} core hours: {hours * given.core_hour:,.2f} at {given.core_hour:g} each")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--scheduler-ms", type=float, default=1.0, help="Dask's time for a task")
    parser.add_argument("--start-s", type=float, default=2.0, help="a worker's start and imports")
    parser.add_argument("--mbit", type=float, default=1000.0, help="the client's line")
    parser.add_argument("--core-hour", type=float, default=0.04, help="price of a core for an hour")
    return parser.parse_args()


def _print_table(found: Sequence[Growth]) -> None:
    print("\n| workers | time | speed | of the ideal | what binds |")
    print("| ---: | ---: | ---: | ---: | --- |")
    for each in found:
        print(
            f"| {each.workers:,} | {each.wall_s:,.0f} s | {each.speed:,.1f} | "
            f"{100 * each.efficiency:.0f} % | {each.binds} |"
        )
    bend = next((each for each in found if each.efficiency < BEND), None)
    if bend is not None:
        print(f"\nbend at {bend.workers:,} workers: {bend.binds}")


if __name__ == "__main__":
    sys.exit(main())
