"""A model's need against a part: what does not fit first, and by what factor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from boardless.fit.need import Need
from boardless.fit.part import Stm32Part

_M4 = "cortex-m4"


@dataclass(frozen=True)
class Rest:
    """What the firmware around the model takes, and how long an inference may take."""

    flash_bytes: int = 0
    ram_bytes: int = 0
    within_ms: float | None = None


@dataclass(frozen=True)
class ResourceCheck:
    """One resource. `needed` and `available` in `unit`."""

    name: str
    unit: str
    needed: float
    available: float

    @property
    def factor(self) -> float:
        """How many times what there is would be needed."""
        return self.needed / self.available if self.available else float("inf")

    @property
    def fits(self) -> bool:
        """Whether there is enough."""
        return self.needed <= self.available


@dataclass(frozen=True)
class FitVerdict:
    """All checks of one part, in the order in which they decide."""

    part: Stm32Part
    checks: tuple[ResourceCheck, ...]
    latency: LatencyEstimate

    @property
    def first_failure(self) -> ResourceCheck | None:
        """The first resource that there is not enough of."""
        return next((check for check in self.checks if not check.fits), None)

    @property
    def fits(self) -> bool:
        """Whether nothing is missing."""
        return self.first_failure is None


@dataclass(frozen=True)
class LatencyEstimate:
    """One inference in ms. `estimate`: by the cycle table, for a Cortex-M4.

    The other two are bounds that no program beats: multiplying as fast as the core can, reading
    each weight once as fast as its widest port can.
    """

    estimate: float | None
    multiply_bound: float | None
    read_bound: float

    @property
    def at_least(self) -> float:
        """The estimate, or the higher bound where there is none."""
        return self.estimate or max(self.multiply_bound or 0.0, self.read_bound)


def judge(need: Need, part: Stm32Part, rest: Rest) -> FitVerdict:
    """Flash, then the largest block of RAM, then all RAM, then time where it is limited."""
    found = latency(need, part)
    checks = [
        ResourceCheck("Flash", "bytes", need.flash_bytes + rest.flash_bytes, part.flash_bytes)
    ]
    if need.ram_bytes is not None:
        checks.append(ResourceCheck("RAM in one block", "bytes", need.ram_bytes, part.block_bytes))
        checks.append(
            ResourceCheck("RAM", "bytes", need.ram_bytes + rest.ram_bytes, part.ram_bytes)
        )
    if rest.within_ms is not None:
        checks.append(ResourceCheck("time", "ms", found.at_least, rest.within_ms))
    return FitVerdict(part, tuple(checks), found)


def latency(need: Need, part: Stm32Part) -> LatencyEstimate:
    """How long one inference takes at the highest clock."""
    known = need.cycles is not None and part.main_core.startswith(_M4)
    return LatencyEstimate(
        estimate=1e3 * (need.cycles or 0) / part.clock_hz if known and part.clock_hz else None,
        multiply_bound=None if need.macs is None else 1e3 * need.macs / part.macs_per_second,
        read_bound=1e3 * need.moved_bytes / part.bytes_per_second,
    )


def judge_all(need: Need, parts: Iterable[Stm32Part], rest: Rest) -> list[FitVerdict]:
    """Every part."""
    return [judge(need, part, rest) for part in parts]
