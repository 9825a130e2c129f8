"""Stack paths of two firmwares: which grew, and the call or the frame that made it grow. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from boardless.gate.change import Change

_NAMED = 3


@dataclass(frozen=True)
class StackFrame:
    """A function: its own frame, its bound (None: unbounded), who its worst path goes on to."""

    own_bytes: int
    worst_bytes: int | None
    calls: str = ""
    grade: str = ""

    def as_json(self) -> dict[str, object]:
        """Its fields."""
        return {
            "own": self.own_bytes,
            "worst": self.worst_bytes,
            "calls": self.calls,
            "grade": self.grade,
        }


Frames = Mapping[str, StackFrame]


@dataclass(frozen=True)
class StackPath:
    """A path that is bounded by itself: the main program, an interrupt, a task."""

    entry: str
    worst_bytes: int | None
    reserve_bytes: int | None = None

    def as_json(self) -> dict[str, object]:
        """Its fields; `reserve` where a task's room is stated."""
        found: dict[str, object] = {"entry": self.entry, "worst": self.worst_bytes}
        return found if self.reserve_bytes is None else {**found, "reserve": self.reserve_bytes}


@dataclass(frozen=True)
class Stacks:
    """The paths by what they are called, and every function."""

    paths: Mapping[str, StackPath] = field(default_factory=dict)
    functions: Frames = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The `stacks` of the document."""
        return {
            "paths": {name: path.as_json() for name, path in self.paths.items()},
            "functions": {name: frame.as_json() for name, frame in self.functions.items()},
        }


@dataclass(frozen=True)
class PathChange:
    """A path that is another than before.

    `cause` and the `function` that it is about are empty where the path did not grow; `state` says
    what two figures do not.
    """

    change: Change
    cause: str = ""
    function: str = ""
    state: str = ""

    @property
    def name(self) -> str:
        """As `main`, `interrupt SysTick_Handler`, `task sensor`."""
        return self.change.name

    def text(self) -> str:
        """The change and its cause."""
        text = f"{self.name} {self.state}" if self.state else self.change.text()
        return f"{text}: {self.cause}" if self.cause else text

    def as_json(self) -> dict[str, object]:
        """Its fields."""
        return {**self.change.as_json(), "cause": self.cause, "function": self.function}


def stack_changes(before: Stacks, after: Stacks) -> tuple[PathChange, ...]:
    """Every path that is longer, shorter, new or gone, the largest growth first."""
    found = list(_changes(before, after))
    return tuple(sorted(found, key=lambda each: (-each.change.delta, each.name)))


def _changes(before: Stacks, after: Stacks) -> Iterator[PathChange]:
    for name in {**before.paths, **after.paths}:
        old, new = before.paths.get(name), after.paths.get(name)
        was = None if old is None else old.worst_bytes
        if new is None:
            yield PathChange(Change(name, was, None), state="is gone")
            continue
        change = Change(name, was, new.worst_bytes)
        if old is None:
            yield PathChange(change, "", new.entry, "is new")
        elif _is_more(old.worst_bytes, new.worst_bytes):
            function, cause = _cause(old, new, before.functions, after.functions)
            state = "is unbounded now" if new.worst_bytes is None else ""
            yield PathChange(change, cause, function, state)
        elif change.before != change.after:
            yield PathChange(change, state="is bounded now" if change.before is None else "")


def _is_more(before: int | None, after: int | None) -> bool:
    """Whether a bound grew; one that is lost has grown beyond all others."""
    return before is not None and (after is None or after > before)


def _cause(
    old: StackPath,
    new: StackPath,
    before: Frames,
    after: Frames,
) -> tuple[str, str]:
    """Down the worst path to the last function that grew, and why that one did.

    What it calls has not grown, so it is its own frame, or a call that was not the worst before.
    """
    name, passed = new.entry, {new.entry}
    if new.entry != old.entry:
        return name, f"it is deepest in {new.entry} now, it was in {old.entry}"
    if new.worst_bytes is None:
        return name, _lost(before, after)
    if not _has_grown(name, before, after):
        return name, "its exception frame is larger, or an annotation is another"
    while (callee := after[name].calls) not in passed and _has_grown(callee, before, after):
        name = callee
        passed.add(name)
    return name, "; ".join(_reasons(name, before[name], after[name], before))


def _lost(before: Frames, after: Frames) -> str:
    """Who has no bound any more: new functions first, for they are why the others have none."""
    open_now = [name for name, frame in after.items() if frame.worst_bytes is None]
    new = [f"{name} (new)" for name in open_now if name not in before]
    old = [name for name in open_now if name in before and before[name].worst_bytes is not None]
    found = new + old
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"no bound for {', '.join(found[:_NAMED])}{more}"


def _has_grown(name: str, before: Frames, after: Frames) -> bool:
    was, now = before.get(name), after.get(name)
    return was is not None and now is not None and _is_more(was.worst_bytes, now.worst_bytes)


def _reasons(name: str, was: StackFrame, now: StackFrame, before: Frames) -> Iterator[str]:
    if now.own_bytes > was.own_bytes:
        yield f"{name} takes {now.own_bytes:,} bytes itself, it took {was.own_bytes:,}"
    if now.calls and now.calls not in before:
        yield f"{name} calls {now.calls}, which is new"
    elif now.calls != was.calls:
        yield f"{name} is deepest in {now.calls or 'itself'}, it was in {was.calls or 'itself'}"
    elif now.own_bytes <= was.own_bytes:
        yield f"{name} stands deeper where it calls {now.calls or 'nobody'}"
