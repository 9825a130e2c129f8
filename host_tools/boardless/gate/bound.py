"""The worst-case stack as a verdict holds it, and as its JSON tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from boardless.gate.stack_diff import Stacks
from boardless.stack.report import Confidence, StackReport

_REASONS = 20


@dataclass(frozen=True)
class StackBound:
    """What the analysis of an ELF says of its worst-case main stack; `bytes` None: unbounded.

    `cold_bytes` counts calls that never return too; None: nothing is known. `where` is the entry's
    source line, if the budget is broken. `report` is the whole analysis; None where there was none,
    for the `reason`, which is an error of the project's own file where `is_wrong`.
    """

    bytes: int | None
    grade: Confidence
    cold_bytes: int | None = None
    reason: str = ""
    report: StackReport | None = None
    stacks: Stacks | None = None
    where: tuple[str, int] | None = None
    is_wrong: bool = False

    @property
    def most_bytes(self) -> int | None:
        """What no run may use more than: it may have taken a path that never returns."""
        if self.bytes is None or self.cold_bytes is None:
            return None
        return max(self.bytes, self.cold_bytes)

    @property
    def notes(self) -> Iterator[str]:
        """Where another source gives a frame otherwise."""
        found = () if self.report is None else self.report.disagreements
        if found:
            first = found[0]
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            yield (
                f"frames: {first.source} gives {first.function} {first.found_bytes:,} bytes, its "
                f"code takes {first.expected_bytes:,}{more}; the code is followed"
            )


def account_of(report: StackReport) -> dict[str, object]:
    """The analysis's own account, as it stands in the JSON beside the figure."""
    return {
        "grade": str(report.grade),
        "entry": report.entry,
        "thread_bytes": report.thread_bytes,
        "cold_bytes": report.cold_bytes,
        "at_least_bytes": report.at_least_bytes,
        "path": [{"function": step.function, "bytes": step.depth} for step in report.path],
        "reasons": list(report.reasons[:_REASONS]),
        "interrupts": [
            {
                "level": level.name,
                "handler": level.handler,
                "bytes": level.bound_bytes,
                "grade": str(level.grade),
            }
            for level in report.interrupts.levels
        ],
        "dynamic": [function.name for function in report.functions if function.is_dynamic],
        "recursion": [
            {"functions": list(ring.functions), "depth": ring.depth, "bytes": ring.round_bytes}
            for ring in report.cycles
        ],
        "disagreements": [
            {
                "function": found.function,
                "source": found.source,
                "bytes": found.found_bytes,
                "code": found.expected_bytes,
            }
            for found in report.disagreements
        ],
    }
