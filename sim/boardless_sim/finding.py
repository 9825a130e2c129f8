"""A finding: something that the firmware did and that the chip would not have carried.

Who sees it (a device, the core) names the check; what follows (a failed run, a printed line) is up
to whoever reads the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Grade(Enum):
    """How bad it is: an error fails the run, a warning is printed."""

    ERROR = "error"
    WARNING = "warning"


class Check(Enum):
    """What is looked at while a firmware runs; the value is its name in reports."""

    CLOCK_GATE = "clock-gate"
    PIN_FUNCTION = "pin-function"
    XCLK = "xclk"
    PIXEL_CLOCK = "pixel-clock"
    FLASH_LATENCY = "flash-latency"
    BAUD = "baud"
    DMA_PAST_SYMBOL = "dma-past-symbol"
    STACK_INTO_VARIABLES = "stack-into-variables"
    DEFAULT_HANDLER = "default-handler"
    UNMODELLED = "unmodelled"
    UNINITIALISED_READ = "uninitialised-read"

    @property
    def grade(self) -> Grade:
        """Whether the chip would fail (error), or only this harness knows too little (warning)."""
        return Grade.WARNING if self in _WARNINGS else Grade.ERROR


_WARNINGS = frozenset({Check.DEFAULT_HANDLER, Check.UNMODELLED, Check.UNINITIALISED_READ})


@dataclass(frozen=True)
class Finding:
    """One finding, kept once, where it was first seen.

    `kind` is the check's name, `pc` the address of the code that ran, `time_us` virtual time.
    """

    kind: str
    grade: Grade
    device: str
    pc: int
    time_us: float
    text: str
