"""What can go wrong with a sensor, as small pieces to put together. ::

    board.camera.faults = [DroppedLine(row=60, frame=3), WrongPid(0x77)]

What concerns the lines of a frame is in `lines.py`, the wires in `wires.py`; `span.py` gives each a
beginning and an end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.errors import FaultError

Lines = list[bytes | None]
"""The lines of one frame; None where the sensor gives no line at all."""


class SensorFault:
    """A sensor without faults; each fault changes one method.

    Frames are numbered while the capture interface listens. `detectable`: whether firmware can tell
    from what its chip says, and `reason`: from what, or why not. Raises `FaultError` where it is
    made, for what cannot be; in a run, for a line that the frame does not have.
    """

    detectable: ClassVar[bool] = True
    reason: ClassVar[str] = ""

    def applies(self, frame: int, time_us: float) -> bool:
        """Whether it is there at this frame and virtual time."""
        return True

    def passes(self, lines: Lines) -> None:
        """The lines of every frame, spoilt or not, while the fault is fitted."""

    def clocks(self) -> bool:
        """Whether the sensor drives VSYNC, HREF and PCLK."""
        return True

    def moves_vsync(self) -> bool:
        """Whether VSYNC follows the frames."""
        return True

    def acknowledges(self) -> bool:
        """Whether the sensor answers when the SCCB addresses it."""
        return True

    def product_number(self, value: int) -> int:
        """What is read from the register that tells the sensor's part, and holds `value`."""
        return value

    def stores(self, address: int) -> bool:
        """Whether a register keeps what is written to it."""
        return True

    def loses_registers(self) -> bool:
        """Whether the sensor is as after power-on when this frame is over."""
        return False

    def pins(self, pins: ParallelPins) -> ParallelPins:
        """How the pins are driven."""
        return pins

    def frame_ns(self, frame: int, frame_ns: int) -> int:
        """How long the frame takes, in nanoseconds."""
        return frame_ns

    def lines(self, frame: int, lines: Lines) -> Lines:
        """The lines as they leave the sensor in the frame of this number."""
        return lines


def require(holds: bool, fault: str, found: object, expected: str) -> None:
    """Raises `FaultError` for a fault that cannot be."""
    if not holds:
        raise FaultError(f"{fault}: found {found}, expected {expected}")


@dataclass(frozen=True)
class DeadSensor(SensorFault):
    """No VSYNC, no HREF, no PCLK; SCCB still answers."""

    reason: ClassVar[str] = "no end of the frame within its time"

    def clocks(self) -> bool:
        """Whether the sensor runs."""
        return False


@dataclass
class SccbNack(SensorFault):
    """The sensor answers `after` times, then not `times` times; by default never again."""

    reason: ClassVar[str] = "AF in I2C_SR1"

    after: int = 0
    times: int | None = None
    _asked: int = 0

    def acknowledges(self) -> bool:
        """Whether it answers."""
        asked, self._asked = self._asked, self._asked + 1
        return asked < self.after or (self.times is not None and asked >= self.after + self.times)


@dataclass(frozen=True)
class WrongPid(SensorFault):
    """Another sensor is fitted: the product number reads `pid`."""

    reason: ClassVar[str] = "the product number is read"

    pid: int = 0x77

    def product_number(self, value: int) -> int:
        """What the firmware takes the sensor for."""
        return self.pid


@dataclass(frozen=True)
class DroppedLine(SensorFault):
    """One line is missing, in one frame or in all."""

    reason: ClassVar[str] = "the frame's last line comes late by one"

    row: int
    frame: int | None = None

    def lines(self, frame: int, lines: Lines) -> Lines:
        """The lines as they leave the sensor."""
        if self.frame not in (None, frame) or self.row >= len(lines):
            return lines
        return [*lines[: self.row], None, *lines[self.row + 1 :]]


@dataclass(frozen=True)
class TruncatedFrame(SensorFault):
    """VSYNC comes after `rows` lines, in one frame or in all."""

    reason: ClassVar[str] = "the frame ends before DMA has its words"

    rows: int
    frame: int | None = None

    def lines(self, frame: int, lines: Lines) -> Lines:
        """The lines as they leave the sensor."""
        return lines if self.frame not in (None, frame) else lines[: self.rows]
