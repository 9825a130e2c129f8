"""What can go wrong with a camera, as small pieces to put together.

A `SensorFault` sits in the sensor; `noisy` wraps a source. ::

    board.camera.faults = [DroppedLine(row=60, frame=3), WrongPid(0x77)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from boardless_sim.camera.frame import Frame

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

    def register(self, address: int, value: int) -> int:
        """What is read from a register that holds `value`."""
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

    def register(self, address: int, value: int) -> int:
        """What a register reads as."""
        return self.pid if address == 0x0A else value


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


def noisy(frames: Iterable[Frame], sigma: float, seed: int) -> Iterator[Frame]:
    """Gaussian noise of standard deviation `sigma` on every frame, the same for the same seed."""
    generator = np.random.default_rng(seed)
    for frame in frames:
        noise = generator.normal(0.0, sigma, frame.luma.shape)
        luma = np.clip(np.rint(frame.luma + noise), 0, 255).astype(np.uint8)
        yield replace(frame, luma=luma)
