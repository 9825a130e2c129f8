"""What the times of an engine rest on, and how far a board's may be from them."""

from __future__ import annotations

from dataclasses import dataclass

# Of the estimate, for 95 % of programs whose Flash has no wait states. From the 19 programs of
# Embench-IoT 2.0 and what a real STM32F407 took for them: docs/explanation/time.md.
ERROR_PERCENT = 15


@dataclass(frozen=True)
class TimingBasis:
    """`error_percent` is None where nobody held the times against a board."""

    name: str
    error_percent: int | None = None

    def __str__(self) -> str:
        return self.name if self.error_percent is None else f"{self.name}, ±{self.error_percent} %"


ESTIMATED_CYCLES = TimingBasis("estimated Cortex-M4 cycles", ERROR_PERCENT)
