"""What changed against a base: regions, symbols and the stack's worst path. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

_NAMED = 3


@dataclass(frozen=True)
class Baseline:
    """The figures of an earlier firmware. `label` says which; `maxima` what it was held to.

    `reasons` are those that its own file gave; `stack_path` is the worst path, its functions in
    order with the bytes of each.
    """

    label: str
    regions: Mapping[str, int]
    sizes: Mapping[str, int]
    symbols: Mapping[str, int]
    maxima: Mapping[str, int]
    reasons: Mapping[str, str]
    stack_bytes: int | None = None
    stack_path: tuple[tuple[str, int], ...] = ()


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


@dataclass(frozen=True)
class Diff:
    """All changes. `unchanged` symbols moved by no more than `noise` bytes and are not listed."""

    label: str
    noise: int
    regions: tuple[Change, ...]
    sizes: tuple[Change, ...]
    symbols: tuple[Change, ...]
    unchanged: int
    stack: Change | None = None
    stack_cause: str = ""

    def as_json(self) -> dict[str, object]:
        """The `base` of the document."""
        stack = {} if self.stack is None else {**self.stack.as_json(), "cause": self.stack_cause}
        return {
            "label": self.label,
            "noise": self.noise,
            "regions": [change.as_json() for change in self.regions],
            "sizes": [change.as_json() for change in self.sizes],
            "symbols": [change.as_json() for change in self.symbols],
            "unchanged": self.unchanged,
            "stack": stack,
        }


def compare(base: Baseline, now: Baseline, noise: int) -> Diff:
    """The changes from one to the other, the largest first."""
    symbols = changes(base.symbols, now.symbols)
    listed = tuple(change for change in symbols if abs(change.delta) > noise)
    stack = None
    if base.stack_bytes is not None or now.stack_bytes is not None:
        stack = Change("stack", base.stack_bytes, now.stack_bytes)
    return Diff(
        label=base.label,
        noise=noise,
        regions=changes(base.regions, now.regions),
        sizes=changes(base.sizes, now.sizes),
        symbols=listed,
        unchanged=len(symbols) - len(listed),
        stack=stack,
        stack_cause=path_change(base.stack_path, now.stack_path),
    )


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Change, ...]:
    """Every name of either, the largest change first."""
    found = [Change(name, before.get(name), after.get(name)) for name in {**before, **after}]
    return tuple(sorted(found, key=lambda change: (-abs(change.delta), change.name)))


def cause(diff: Diff, matching: Container[str] | None = None) -> str:
    """The symbols that grew most, in words."""
    grown = [
        change
        for change in diff.symbols
        if change.delta > 0 and (matching is None or change.name in matching)
    ]
    grown.sort(key=lambda change: (-change.delta, change.name))
    if not grown:
        return "no single symbol grew by more than the noise"
    more = len(grown) - _NAMED
    rest = f" and {more} more" if more > 0 else ""
    return "by " + ", ".join(change.text() for change in grown[:_NAMED]) + rest


def path_change(before: Sequence[tuple[str, int]], after: Sequence[tuple[str, int]]) -> str:
    """The first call of the worst path that is another, or else the frame that grew most."""
    if not before or not after:
        return ""
    for place, (function, _) in enumerate(after):
        if place >= len(before) or before[place][0] != function:
            caller = after[place - 1][0] if place else "the entry"
            was = before[place][0] if place < len(before) else "nothing"
            return f"{caller} now calls {function} on the worst path, where it was {was}"
    if len(before) > len(after):
        return f"the worst path now ends in {after[-1][0]}, it went on to {before[len(after)][0]}"
    grown = max(zip(before, after, strict=True), key=lambda pair: abs(pair[1][1] - pair[0][1]))
    (function, old), (_, new) = grown
    return "" if old == new else f"{function} now takes {new:,} bytes, it took {old:,}"
