"""The counter of a timer: up, down or both ways, as a position in its period (RM0090 18.3.2).

The position only grows, whatever the counter does: 0 is where a period begins. So a time is turned
into a counter, and a counter into a time, by the same few lines in every mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Direction(Enum):
    """CR1.DIR and CR1.CMS."""

    UP = "up"
    DOWN = "down"
    BOTH = "centre-aligned"


@dataclass
class Counter:
    """`limit` is ARR in force, `top` the highest value of the register."""

    top: int
    limit: int
    direction: Direction = Direction.UP
    position: int = 0

    @property
    def period(self) -> int:
        """Ticks of a period; a counter that was set beyond the limit goes up to the top first."""
        if self.direction is Direction.BOTH:
            return max(2 * self.limit, 1)
        if self.direction is Direction.UP and self.position > self.limit:
            return self.top + 1
        return self.limit + 1

    @property
    def value(self) -> int:
        """What CNT reads."""
        if self.direction is Direction.DOWN:
            return self.limit - self.position
        if self.counts_down:
            return 2 * self.limit - self.position
        return self.position

    @property
    def counts_down(self) -> bool:
        """What CR1.DIR reads."""
        if self.direction is Direction.BOTH:
            return self.position >= self.limit > 0
        return self.direction is Direction.DOWN

    def set(self, value: int) -> None:
        """CNT was written: the direction of a centre-aligned counter stays."""
        if self.direction is Direction.DOWN:
            self.position = self.limit - value
        elif self.counts_down:
            self.position = 2 * self.limit - value
        else:
            self.position = value

    def change(self, limit: int, direction: Direction) -> None:
        """Another limit or direction; the value stays."""
        value = self.value
        self.limit, self.direction = limit, direction
        self.position = 0
        self.set(value)

    def updates(self) -> tuple[int, ...]:
        """Positions of the update events: overflow and underflow; the last ends the period."""
        if self.direction is Direction.BOTH:
            return (self.limit, self.period)
        return (self.period,)

    def matches(self, compare: int, *, up: bool, down: bool) -> list[int]:
        """Positions in (0, period] at which the counter comes to `compare`.

        Beyond the limit it counts as the overflow (section 18.4.5, CC1IF). `up` and `down`: in
        which directions a centre-aligned counter matches.
        """
        period = self.period
        if compare > self.limit and not self.position > self.limit:
            return [self.limit if self.direction is Direction.BOTH else period]
        if self.direction is Direction.UP:
            return [compare or period]
        if self.direction is Direction.DOWN:
            return [self.limit - compare or period]
        found = {compare or period} if up else set()
        if down:
            found.add(2 * self.limit - compare)
        return sorted(found)
