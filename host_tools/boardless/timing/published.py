"""Estimated cycles held against cycles that a board measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from statistics import mean, stdev

from boardless.timing.leave_one_out import Counted, chosen_by_others
from boardless_sim.core.timing import REFILL, Refill
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import ConfigError, EngineError
from boardless_sim.files import read_file
from boardless_sim.json_text import parse_json
from boardless_sim.timing_basis import ERROR_PERCENT

SCHEMA = 1
_MOST_BYTES = 1 << 20
DEFAULT_LIMIT_US = 120e6
BAND = ERROR_PERCENT / 100


@dataclass(frozen=True)
class MeasuredSpan:
    """The measured part of a program, between two functions that mark it.

    With `counter` it is what the program itself has counted by DWT_CYCCNT, and has in that variable
    (32 bits) when it comes to `stop`.
    """

    start: str = "start_trigger"
    stop: str = "stop_trigger"
    counter: str | None = None


@dataclass(frozen=True)
class Correctness:
    """How a program tells that it computed the right thing.

    Behind its region it runs to `exit`; r0 is 0 there, and every text of `says` has been printed.
    """

    exit: str
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class BoardComparison:
    """One program: what the table says, and what the board said.

    `instructions` is None where the program counted; `wrong` is what its own check found, None
    where it was not asked; `paid` is how often each constant of the table was paid, None where
    nobody counted.
    """

    program: str
    estimated: int
    measured: int
    instructions: int | None
    sha256: str = ""
    wrong: tuple[str, ...] | None = None
    paid: Refill | None = None

    @property
    def ratio(self) -> float:
        """Estimated over measured: 1 is right, less is too fast."""
        return self.estimated / self.measured

    @property
    def error(self) -> float:
        """How far the board is from the estimate, as a part of the estimate."""
        return self.measured / self.estimated - 1


@dataclass(frozen=True)
class LeftOut:
    """One program by the constants that all the others would have chosen."""

    refill: Refill
    estimated: int
    measured: int

    @property
    def ratio(self) -> float:
        """Estimated over measured."""
        return self.estimated / self.measured


@dataclass(frozen=True)
class CycleReport:
    """Every program of a baseline that was measured at a clock of `hz`."""

    comparisons: tuple[BoardComparison, ...]
    hz: int

    @property
    def geometric_mean(self) -> float:
        """Of the ratios."""
        return math.exp(mean(self._logarithms))

    @property
    def geometric_deviation(self) -> float | None:
        """Geometric standard deviation of the ratios; None for one program."""
        return math.exp(stdev(self._logarithms)) if len(self.comparisons) > 1 else None

    @property
    def rms_error(self) -> float:
        """Root mean square of ratio - 1."""
        return rms_error(self.comparisons)

    @property
    def held_by_others(self) -> int:
        """How many programs are no further off than the worst of all the others."""
        return sum(abs(c.error) <= self.worst_of_others(c) for c in self.comparisons)

    def within(self, band: float = BAND) -> int:
        """How many programs are off by at most `band`."""
        return within_band(self.comparisons, band)

    def worst_of_others(self, left_out: BoardComparison) -> float:
        """The band that the other programs make: the largest error among them."""
        return max((abs(c.error) for c in self.comparisons if c is not left_out), default=0)

    def leave_one_out(self) -> tuple[LeftOut, ...]:
        """Every program by the constants of the others; empty where not counted, or one alone."""
        counted = [
            Counted(c.estimated, c.measured, c.paid) for c in self.comparisons if c.paid is not None
        ]
        if len(counted) < max(2, len(self.comparisons)):
            return ()
        return tuple(
            LeftOut(refill, program.estimate(refill), program.measured)
            for program, refill in zip(counted, chosen_by_others(counted), strict=True)
        )

    @property
    def _logarithms(self) -> list[float]:
        return [math.log(c.ratio) for c in self.comparisons]

    def document(self) -> dict[str, object]:
        """As JSON, schema 1."""
        deviation = self.geometric_deviation
        left_out = self.leave_one_out()
        return {
            "schema": SCHEMA,
            "hz": self.hz,
            "programs": len(self.comparisons),
            "band_percent": ERROR_PERCENT,
            "within_band": self.within(),
            "geometric_mean": round(self.geometric_mean, 4),
            "geometric_deviation": None if deviation is None else round(deviation, 4),
            "rms_error": round(self.rms_error, 4),
            "held_by_others": self.held_by_others,
            "refill": REFILL._asdict(),
            "left_out_rms_error": round(rms_error(left_out), 4) if left_out else None,
            "left_out_within_band": within_band(left_out) if left_out else None,
            "results": [
                {
                    "program": c.program,
                    "sha256": c.sha256,
                    "checked": None if c.wrong is None else not c.wrong,
                    "estimated": c.estimated,
                    "measured": c.measured,
                    "instructions": c.instructions,
                    "ratio": round(c.ratio, 4),
                    "error": round(c.error, 4),
                    "worst_of_others": round(self.worst_of_others(c), 4),
                    "paid": None if c.paid is None else c.paid._asdict(),
                    "left_out": None
                    if without is None
                    else {"refill": without.refill._asdict(), "ratio": round(without.ratio, 4)},
                }
                for c, without in zip_longest(self.comparisons, left_out)
            ],
        }


def rms_error(programs: Sequence[BoardComparison | LeftOut]) -> float:
    """Root mean square of ratio - 1."""
    return math.sqrt(mean((program.ratio - 1) ** 2 for program in programs))


def within_band(programs: Sequence[BoardComparison | LeftOut], band: float = BAND) -> int:
    """How many are off by at most `band`."""
    return sum(abs(program.ratio - 1) <= band for program in programs)


def read_baseline(path: Path, hz: int) -> dict[str, int]:
    """Measured cycles by program, from JSON of milliseconds at `hz`. Raises `ConfigError`."""
    expected = "program to milliseconds"
    found = parse_json(
        read_file(path, expected, ConfigError, _MOST_BYTES), path, expected, ConfigError
    )
    if not isinstance(found, dict) or not found:
        raise ConfigError(f"{path}: no program, expected program to milliseconds")
    for program, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            raise ConfigError(
                f"{path}: {program}: found {value!r}, expected 0 < milliseconds < 1e9"
            )
    cycles = {program: round(value * hz / 1000) for program, value in found.items()}
    for program, count in cycles.items():
        if count == 0:
            raise ConfigError(
                f"{path}: {program}: {found[program]} ms are no cycle at {hz} Hz, expected some"
            )
    return cycles


def compare(
    folder: Path,
    baseline: Mapping[str, int],
    hz: int,
    region: MeasuredSpan,
    check: Correctness | None = None,
    limit_us: float = DEFAULT_LIMIT_US,
    *,
    leave_one_out: bool = False,
) -> CycleReport:
    """Run `folder/<program>.elf` for every program of the baseline.

    With `leave_one_out` once more for each constant of the table, to count how often it was paid.
    Raises `ConfigError` for an ELF that the baseline does not know, `ImageError` for an unusable
    one, `EngineError` where the region is not reached.
    """
    for elf in sorted(folder.glob("*.elf")):
        if elf.stem not in baseline:
            raise ConfigError(f"{elf}: the baseline has no {elf.stem!r}, expected it for each ELF")
    return CycleReport(
        tuple(
            (_count if leave_one_out else _measure)(
                folder / f"{program}.elf", measured, region, check, limit_us
            )
            for program, measured in sorted(baseline.items())
        ),
        hz,
    )


def _count(
    elf: Path, measured: int, region: MeasuredSpan, check: Correctness | None, limit_us: float
) -> BoardComparison:
    """Measured as it is, and with each constant one more: by so many it was paid."""
    found = _measure(elf, measured, region, check, limit_us)
    paid = (
        _measure(elf, measured, region, None, limit_us, one_more).estimated - found.estimated
        for one_more in (
            REFILL._replace(**{name: now + 1}) for name, now in REFILL._asdict().items()
        )
    )
    return replace(found, paid=Refill(*paid))


def _measure(
    elf: Path,
    measured: int,
    region: MeasuredSpan,
    check: Correctness | None,
    limit_us: float,
    refill: Refill = REFILL,
) -> BoardComparison:
    image = load_image(elf)
    stop = image.symbol(region.stop).address
    first = image.symbol(region.counter or region.start).address
    exit_address = None if check is None else image.symbol(check.exit).address
    with closing(NativeEngine(refill=refill)) as engine:
        engine.load(image)
        instructions = None
        if region.counter is None:
            _run_to(engine, elf, region.start, first, limit_us)
            before, instructions_before = engine.cycles(), engine.instructions()
            _run_to(engine, elf, region.stop, stop, limit_us)
            cycles = engine.cycles() - before
            instructions = engine.instructions() - instructions_before
        else:
            _run_to(engine, elf, region.stop, stop, limit_us)
            cycles = int.from_bytes(engine.read_memory(first, 4), "little")
            if cycles == 0:
                raise EngineError(f"{elf}: {region.counter} is 0 at {region.stop}, expected cycles")
        wrong = None
        if check is not None and exit_address is not None:
            _run_to(engine, elf, check.exit, exit_address, limit_us)
            wrong = tuple(_wrong(engine, check))
    return BoardComparison(elf.stem, cycles, measured, instructions, image.sha256, wrong)


def _run_to(engine: NativeEngine, elf: Path, name: str, address: int, limit_us: float) -> None:
    if not engine.run_to(address, limit_us):
        raise EngineError(f"{elf}: {name} was not reached in {limit_us / 1e6:g} s of virtual time")


def _wrong(engine: NativeEngine, check: Correctness) -> Iterator[str]:
    result = engine.read_register("r0")
    if result != 0:
        yield f"r0 is {result} at {check.exit}, expected 0"
    for text in check.says:
        if not any(text in line.text for line in engine.uart_lines()):
            yield f"no line with {text!r} by {check.exit}, expected one"
