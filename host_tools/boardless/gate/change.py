"""One figure before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One figure before and after; None where it was not there."""

    name: str
    before: int | None
    after: int | None

    @property
    def delta(self) -> int:
        """Bytes more than before."""
        return (self.after or 0) - (self.before or 0)

    def text(self) -> str:
        """As `uart_print +120`, and whether it is new or gone."""
        state = " (new)" if self.before is None else " (gone)" if self.after is None else ""
        return f"{self.name} {self.delta:+,}{state}"

    def as_json(self) -> dict[str, object]:
        """Its fields."""
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "delta": self.delta,
        }


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Change, ...]:
    """Every name of either, the largest change first."""
    found = [Change(name, before.get(name), after.get(name)) for name in {**before, **after}]
    return tuple(sorted(found, key=lambda change: (-abs(change.delta), change.name)))
