"""What can go wrong with a sensor, as small pieces to put together. ::

board.camera.faults = [DroppedLine(row=60, frame=3), WrongPid(0x77)]
"""

from __future__ import annotations

from dataclasses import dataclass

Lines = list[bytes | None]
"""The lines of one frame; None where the sensor gives no line at all."""


class SensorFault:
    """A sensor without faults; each fault changes one method."""

    def clocks(self) -> bool:
        """Whether the sensor drives VSYNC, HREF and PCLK."""
        return True

    def acknowledges(self) -> bool:
        """Whether the sensor answers when the SCCB addresses it."""
        return True

    def product_number(self, value: int) -> int:
        """What is read from the register that tells the sensor's part, and holds `value`."""
        return value

    def lines(self, frame: int, lines: Lines) -> Lines:
        """The lines as they leave the sensor in the frame of this number, counted while the capture
        interface listens."""
        return lines


@dataclass(frozen=True)
class DeadSensor(SensorFault):
    """No VSYNC, no HREF, no PCLK; SCCB still answers."""

    def clocks(self) -> bool:
        """Whether the sensor runs."""
        return False


@dataclass
class SccbNack(SensorFault):
    """The sensor answers `after` times, then not `times` times; by default never again."""

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

    pid: int = 0x77

    def product_number(self, value: int) -> int:
        """What the firmware takes the sensor for."""
        return self.pid


@dataclass(frozen=True)
class DroppedLine(SensorFault):
    """One line is missing, in one frame or in all."""

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

    rows: int
    frame: int | None = None

    def lines(self, frame: int, lines: Lines) -> Lines:
        """The lines as they leave the sensor."""
        return lines if self.frame not in (None, frame) else lines[: self.rows]
