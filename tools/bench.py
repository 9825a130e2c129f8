"""Measures speed and memory of the whole line, and compares all test frames with the reference.

Writes build/bench.json. Exit code 1 when the firmware and the reference disagree on any frame; the
speeds are figures of this machine, not verdicts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from boardless_models.data.dataset import DATASET_FOLDER, load_test_split
from boardless_models.graph.accuracy import BATCH
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.reference import run_graph
from boardless_models.int8.score import decide

ELF = Path("build/firmware/boardless.elf")
ARTIFACT = Path("models/artifacts/fashion_mnist_8k.npz")
OUTPUT = Path("build/bench.json")
FRAMES = DATASET_FOLDER / "t10k-images-idx3-ubyte.gz"
LABELS = DATASET_FOLDER / "t10k-labels-idx1-ubyte.gz"
SHORT, LONG, ALL = 100, 1_100, 10_000
STARTS = 5
SWEEP_JOBS = 2


@dataclass(frozen=True)
class Run:
    """One run of the command line."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    document: dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One measured figure and what it should be; `least` says which side is good."""

    name: str
    value: float
    target: float
    unit: str
    least: bool

    @property
    def met(self) -> bool:
        """Whether this machine, as busy as it was, met the target."""
        return self.value >= self.target if self.least else self.value <= self.target


def boardless_run(limit: int, jobs: int = 1) -> Run:
    """Run `boardless run` on the first test frames, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "run.json"
        command = [
            *(sys.executable, "-m", "boardless", "run", str(ELF)),
            *("--frames", str(FRAMES), "--labels", str(LABELS)),
            *("--limit", str(limit), "--jobs", str(jobs), "--json", str(document)),
        ]
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise SystemExit(f"bench: exit code {process.returncode} of: {' '.join(command)}")
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return Run(seconds, cpu_seconds, usage.ru_maxrss * 1024, json.loads(document.read_text()))


def expected() -> list[tuple[int, int]]:
    """Class and score of every test frame by the reference."""
    network = load_artifact(ARTIFACT).graph
    images = load_test_split(DATASET_FOLDER).images
    answers: list[tuple[int, int]] = []
    for start in range(0, len(images), BATCH):
        for logits in run_graph(network, images[start : start + BATCH])[-1]:
            decision = decide(logits.reshape(-1), network.score_step)
            answers.append((decision.class_index, decision.score))
    return answers


def disagreements(document: dict[str, Any]) -> list[int]:
    """The frames whose class or score differs from the reference."""
    reference = expected()
    results = document["results"]
    if len(results) != len(reference):
        raise SystemExit(f"bench: {len(results)} results, expected {len(reference)}")
    return [
        number
        for number, (result, answer) in enumerate(zip(results, reference, strict=True))
        if (result["class"], result["score"]) != answer
    ]


def show(figures: list[Figure], sweep: Run, wrong: list[int]) -> None:
    """The figures as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("figure", "measured", "target", ""):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in figures:
        sign = "≥" if figure.least else "≤"
        target = f"{sign} {figure.target:g} {figure.unit}"
        remark = "met" if figure.met else "not met"
        table.add_row(figure.name, f"{figure.value:.2f} {figure.unit}", target, remark)
    console = Console()
    console.print(table)
    verdict = f"{len(wrong)} differ" if wrong else "all equal"
    accuracy = 100 * sweep.document["accuracy"]
    console.print(f"class and score against the reference: {ALL} frames, {verdict}")
    console.print(f"accuracy of the emulated firmware: {accuracy:.2f} %")


def main() -> int:
    """Measure, write, show."""
    starts = [boardless_run(1).seconds for _ in range(STARTS)]
    short, long = boardless_run(SHORT), boardless_run(LONG)
    sweep = boardless_run(ALL, SWEEP_JOBS)
    wrong = disagreements(sweep.document)
    frames_per_second = (LONG - SHORT) / (long.cpu_seconds - short.cpu_seconds)
    figures = [
        Figure("frames per second of one core", frames_per_second, 100, "frames/s", True),
        Figure("process start to first result", statistics.median(starts), 0.6, "s", False),
        Figure("peak memory", long.peak_bytes / 1e6, 250, "MB", False),
        Figure(f"{ALL} frames, {SWEEP_JOBS} processes", sweep.seconds, 120, "s", False),
    ]
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "schema": 1,
        "figures": [{**asdict(figure), "met": figure.met} for figure in figures],
        "sweep": {
            "frames": ALL,
            "accuracy": sweep.document["accuracy"],
            "fingerprint": sweep.document["fingerprint"],
            "different_frames": wrong,
        },
    }
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    show(figures, sweep, wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
