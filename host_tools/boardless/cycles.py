"""Estimated cycles held against cycles that a board measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.engines.native import NativeEngine
from boardless_sim.errors import ConfigError, EngineError
from boardless_sim.image import load_image

SCHEMA = 1
DEFAULT_LIMIT_US = 120e6
BAND = 0.15


@dataclass(frozen=True)
class Region:
    """The measured part of a program, between two functions that mark it."""

    start: str = "start_trigger"
    stop: str = "stop_trigger"


@dataclass(frozen=True)
class Comparison:
    """One program: what the table says, and what the board said."""

    program: str
    estimated: int
    measured: int
    instructions: int

    @property
    def ratio(self) -> float:
        """Estimated over measured: 1 is right, less is too fast."""
        return self.estimated / self.measured


@dataclass(frozen=True)
class CycleReport:
    """Every program of a baseline."""

    comparisons: tuple[Comparison, ...]

    @property
    def geometric_mean(self) -> float:
        """Of the ratios."""
        return _geometric_mean([c.ratio for c in self.comparisons])

    @property
    def rms_error(self) -> float:
        """Root mean square of ratio - 1."""
        squares = [(c.ratio - 1) ** 2 for c in self.comparisons]
        return math.sqrt(sum(squares) / len(squares))

    def within(self, band: float = BAND) -> int:
        """How many programs are off by at most `band`."""
        return sum(abs(c.ratio - 1) <= band for c in self.comparisons)

    def leave_one_out(self, left_out: Comparison) -> float:
        """Its ratio to the mean of all the others: how far off where the others set the scale."""
        others = [c.ratio for c in self.comparisons if c is not left_out]
        return left_out.ratio / _geometric_mean(others) if others else left_out.ratio

    def document(self) -> dict[str, object]:
        """As JSON, schema 1."""
        return {
            "schema": SCHEMA,
            "programs": len(self.comparisons),
            "within_15_percent": self.within(),
            "geometric_mean": round(self.geometric_mean, 4),
            "rms_error": round(self.rms_error, 4),
            "results": [
                {
                    "program": c.program,
                    "estimated": c.estimated,
                    "measured": c.measured,
                    "instructions": c.instructions,
                    "ratio": round(c.ratio, 4),
                    "leave_one_out": round(self.leave_one_out(c), 4),
                }
                for c in self.comparisons
            ],
        }


def read_baseline(path: Path, hz: int) -> dict[str, int]:
    """Measured cycles by program, from JSON of milliseconds at `hz`. Raises `ConfigError`."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}, expected JSON: program to ms") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON, expected program to milliseconds") from error
    if not isinstance(found, dict) or not found:
        raise ConfigError(f"{path}: no program, expected program to milliseconds")
    for program, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            raise ConfigError(f"{path}: {program}: found {value!r}, expected milliseconds above 0")
    return {program: round(value * hz / 1000) for program, value in found.items()}


def compare(
    folder: Path,
    baseline: Mapping[str, int],
    region: Region,
    limit_us: float = DEFAULT_LIMIT_US,
    progress: Callable[[Comparison], None] | None = None,
) -> CycleReport:
    """Run `folder/<program>.elf` for every program of the baseline.

    Raises `ImageError` for an unusable ELF, `EngineError` where the region is not reached.
    """
    comparisons = []
    for program, measured in sorted(baseline.items()):
        estimated, instructions = _measure(folder / f"{program}.elf", region, limit_us)
        comparisons.append(Comparison(program, estimated, measured, instructions))
        if progress is not None:
            progress(comparisons[-1])
    return CycleReport(tuple(comparisons))


def _measure(elf: Path, region: Region, limit_us: float) -> tuple[int, int]:
    image = load_image(elf)
    start, stop = image.symbol(region.start).address, image.symbol(region.stop).address
    with closing(NativeEngine()) as engine:
        engine.load(image)
        for name, address in ((region.start, start), (region.stop, stop)):
            before = engine.cycles(), engine.instructions()
            if not engine.run_to(address, limit_us):
                raise EngineError(
                    f"{elf}: {name} was not reached in {limit_us / 1e6:g} s of virtual time"
                )
        return engine.cycles() - before[0], engine.instructions() - before[1]


def _geometric_mean(ratios: list[float]) -> float:
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))
