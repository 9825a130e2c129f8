"""What a camera sensor is to the board: a control bus, a clock in, pins, and lines out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from boardless_sim.camera.lens import Lens
from boardless_sim.camera.parallel import Clock, ParallelSink
from boardless_sim.faults.sensor import SensorFault


class Sensor(Protocol):
    """One sensor on the board; `camera/sensors` has one file for each part number.

    On the control bus (SCCB, which is I2C) it answers at `address`. `faults` may be set at any time
    and takes effect with the next frame or transfer. `frames_clocked` counts from power-on, whoever
    listened; `bad_frames` has its count at each frame that a fault had a hand in. `lens`: what
    stands before it. `on_dead` is called when it is addressed and does not run.
    """

    address: int
    faults: Sequence[SensorFault]
    frames_clocked: int
    bad_frames: list[int]
    lens: Lens
    on_dead: Callable[[], None]

    def connect(self, clock: Clock, sink: ParallelSink) -> None:
        """Wire the sensor to virtual time and to the capture interface."""

    def clock_in(self, xclk_hz: int) -> None:
        """XCLK has this frequency from now on, in hertz; 0: it stands still."""

    def power_down(self, active: bool) -> None:
        """The PWDN pin has this level; while it is active, nothing moves and nothing answers."""

    def reset(self) -> None:
        """The reset pin went through a pulse; frames shown and captured stay."""

    def start(self, read: bool) -> bool:
        """Addressed after a start or repeated start; true acknowledges."""

    def write(self, byte: int) -> bool:
        """A byte from the master; true acknowledges."""

    def read(self) -> int:
        """The next byte for the master."""

    def stop(self) -> None:
        """The stop condition."""
