"""The parallel camera port: what a sensor drives and a capture interface sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from boardless_sim.foreseen import Foreseen, LinesAhead


@dataclass(frozen=True)
class ParallelPins:
    """How the sensor uses its pins."""

    href_valid_high: bool = True  # level of HREF while data is valid
    data_on_rising: bool = True  # the edge of PCLK at which data is stable
    vsync_low: bool = False  # VSYNC is low between frames
    pclk_hz: int = 0  # 0: slow enough for anything


class Scheduled(Protocol):
    """A callback that waits for its time."""

    def cancel(self) -> None:
        """Forget the callback; harmless when it already ran."""


class Clock(Protocol):
    """The virtual time that the sensor's own clock runs in."""

    def now_ns(self) -> int:
        """Virtual time since power-on."""

    def schedule_ns(self, delay_ns: int, callback: Callable[[], None]) -> Scheduled:
        """Call back after `delay_ns`."""

    def carry_on(self, event: Scheduled, foreseen: Foreseen) -> Scheduled:
        """Carry out what follows on an event that waits, if the clock can; the event to cancel."""


class ParallelSink(Protocol):
    """The capture interface at the other end of the camera's wires."""

    on_frame: Callable[[bool], None]
    """Called when a frame's capture ended; true when it was captured whole."""

    @property
    def listening(self) -> bool:
        """Whether lines make any difference; the sensor leaves out the lines of a frame that starts
        while nobody listens."""

    @property
    def capturing(self) -> bool:
        """Whether the frame in progress is being captured."""

    @property
    def filled(self) -> bool:
        """Whether the frame that ended filled the window that was asked for; false without one."""

    @property
    def watches_href(self) -> bool:
        """Whether HREF must move by itself, and not only with its line."""

    def href(self, valid: bool) -> None:
        """The level of HREF changed; only for who watches it."""

    def configure(self, pins: ParallelPins) -> None:
        """The pins as the sensor drives them from now on."""

    def vsync(self, high: bool) -> None:
        """The level of VSYNC changed."""

    def line(self, data: bytes, blanking: bytes) -> None:
        """HREF went through one line: its bytes, then what PCLK clocked until the next line."""

    def foresee(self, lines: Sequence[bytes | None]) -> LinesAhead | None:
        """What the lines that come next would do here; None: each must be brought by itself."""
