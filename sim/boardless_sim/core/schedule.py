"""Virtual time: the queue of events, and the relation between core cycles and nanoseconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol

PICOSECONDS = 1_000_000_000_000
RESET_HZ = 16_000_000  # HSI, which runs the core after every reset


class ScheduledEvent:
    """A callback due at a cycle; `due_ps` is set when it belongs to a clock of its own."""

    __slots__ = ("callback", "due", "due_ps", "leave", "sequence")

    def __init__(self, due: int, due_ps: int | None, callback: Callable[[], None] | None) -> None:
        self.due = due
        self.due_ps = due_ps
        self.sequence = 0  # its place among the events of its cycle
        self.callback = callback
        self.leave: Callable[[], None] | None = None  # whoever has it, if not the queue

    def __lt__(self, other: ScheduledEvent) -> bool:
        """Of two with one number, one stood for the other and is cancelled: any order will do."""
        return False

    def cancel(self) -> None:
        """Forget the callback."""
        self.callback = None
        if self.leave is not None:
            self.leave()


class EventCounter(Protocol):
    """Numbers the events in the order of scheduling."""

    sequence: int


class _OwnCounter:
    sequence = 0


class Timeline:
    """Cycles to picoseconds, piecewise linear: the core clock changes when the RCC says so."""

    def __init__(self) -> None:
        self.hz = RESET_HZ
        self._cycle = 0
        self._ps = 0
        self._before: list[tuple[int, int, int]] = []  # cycle, ps, hz of earlier clocks

    def set_hz(self, cycle: int, hz: int) -> None:
        """From `cycle` on, one cycle lasts 1/hz."""
        self._before.append((self._cycle, self._ps, self.hz))
        self._ps = self.to_ps(cycle)
        self._cycle = cycle
        self.hz = hz

    def to_ps(self, cycle: int) -> int:
        """The time of a cycle that is not before the last change of clock."""
        return self._ps + (cycle - self._cycle) * PICOSECONDS // self.hz

    @property
    def clock(self) -> tuple[int, int, int]:
        """Since which cycle and picosecond the core's clock has had which frequency, in hertz."""
        return self._cycle, self._ps, self.hz

    def ps_at(self, cycle: int) -> int:
        """The time of any cycle so far."""
        if cycle >= self._cycle:
            return self.to_ps(cycle)
        start, ps, hz = next(entry for entry in reversed(self._before) if entry[0] <= cycle)
        return ps + (cycle - start) * PICOSECONDS // hz

    def to_cycle(self, ps: int) -> int:
        """The first cycle that is not before a time, under the clock in force."""
        return self._cycle - (self._ps - ps) * self.hz // PICOSECONDS


class EventQueue:
    """Events in order of due cycle; equal cycles in order of scheduling."""

    def __init__(self, timeline: Timeline, counter: EventCounter | None = None) -> None:
        self._timeline = timeline
        self._heap: list[tuple[int, int, ScheduledEvent]] = []
        self._counter: EventCounter = _OwnCounter() if counter is None else counter

    def at_cycle(self, due: int, callback: Callable[[], None]) -> ScheduledEvent:
        """Add an event of a device that the core's clock drives."""
        return self._push(ScheduledEvent(due, None, callback))

    def at_ps(self, due_ps: int, callback: Callable[[], None]) -> ScheduledEvent:
        """Add an event of a device with a clock of its own."""
        return self._push(ScheduledEvent(self._timeline.to_cycle(due_ps), due_ps, callback))

    def _push(self, event: ScheduledEvent) -> ScheduledEvent:
        event.sequence = self._counter.sequence = self._counter.sequence + 1
        self.take_back(event)
        return event

    def take_back(self, event: ScheduledEvent) -> None:
        """Add an event that somebody else had, in the place that its number gives it."""
        heapq.heappush(self._heap, (event.due, event.sequence, event))

    def next_due(self, otherwise: int) -> int:
        """The cycle of the first live event."""
        heap = self._heap
        while heap and heap[0][2].callback is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else otherwise

    def pop_due(self, cycle: int) -> ScheduledEvent | None:
        """Remove the first live event that is due at `cycle` or before."""
        heap = self._heap
        while heap and heap[0][0] <= cycle:
            event = heapq.heappop(heap)[2]
            if event.callback is not None:
                return event
        return None

    def clock_changed(self) -> None:
        """Move the events with a clock of their own to their new cycles."""
        live = [entry for entry in self._heap if entry[2].callback is not None]
        for _, _, event in live:
            if event.due_ps is not None:
                event.due = self._timeline.to_cycle(event.due_ps)
        self._heap = [(event.due, sequence, event) for _, sequence, event in live]
        heapq.heapify(self._heap)

    def clear(self) -> None:
        """Forget everything."""
        for _, _, event in self._heap:
            event.callback = None
        self._heap.clear()
