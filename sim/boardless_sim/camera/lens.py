"""What stands before the lens, and which of it was captured."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.parallel import ParallelSink
from boardless_sim.camera.scene import NO_FRAME, check
from boardless_sim.camera.tensor import InputTensor
from boardless_sim.errors import FrameError
from boardless_sim.history import History


class Lens:
    """A queue of frames before a sensor; the last one stays in view.

    The frame at the head of the queue is exposed until it was captured whole. `captured` has the
    frame of every capture that completed; `on_capture` is called then.
    """

    def __init__(self) -> None:
        self.in_view = NO_FRAME
        self.captured: History[Frame] = History()
        self.on_capture: Callable[[], None] = lambda: None
        self._lacking = False
        self._sink: ParallelSink | None = None
        self._queue: deque[Frame] = deque()
        self._from_queue = False  # whether the frame in view is still the head of the queue

    def connect(self, sink: ParallelSink) -> None:
        """The capture interface that says when a frame was captured."""
        self._sink = sink
        sink.on_frame = self._frame_ended

    def show(self, frame: Frame) -> int:
        """Queue a frame; returns its index among the completed captures, past and to come.

        A capture in progress that still shows the frame before counts as one to come.
        """
        if isinstance(frame, InputTensor):
            raise FrameError(f"{frame.name}: found a tensor, expected a picture for the camera")
        check(frame)  # a frame that cannot be shown is refused now, not at some frame start
        self._queue.append(frame)
        repeated = self._sink is not None and self._sink.capturing and not self._from_queue
        return len(self.captured) + repeated + len(self._queue) - 1

    def lose(self) -> None:
        """The frame in view lacks some of its data on the way out of the sensor."""
        self._lacking = True

    @property
    def waiting(self) -> int:
        """How many frames are queued that were not captured yet."""
        return len(self._queue)

    def replace(self, frame: Frame) -> None:
        """Show this one next, whatever was queued."""
        check(frame)
        self._queue.clear()
        self._from_queue = False
        self._queue.append(frame)

    def expose(self) -> None:
        """A frame begins."""
        self._lacking = False
        if self._queue:
            self.in_view = self._queue[0]
            self._from_queue = True

    def _frame_ended(self, whole: bool) -> None:
        """The capture interface is done with the frame in view."""
        lacking = self._lacking and self._sink is not None and not self._sink.filled
        if whole and not lacking:
            self.captured.append(self.in_view)
            if self._from_queue:
                self._queue.popleft()
                self._from_queue = False
            self.on_capture()
