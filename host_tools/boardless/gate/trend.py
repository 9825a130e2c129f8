"""The locks of the last commits: every figure over time, and what moved each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boardless.gate.base import LOCK, Identity, baseline_of
from boardless.gate.change import Change, changes
from boardless.gate.diff import Baseline, cause, compare
from boardless.gate.git import git
from boardless_sim.errors import ConfigError

_MAX_BYTES = 64 << 20
_SHORT = 10


@dataclass(frozen=True)
class LockChange:
    """A commit that changed the lock. `moved`: figures that are others than in the step before.

    `why`: the symbols that grew most since.
    """

    commit: str
    day: str
    subject: str
    figures: Mapping[str, int]
    moved: tuple[Change, ...] = ()
    why: str = ""


def trend(folder: Path, last: int, target: str = "") -> tuple[LockChange, ...]:
    """The last commits that changed the lock in a folder, the oldest first.

    Raises `ConfigError` where there is none, or one that cannot be read.
    """
    raw = git(folder, "log", f"-n{last}", "--format=%H%x09%cs%x09%s", "--", LOCK)
    lines = [] if raw is None else raw.decode("utf-8", "replace").splitlines()
    if not lines:
        raise ConfigError(
            f"{folder / LOCK}: in no commit, expected the output of boardless budget --json "
            f"{LOCK}, committed"
        )
    found: list[LockChange] = []
    before: Baseline | None = None
    for line in reversed(lines):
        commit, day, subject = (*line.split("\t", 2), "", "")[:3]
        text = git(folder, "show", f"{commit}:./{LOCK}")
        if text is None:  # the commit took it away
            continue
        label = f"{commit[:_SHORT]}:{LOCK}"
        now = baseline_of(label, text[:_MAX_BYTES], Identity(target=target))
        found.append(_step(commit, day, subject, before, now))
        before = now
    return tuple(found)


def _step(
    commit: str, day: str, subject: str, before: Baseline | None, now: Baseline
) -> LockChange:
    figures = _figures(now)
    shown = "".join(char if char.isprintable() else "?" for char in subject)
    if before is None:
        return LockChange(commit[:_SHORT], day, shown, figures)
    moved = tuple(change for change in changes(_figures(before), figures) if change.delta)
    diff = compare(before, now, noise=0)
    has_grown = any(change.delta > 0 for change in diff.symbols)
    return LockChange(commit[:_SHORT], day, shown, figures, moved, cause(diff) if has_grown else "")


def _figures(base: Baseline) -> dict[str, int]:
    """By the keys of their budgets."""
    stack = {} if base.stack_bytes is None else {"stack.bound": base.stack_bytes}
    return {
        **{f"region.{name}": size for name, size in base.regions.items()},
        **{f"size.{name}": size for name, size in base.sizes.items()},
        **stack,
    }
