"""From lines of results to rows of the table, and what the stop rule asks of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boardless.sweep.plan import SweepBudget
from boardless.sweep.work import Row
from boardless_sim.engines.engine import StopReason

_Z95 = 1.959964  # of the normal distribution, two-sided 95 %


@dataclass(frozen=True)
class SweepRow:
    """One row: all frames of one firmware on one board. Times in µs; None: not known."""

    row: Row
    wanted: int
    frames: int
    correct: int | None
    latencies_us: tuple[float, ...]
    problems: tuple[str, ...]
    fingerprints: tuple[str, ...]

    @property
    def accuracy(self) -> float | None:
        """Share of the frames that have a result; None without labels."""
        return self.correct / self.frames if self.correct is not None and self.frames else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the accuracy lies with 95 %."""
        return None if self.correct is None else wilson(self.correct, self.frames)

    @property
    def mean_us(self) -> float | None:
        """Of the latencies that the firmware says."""
        return sum(self.latencies_us) / len(self.latencies_us) if self.latencies_us else None

    @property
    def p95_us(self) -> float | None:
        """A time that occurred."""
        times = sorted(self.latencies_us)
        return times[-(-95 * len(times) // 100) - 1] if times else None

    def failures(self, budget: SweepBudget) -> list[str]:
        """Why the row fails; a row without a figure that it is held to does."""
        found = list(self.problems)
        if budget.min_accuracy is not None:
            if self.accuracy is None:
                found.append("accuracy unknown: no labels, or no results")
            elif self.accuracy < budget.min_accuracy:
                found.append(f"accuracy {self.accuracy:.4f}, least {budget.min_accuracy:g}")
        if budget.max_latency_ms is not None:
            if self.p95_us is None:
                found.append("latency unknown: the firmware says no times")
            elif self.p95_us > budget.max_latency_ms * 1000:
                found.append(
                    f"latency {self.p95_us / 1000:.3f} ms (95 %), most {budget.max_latency_ms:g}"
                )
        return found

    def is_lost(self, budget: SweepBudget) -> bool:
        """Whether no result that is still to come can make it pass."""
        if self.problems:
            return True
        if budget.min_accuracy is None or self.correct is None:
            return False
        best = self.correct + self.wanted - self.frames
        return best < budget.min_accuracy * self.wanted

    def is_known_within(self, half_width: float) -> bool:
        """Whether the accuracy's interval is as narrow as that to both sides together."""
        found = self.interval
        return found is not None and (found[1] - found[0]) / 2 <= half_width


def wilson(correct: int, frames: int) -> tuple[float, float] | None:
    """The 95 % interval of a share (Wilson, 1927): it holds for few frames and near 1 as well."""
    if not frames:
        return None
    share, z2 = correct / frames, _Z95 * _Z95
    middle = (share + z2 / (2 * frames)) / (1 + z2 / frames)
    spread = math.sqrt(share * (1 - share) / frames + z2 / (4 * frames * frames))
    half = _Z95 / (1 + z2 / frames) * spread
    return max(0.0, middle - half), min(1.0, middle + half)


def row_of(row: Row, wanted: int, found: Sequence[Mapping[str, Any]]) -> SweepRow:
    """A row of its lines; `wanted`: how many frames it is to have."""
    lines = sorted(found, key=lambda line: int(line["start"]))
    good = [line for line in lines if "problem" not in line]
    corrects = [line["correct"] for line in good if line["frames"]]
    return SweepRow(
        row=row,
        wanted=wanted,
        frames=sum(line["frames"] for line in good),
        correct=sum(corrects) if corrects and None not in corrects else None,
        latencies_us=tuple(us for line in good for us in line["latency_us"]),
        problems=tuple(dict.fromkeys(text for line in lines for text in _problems(line))),
        fingerprints=tuple(line["fingerprint"] for line in good),
    )


def _problems(line: Mapping[str, Any]) -> list[str]:
    if "problem" in line:
        return [line["problem"]]
    found = [
        f"{seen['check']}: {seen['text']}"
        for seen in line["board_checks"]
        if seen["grade"] == "error"
    ]
    if line["stop_reason"] != StopReason.RESULT.value:
        found.append(line["detail"] or line["stop_reason"])
    return found
