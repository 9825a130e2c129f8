"""Events that the core carries out without asking: Python's half of trains.c."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import partial

from boardless_sim.core.cpu import NEVER, Cpu
from boardless_sim.core.library import TRAIN_SENT_BYTES, TRAINS, CoreTrain
from boardless_sim.core.schedule import EventQueue, ScheduledEvent, Timeline
from boardless_sim.foreseen import Foreseen, ForeseenLines


@dataclass(frozen=True)
class _Running:
    """A train, the event that is its head, and what a device foresaw."""

    train: CoreTrain
    event: ScheduledEvent
    foreseen: Foreseen


class Trains:
    """Takes events off the queue, and puts them back where somebody may look at their device."""

    def __init__(self, cpu: Cpu, queue: EventQueue, timeline: Timeline) -> None:
        self._cpu, self._shared, self._queue, self._timeline = cpu, cpu.shared, queue, timeline
        self._free = [
            CoreTrain.from_address(cpu.library.core_train_at(cpu.core, number))
            for number in range(TRAINS)
        ]
        self._running: list[_Running] = []
        self._was_disturbed = False

    def begin(self, event: ScheduledEvent, foreseen: Foreseen, memory: int) -> ScheduledEvent:
        """Carry out what follows on an event that waits; `memory`: the host's address of it.

        The event that comes back stands for it. Where the firmware wrote registers since the last
        attempt, it probably will again: then the event stays where it is.
        """
        if self._was_disturbed or not self._free:
            self._was_disturbed = False
            return event
        train = self._free.pop()
        carried = ScheduledEvent(event.due, event.due_ps, event.callback)
        carried.sequence = event.sequence
        event.cancel()
        running = _Running(train, carried, foreseen)
        carried.leave = partial(self._end, running)
        train.sequence, train.ran = carried.sequence, 0
        if isinstance(foreseen, ForeseenLines):
            self._begin_lines(train, carried.due_ps or 0, foreseen, memory)
        else:
            train.is_lines, train.source = 0, memory
            train.shifting, train.waiting, train.last = (
                foreseen.shifting, foreseen.waiting, foreseen.last,
            )  # fmt: skip
            train.left = min(foreseen.count, TRAIN_SENT_BYTES)
            train.step_cycles = foreseen.cycles
        train.due = carried.due
        self._running.append(running)
        self._shared.train_due = min(self._shared.train_due, carried.due)
        return carried

    def _begin_lines(
        self, train: CoreTrain, due_ps: int, foreseen: ForeseenLines, memory: int
    ) -> None:
        ahead = foreseen.ahead
        train.is_lines, train.due_ps = 1, due_ps
        train.clock_cycle, train.clock_ps, train.clock_hz = self._timeline.clock
        train.steps_ns = foreseen.steps_ns.buffer_info()[0]
        train.source = ctypes.cast(ctypes.c_char_p(ahead.data), ctypes.c_void_p).value or 0
        train.target = memory
        train.line_bytes, train.unmoved = ahead.line_bytes, ahead.skipped
        train.left = min(ahead.skipped + ahead.copied, len(foreseen.steps_ns))

    def settle(self) -> None:
        """Bring the devices up to date."""
        self._shared.trains_ran = 0
        for running in self._running:
            if running.train.ran:
                _tell(running)

    def make_way(self) -> None:
        """Python has an event: trains that come as early, or to their end, go back to the queue."""
        self.settle()
        first = self._queue.next_due(NEVER)
        for running in tuple(self._running):
            if running.train.due == first or _is_pythons(running.train):
                self._put_back(running)

    def withdraw(self, disturbed: bool = False) -> None:
        """Everything goes back to the queue; `disturbed`: by an access of the firmware."""
        if not self._running:
            return
        self._was_disturbed = disturbed
        self.settle()
        for running in tuple(self._running):
            self._put_back(running)

    def _put_back(self, running: _Running) -> None:
        self._end(running)
        self._queue.take_back(running.event)
        if running.event.due < self._shared.next_event:
            self._cpu.set_next_event(running.event.due)  # the slice that runs must not pass it

    def _end(self, running: _Running) -> None:
        running.train.due = NEVER
        running.event.leave = None
        self._running.remove(running)
        self._free.append(running.train)
        self._shared.train_due = min((other.train.due for other in self._running), default=NEVER)


def _tell(running: _Running) -> None:
    train, event, foreseen = running.train, running.event, running.foreseen
    ran, train.ran = train.ran, 0
    event.due, event.sequence = train.due, train.sequence
    if isinstance(foreseen, ForeseenLines):
        event.due_ps = train.due_ps
        foreseen.ahead.carried_out(ran)
        foreseen.carried_out(ran)
    else:
        sent = ctypes.string_at(train.sent, ran)
        foreseen.carried_out(sent, train.shifting, train.waiting, train.due)


def _is_pythons(train: CoreTrain) -> bool:
    return not train.left or (not train.is_lines and train.shifting == train.last)
