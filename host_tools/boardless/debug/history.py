"""The run so far: snapshots on the way, and what came from outside.

An input (a frame, text for a UART, a register that the user set) is kept by a snapshot of its own,
made at its position before the run goes on: to come past that position again is to take the
snapshot. An input at an earlier position makes a new future; the old one is forgotten.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from boardless_sim.core.stops import Position, Stops
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Outcome
from boardless_sim.engines.native.snapshot import Snapshot, restore, take

FAR_PS = 1 << 61
_MOST_SNAPSHOTS = 160
_RECENT = 40


@dataclass(frozen=True)
class Kept:
    """A board at a position. `is_input`: something came from outside there."""

    position: Position
    time_ps: int
    snapshot: Snapshot
    is_input: bool = False


class RunHistory:
    """The run of one engine from where it was handed over; without `every_ps` no way back."""

    def __init__(self, engine: NativeEngine, stops: Stops, every_ps: int | None) -> None:
        self._engine, self._stops = engine, stops
        self._every_ps = every_ps
        self._kept: list[Kept] = []
        self._has_input = False
        self.replayed = False  # the last run ended where an input had come, and it came again
        self.begin()

    @property
    def start(self) -> Kept:
        """The first position that can be gone back to."""
        return self._kept[0]

    @property
    def kept(self) -> list[Kept]:
        """Every snapshot, oldest first."""
        return self._kept

    @property
    def goes_back(self) -> bool:
        """Whether there is more than the start to go back to."""
        return self._every_ps is not None

    def begin(self) -> None:
        """Here is the start: nothing before it can be gone back to."""
        self._begun = self.take()
        self._kept = [self._begun]
        self._has_input = False

    def go_to_start(self) -> None:
        """Be again what was handed over, or begun with last."""
        restore(self._engine, self._begun.snapshot)

    def take(self, *, is_input: bool = False) -> Kept:
        """The board here and now."""
        time_ps = self._engine.machine.time_ps()
        return Kept(self._stops.position(), time_ps, take(self._engine), is_input)

    def note_input(self) -> None:
        """Something came from outside, here; what lay ahead is no longer true."""
        here = self._stops.position()
        self._kept = [kept for kept in self._kept if kept.position <= here] or self._kept[:1]
        self._has_input = True

    def keep_input(self) -> None:
        """Before the board leaves this position."""
        if self._has_input and self.goes_back:
            here = self.take(is_input=True)
            self._kept = [kept for kept in self._kept if kept.position < here.position]
            self._kept.append(here)
        self._has_input = False

    def last_before(self, target: Position) -> Kept:
        """The latest snapshot that is not later than a position."""
        number = bisect_right(self._kept, target, key=lambda kept: kept.position)
        return self._kept[max(number - 1, 0)]

    # ---- forward ----

    def run(self, limit_ps: int) -> Outcome:
        """Run on as the stops were armed, at most up to a time; snapshots on the way."""
        self.keep_input()
        machine = self._engine.machine
        ahead = self._next_input()
        if ahead is not None:
            self._stops.halt_at(ahead.position.instructions)
        due_ps = FAR_PS if self._every_ps is None else self._kept[-1].time_ps + self._every_ps
        ends_ps = min(limit_ps, max(due_ps, machine.time_ps() + 1))
        outcome = machine.run_until(ends_ps)
        self._stops.halt_at()
        self.replayed = ahead is not None and self._replay(ahead, outcome)
        if outcome is Outcome.LIMIT and machine.time_ps() >= due_ps:
            self._keep()
        return outcome

    def _next_input(self) -> Kept | None:
        inputs = [kept for kept in self._kept if kept.is_input]
        if not inputs:
            return None  # a step asks each time, and where it stands takes longer to find out
        here = self._stops.position()
        return next((kept for kept in inputs if kept.position > here), None)

    def _replay(self, ahead: Kept, outcome: Outcome) -> bool:
        """Where the run halted before an input, come to it; True: it came again."""
        stops = self._stops
        halted = outcome is Outcome.BREAK and not stops.where().inside_block
        if halted and not stops.caught():
            arm = stops.settle
            while stops.position() < ahead.position:
                arm()
                if self._engine.machine.run_until(FAR_PS) is not Outcome.BREAK or stops.is_hit():
                    break
                arm = stops.step
        here = stops.position()
        if here == ahead.position:
            restore(self._engine, ahead.snapshot)
            return True
        if here > ahead.position:  # passed inside a longer step: another future
            self._kept = [kept for kept in self._kept if kept.position < ahead.position]
        return False

    def _keep(self) -> None:
        here = self.take()
        if here.position > self._kept[-1].position:
            self._kept.append(here)
            self._thin()

    def _thin(self) -> None:
        """Of the older snapshots every second one goes, but for the start and for inputs."""
        if len(self._kept) <= _MOST_SNAPSHOTS:
            return
        old, recent = self._kept[1:-_RECENT], self._kept[-_RECENT:]
        thinned = [kept for number, kept in enumerate(old) if kept.is_input or number % 2]
        if len(thinned) > _MOST_SNAPSHOTS - _RECENT:
            self._kept = thinned[len(thinned) // 2 :] + recent  # a later start
        else:
            self._kept = [self._kept[0], *thinned, *recent]
