"""A channel of a timer: what it puts out and what it captures (RM0090 18.3.5 to 18.3.10)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class OutputMode(IntEnum):
    """OCxM."""

    FROZEN = 0
    ACTIVE_ON_MATCH = 1
    INACTIVE_ON_MATCH = 2
    TOGGLE = 3
    FORCE_INACTIVE = 4
    FORCE_ACTIVE = 5
    PWM_1 = 6
    PWM_2 = 7


@dataclass
class Channel:
    """Its configuration, out of CCMRx and CCER, and what it remembers.

    `selection` is CCxS: 0 compares, 1 captures its own input, 2 its neighbour's. `reference` is
    OCxREF in the modes that keep it between matches. `input` is the level at its pin.
    """

    selection: int = 0
    mode: OutputMode = OutputMode.FROZEN
    enabled: bool = False
    inverted: bool = False
    both_edges: bool = False
    preloaded: bool = False
    prescaler: int = 1
    reference: bool = False
    input: bool = False
    edges: int = 0

    def configure(self, ccmr: int, ccer: int) -> None:
        """From the byte of CCMRx and the nibble of CCER that belong to it."""
        self.selection = ccmr & 3
        self.preloaded = not self.selection and bool(ccmr & 8)
        self.mode = OutputMode(ccmr >> 4 & 7)
        self.prescaler = 1 << (ccmr >> 2 & 3)
        self.enabled = bool(ccer & 1)
        self.inverted = bool(ccer & 2)
        self.both_edges = ccer & 0xA == 0xA

    def matched(self) -> None:
        """The counter came to the compare value."""
        if self.mode is OutputMode.TOGGLE:
            self.reference = not self.reference
        elif self.mode in (OutputMode.ACTIVE_ON_MATCH, OutputMode.INACTIVE_ON_MATCH):
            self.reference = self.mode is OutputMode.ACTIVE_ON_MATCH

    def output(self, counter: int, compare: int, *, counts_down: bool) -> bool:
        """The level at its pin."""
        if self.mode in (OutputMode.PWM_1, OutputMode.PWM_2):
            active = counter <= compare if counts_down else counter < compare
            reference = active is (self.mode is OutputMode.PWM_1)
        elif self.mode in (OutputMode.FORCE_ACTIVE, OutputMode.FORCE_INACTIVE):
            reference = self.mode is OutputMode.FORCE_ACTIVE
        else:
            reference = self.reference
        return reference is not self.inverted

    def sees(self, rising: bool) -> bool:
        """Whether an edge of its input is one that it is set to."""
        return self.both_edges or rising is not self.inverted

    def captures(self, rising: bool) -> bool:
        """An edge came: whether it is captured, after the prescaler."""
        if not self.enabled or not self.sees(rising):
            return False
        self.edges += 1
        if self.edges < self.prescaler:
            return False
        self.edges = 0
        return True
