"""A sweep's plan, as `plan.toml` says it.

    [sweep]
    elf = ["build/a.elf", "build/b.elf"]    # or one, of each of these revisions:
    revision = ["v1.0", "HEAD"]
    build = "make firmware"
    chip = ["stm32f407vg", "stm32f429zi"]
    seed = [1, 2, 3]                         # of what RAM holds at power-on, and of the optics
    optics = ["blur", "noise"]
    severity = [0, 0.5, 1]

    [[frames]]
    path = "pictures/"
    labels = "pictures/labels.txt"
    limit = 1000

    [budget]
    min-accuracy = 0.9
    max-latency-ms = 20

    [stop]
    fail-fast = true
    confidence = 0.01

Paths start at the file's folder.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boardless.project.config import parse_toml
from boardless.project.toml_table import TomlTable
from boardless_sim.camera.fit import DEFAULT_FIT, FITS
from boardless_sim.errors import ConfigError
from boardless_sim.faults.optics import OPTICS
from boardless_sim.files import read_file

MOST_FILE_BYTES = 1 << 20
MOST_CELLS = 1_000_000
DEFAULT_CHUNK = 100
_REVISION = re.compile(r"[\w./~^@{}-]{1,200}", re.ASCII)


@dataclass(frozen=True)
class FrameSet:
    """Frames of one source. `name` stands in the results."""

    name: str
    path: str
    labels: Path | None
    limit: int | None
    fit: str = DEFAULT_FIT


@dataclass(frozen=True)
class SweepBudget:
    """What every row of the table is held to; None: not held to it."""

    min_accuracy: float | None = None
    max_latency_ms: float | None = None


@dataclass(frozen=True)
class StopRule:
    """When less than everything will do.

    `fail_fast`: a row that can no longer pass ends the sweep. `confidence`: a row whose accuracy is
    known to within this share (half of its 95 % interval) gets no more frames.
    """

    fail_fast: bool = False
    confidence: float | None = None


@dataclass(frozen=True)
class SweepPlan:
    """The axes. A row of the result is one of each; its frames come in chunks.

    `elfs` and `configs` as the file has them, from its `folder`.
    """

    path: Path
    elfs: tuple[str, ...]
    frames: tuple[FrameSet, ...]
    revisions: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    configs: tuple[str | None, ...] = (None,)
    chips: tuple[str | None, ...] = (None,)
    engines: tuple[str, ...] = ("native",)
    seeds: tuple[int | None, ...] = (None,)
    optics: tuple[str | None, ...] = (None,)
    severities: tuple[float, ...] = (0.0,)
    chunk: int = DEFAULT_CHUNK
    limit_us: float = 1_000_000.0
    budget: SweepBudget = SweepBudget()
    stop: StopRule = StopRule()

    @property
    def folder(self) -> Path:
        """From which its paths go."""
        return self.path.parent


def read_plan(path: Path) -> SweepPlan:
    """Read and check a plan. Raises `ConfigError`: file, key, found, expected."""
    root = TomlTable(path, "", parse_toml(path, read_file(path, "a plan", ConfigError,
                                                          MOST_FILE_BYTES)))  # fmt: skip
    sweep = root.table("sweep")
    elfs = sweep.texts("elf")
    if not elfs:
        raise sweep.error("elf: not there, expected the firmwares to run")
    revisions, build = _revisions(sweep)
    optics, severities = _optics(sweep)
    plan = SweepPlan(
        path=path,
        elfs=elfs,
        frames=tuple(map(_frame_set, root.tables("frames"))),
        revisions=revisions,
        build=build,
        configs=sweep.texts("config") or (None,),
        chips=sweep.texts("chip") or (None,),
        engines=sweep.texts("engine") or ("native",),
        seeds=_seeds(sweep),
        optics=optics,
        severities=severities,
        chunk=sweep.count("chunk") if sweep.has("chunk") else DEFAULT_CHUNK,
        limit_us=_number(sweep, "limit-ms", 1000.0, 0.001, 1e9) * 1000,
        budget=_budget(root.table("budget")),
        stop=_stop(root.table("stop")),
    )
    sweep.close()
    root.close()
    if not plan.frames:
        raise ConfigError(f"{path}: no [[frames]], expected at least one source of frames")
    _require_each_once(plan)
    return plan


def _revisions(sweep: TomlTable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    revisions, build = sweep.texts("revision"), sweep.text("build")
    if bool(revisions) != (build is not None):
        raise sweep.error("expected revision and build together, or neither")
    for revision in revisions:
        if not _REVISION.fullmatch(revision) or revision.startswith("-"):
            raise sweep.error(f"revision: found {revision!r}, expected one that git knows")
    try:
        return revisions, tuple(shlex.split(build or ""))
    except ValueError as error:
        raise sweep.error(f"build: {error}, expected a command") from error


def _frame_set(table: TomlTable) -> FrameSet:
    path, labels = table.required_text("path"), table.text("labels")
    name = table.text("name") or path
    limit = table.count("limit") if table.has("limit") else None
    fit = table.choice("fit", tuple(FITS), DEFAULT_FIT)
    table.close()
    return FrameSet(
        name=name,
        path=path if path.startswith("pattern:") else str(table.folder / path),
        labels=None if labels is None else table.folder / labels,
        limit=limit,
        fit=fit,
    )


def _seeds(sweep: TomlTable) -> tuple[int | None, ...]:
    value = sweep.value("seed")
    if value is None:
        return (None,)
    seeds = value if isinstance(value, list) else [value]
    if not seeds or not all(type(seed) is int and 0 <= seed < 1 << 32 for seed in seeds):
        raise sweep.error("seed: expected a number from 0 to 4294967295, or a list of them")
    return tuple(seeds)


def _optics(sweep: TomlTable) -> tuple[tuple[str | None, ...], tuple[float, ...]]:
    names, value = sweep.texts("optics"), sweep.value("severity")
    if bool(names) != (value is not None):
        raise sweep.error("expected optics and severity together, or neither")
    for name in names:
        if name not in OPTICS:
            raise sweep.error(f"optics: found {name!r}, expected one of: {', '.join(OPTICS)}")
    if not names:
        return (None,), (0.0,)
    found: list[Any] = value if isinstance(value, list) else [value]
    if not found or not all(type(each) in (int, float) and 0 <= float(each) <= 1 for each in found):
        raise sweep.error("severity: expected a number from 0 to 1, or a list of them")
    return names, tuple(map(float, found))


def _number(table: TomlTable, key: str, default: float, least: float, most: float) -> float:
    found = _optional_number(table, key, least, most)
    return default if found is None else found


def _optional_number(table: TomlTable, key: str, least: float, most: float) -> float | None:
    value = table.value(key)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:  # type: ignore[operator]  # nan fails as well
        raise table.error(f"{key}: found {str(value)[:40]}, expected {least:g} to {most:g}")
    return float(value)  # type: ignore[arg-type]


def _budget(table: TomlTable) -> SweepBudget:
    budget = SweepBudget(
        min_accuracy=_optional_number(table, "min-accuracy", 0, 1),
        max_latency_ms=_optional_number(table, "max-latency-ms", 0, 1e9),
    )
    table.close()
    return budget


def _stop(table: TomlTable) -> StopRule:
    rule = StopRule(
        fail_fast=bool(table.flag("fail-fast")),
        confidence=_optional_number(table, "confidence", 0.0001, 0.5),
    )
    table.close()
    return rule


def _require_each_once(plan: SweepPlan) -> None:
    axes = {
        "elf": plan.elfs,
        "revision": plan.revisions,
        "config": plan.configs,
        "chip": plan.chips,
        "engine": plan.engines,
        "seed": plan.seeds,
        "optics": plan.optics,
        "severity": plan.severities,
        "frames": tuple(each.name for each in plan.frames),
    }
    cells = 1
    for name, values in axes.items():
        if len(set(values)) < len(values):
            raise ConfigError(f"{plan.path}: {name}: the same twice, expected each once")
        cells *= len(values) or 1
    if cells > MOST_CELLS:
        raise ConfigError(f"{plan.path}: {cells:,} rows, expected at most {MOST_CELLS:,}")
