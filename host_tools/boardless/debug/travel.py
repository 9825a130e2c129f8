"""Backwards: from a snapshot forward again, to the place that is wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from boardless.debug.history import FAR_PS, Kept, RunHistory
from boardless_sim.core.cpu import NEVER
from boardless_sim.core.stops import Hit, Position, Stops
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Outcome
from boardless_sim.engines.native.snapshot import restore

_MARGIN_PS = 10_000_000  # a block that was begun is counted to its end
_NEAR_INSTRUCTIONS = 3_000  # steps back that follow this one are short


@dataclass(frozen=True)
class Landing:
    """Where the way back ended, and the access if it was for a watchpoint."""

    position: Position
    hit: Hit | None


class Travel:
    """Takes a board to earlier positions of its history."""

    def __init__(self, engine: NativeEngine, stops: Stops, history: RunHistory) -> None:
        self._engine, self._stops, self._history = engine, stops, history
        self._near: Kept | None = None
        self._began_ps = 0

    def forget(self) -> None:
        """The history changed."""
        self._near = None

    def go_to(self, target: Position, time_ps: int = FAR_PS) -> None:
        """Stand at a position of the run so far; `time_ps` is when, where the core slept there."""
        self._began_ps = max(self._began_ps, self._engine.machine.time_ps())
        self._history.keep_input()
        restore(self._engine, self._last_before(target).snapshot)
        with self._stops.muted():
            if target.asleep_at != NEVER:
                self._stops.go_on()
                self._engine.machine.run_until(time_ps)
            else:
                self._approach(target.instructions)
                self._walk_to(target)

    def step_back(self) -> bool:
        """Stand at the stop before this one; False: here is the start."""
        self._began_ps = self._engine.machine.time_ps()
        here, start = self._stops.position(), self._history.start.position
        if here <= start:
            return False
        if here.step:
            self.go_to(here._replace(step=here.step - 1))
            return True
        self._history.keep_input()
        before = max(Position(max(here.instructions - 1, 0), 0, NEVER, 0), start)
        restore(self._engine, self._last_before(before).snapshot)
        with self._stops.muted():
            self._approach(before.instructions)
            self._settle()
        block = self._history.take()
        last = self._last_stop_before(here)
        restore(self._engine, block.snapshot)
        self._walk_to(last)
        return True

    def run_back(self) -> Landing | None:
        """Stand at the last breakpoint, or behind the last watched access; None: at the start."""
        self._began_ps = self._engine.machine.time_ps()
        here = self._stops.position()
        self._history.keep_input()
        end = here
        for kept in reversed([kept for kept in self._history.kept if kept.position < here]):
            restore(self._engine, kept.snapshot)
            for position, hit in reversed(deque(self._hits_before(end), maxlen=2)):
                landing = self._land(position, hit)
                if landing.position < here:
                    return landing
            end = kept.position
        self.go_to(self._history.start.position)
        return None

    # ---- forward to where it was ----

    def _last_before(self, target: Position) -> Kept:
        kept, near = self._history.last_before(target), self._near
        if near is not None and kept.position < near.position <= target:
            return near
        return kept

    def _run(self) -> Outcome:
        """On the way back nothing comes later than where it began."""
        return self._engine.machine.run_until(self._began_ps + _MARGIN_PS)

    def _approach(self, instructions: int) -> None:
        """To the block with that instruction, unless the board is there already."""
        if self._stops.position().instructions < instructions - _NEAR_INSTRUCTIONS:
            self._halt_before(instructions - _NEAR_INSTRUCTIONS)
            self._near = self._history.take()
        if not self._is_in_block_of(instructions):
            self._halt_before(instructions, may_step_soon=True)

    def _is_in_block_of(self, instructions: int) -> bool:
        where = self._stops.where()
        return where.block_instructions + where.block_count > instructions or (
            where.block_instructions == instructions
        )

    def _halt_before(self, instructions: int, *, may_step_soon: bool = False) -> None:
        """Run to the start of the block with that instruction."""
        self._stops.halt_at(instructions)
        self._stops.go_on(may_step_soon=may_step_soon)
        self._run()
        self._stops.halt_at()

    def _walk_to(self, target: Position) -> None:
        """The last few instructions."""
        stops = self._stops
        with stops.muted():
            if not self._settle():
                return
            while (here := stops.position()) < target:
                same_block = here[:3] == target[:3]
                stops.step(target.step - here.step if same_block else 1)
                if self._run() is not Outcome.BREAK:
                    return

    def _settle(self) -> bool:
        """Stand before an instruction; False: none comes any more."""
        if self._stops.where().inside_block:
            return True
        self._stops.settle()
        return self._run() is Outcome.BREAK

    def _last_stop_before(self, end: Position) -> Position:
        stops = self._stops
        last = stops.position()
        with stops.muted():
            while True:
                stops.step()
                stopped = self._run() is Outcome.BREAK
                here = stops.position()
                if not stopped or here >= end:
                    return last
                last = here

    # ---- hits on the way ----

    def _hits_before(self, end: Position) -> Iterator[tuple[Position, Hit | None]]:
        stops = self._stops
        if stops.where().inside_block and stops.is_hit():
            yield stops.position(), None
        stops.halt_at(end.instructions)
        stops.go_on()
        while self._run() is Outcome.BREAK and stops.where().inside_block:
            yield stops.position(), stops.hit()
            stops.go_on()
        stops.halt_at()
        arm = stops.step if stops.where().inside_block else stops.settle
        while stops.position() < end:  # the last block, which may hold the end
            arm()
            if self._run() is not Outcome.BREAK or stops.position() >= end:
                return
            if stops.is_hit():
                yield stops.position(), stops.hit()
            arm = stops.step

    def _land(self, position: Position, hit: Hit | None) -> Landing:
        """At a breakpoint, but behind an access: from there a step back undoes it."""
        self.go_to(position)
        if hit is not None:
            with self._stops.muted():
                self._stops.step()
                self._run()
        return Landing(self._stops.position(), hit)
