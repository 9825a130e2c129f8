"""What can go wrong with a sensor's wires, its clock, its supply and its registers."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import ClassVar

from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.faults.sensor import Lines, SensorFault, require


@dataclass(frozen=True)
class StuckVsync(SensorFault):
    """VSYNC stays where it is; lines go on."""

    reason: ClassVar[str] = "no end of the frame within its time"

    def moves_vsync(self) -> bool:
        return False


@dataclass(frozen=True)
class InvertedVsync(SensorFault):
    """VSYNC is driven the other way round."""

    reason: ClassVar[str] = "the frame ends before DMA has its words"

    def pins(self, pins: ParallelPins) -> ParallelPins:
        return replace(pins, vsync_low=not pins.vsync_low)


@dataclass(frozen=True)
class InvertedHref(SensorFault):
    """HREF is driven the other way round: the blanking is taken for data."""

    reason: ClassVar[str] = "the frame ends before DMA has its words"

    def pins(self, pins: ParallelPins) -> ParallelPins:
        return replace(pins, href_valid_high=not pins.href_valid_high)


@dataclass(frozen=True)
class InvertedPclk(SensorFault):
    """Data change at the edge at which they are sampled: every byte is the one before."""

    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "the data lines have no parity"

    def pins(self, pins: ParallelPins) -> ParallelPins:
        return replace(pins, data_on_rising=not pins.data_on_rising)


@dataclass(frozen=True)
class RateDrift(SensorFault):
    """Frames take longer, or shorter, by a share of their time."""

    share: float
    reason: ClassVar[str] = "the frame takes another time from its VSYNC to its end"

    def __post_init__(self) -> None:
        require(-0.5 <= self.share <= 10, "rate drift", self.share, "-0.5 to 10")

    def frame_ns(self, frame: int, frame_ns: int) -> int:
        return round(frame_ns * (1 + self.share))


@dataclass(frozen=True)
class FrameJitter(SensorFault):
    """Each frame's time differs by up to a share of it, by a seed."""

    share: float
    seed: int = 1
    reason: ClassVar[str] = "the frame takes another time from its VSYNC to its end"

    def __post_init__(self) -> None:
        require(0 < self.share <= 0.5, "frame jitter", self.share, "0 to 0.5")

    def frame_ns(self, frame: int, frame_ns: int) -> int:
        chance = random.Random(f"{self.seed} {frame}")
        return round(frame_ns * (1 + chance.uniform(-self.share, self.share)))


@dataclass(frozen=True)
class ForgetfulRegister(SensorFault):
    """A register does not keep what is written to it."""

    address: int
    reason: ClassVar[str] = "the registers are read back after they were written"

    def __post_init__(self) -> None:
        require(0 <= self.address <= 0xFF, "forgetful register", f"{self.address:#x}", "0 to 0xff")

    def stores(self, address: int) -> bool:
        return address != self.address


@dataclass(frozen=True)
class SensorBrownOut(SensorFault):
    """The supply dips after `rows` lines: the frame ends, and every register is as after power-on.

    What the firmware wrote is lost, and nothing tells it but the registers, or the pictures.
    """

    rows: int
    reason: ClassVar[str] = "the frame ends before DMA has its words"

    def __post_init__(self) -> None:
        require(self.rows >= 0, "sensor brown-out", f"{self.rows} rows", "0 or more")

    def loses_registers(self) -> bool:
        return True

    def lines(self, frame: int, lines: Lines) -> Lines:
        return lines[: self.rows]
