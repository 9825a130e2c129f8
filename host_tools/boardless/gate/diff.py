"""What changed against a base: regions, symbols and the paths of the stack. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from boardless.gate.change import Change, changes
from boardless.gate.stack_diff import PathChange, Stacks, stack_changes

_NAMED = 3


@dataclass(frozen=True)
class Baseline:
    """The figures of an earlier firmware. `label` says which; `maxima` what it was held to.

    `reasons` are those that its own file gave; `stacks` is None, with the reason in `no_stacks`,
    where they are not known.
    """

    label: str
    regions: Mapping[str, int]
    sizes: Mapping[str, int]
    symbols: Mapping[str, int]
    maxima: Mapping[str, int]
    reasons: Mapping[str, str]
    stack_bytes: int | None = None
    stacks: Stacks | None = None
    no_stacks: str = ""


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
    stacks: tuple[PathChange, ...] = ()

    @property
    def stack_cause(self) -> str:
        """Why the worst case grew, by path."""
        return "; ".join(path.text() for path in self.stacks if path.cause)

    def as_json(self) -> dict[str, object]:
        """The `base` of the document."""
        return {
            "label": self.label,
            "noise": self.noise,
            "regions": [change.as_json() for change in self.regions],
            "sizes": [change.as_json() for change in self.sizes],
            "symbols": [change.as_json() for change in self.symbols],
            "unchanged": self.unchanged,
            "stack": {} if self.stack is None else self.stack.as_json(),
            "stacks": [path.as_json() for path in self.stacks],
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
        stacks=stack_changes(base.stacks, now.stacks) if base.stacks and now.stacks else (),
    )


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
