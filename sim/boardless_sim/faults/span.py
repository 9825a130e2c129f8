"""A fault's beginning and end: by the sensor's frames, or by virtual time."""

from __future__ import annotations

from dataclasses import dataclass

from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.faults.sensor import Lines, SensorFault, require

FOREVER = float("inf")


@dataclass(frozen=True)
class Span:
    """From `first_frame` for so many `frames`, or from `at_us` for `for_us`; both where both."""

    first_frame: int = 0
    frames: int | None = None
    at_us: float = 0.0
    for_us: float = FOREVER

    def __post_init__(self) -> None:
        require(self.first_frame >= 0, "span", f"first frame {self.first_frame}", "0 or more")
        require(self.frames is None or self.frames > 0, "span", f"{self.frames} frames", "some")
        # Written so that a NaN is refused.
        require(self.at_us >= 0, "span", f"begin at {self.at_us} us", "0 or more")
        require(self.for_us > 0, "span", f"{self.for_us} us", "some time")

    def holds(self, frame: int, time_us: float) -> bool:
        """Whether that frame and time are in it."""
        if frame < self.first_frame:
            return False
        if self.frames is not None and frame >= self.first_frame + self.frames:
            return False
        return self.at_us <= time_us < self.at_us + self.for_us


@dataclass(frozen=True)
class Timed(SensorFault):
    """A fault that is there in a span alone."""

    fault: SensorFault
    span: Span

    def applies(self, frame: int, time_us: float) -> bool:
        return self.span.holds(frame, time_us) and self.fault.applies(frame, time_us)

    def passes(self, lines: Lines) -> None:
        self.fault.passes(lines)

    def clocks(self) -> bool:
        return self.fault.clocks()

    def moves_vsync(self) -> bool:
        return self.fault.moves_vsync()

    def acknowledges(self) -> bool:
        return self.fault.acknowledges()

    def product_number(self, value: int) -> int:
        return self.fault.product_number(value)

    def stores(self, address: int) -> bool:
        return self.fault.stores(address)

    def loses_registers(self) -> bool:
        return self.fault.loses_registers()

    def pins(self, pins: ParallelPins) -> ParallelPins:
        return self.fault.pins(pins)

    def frame_ns(self, frame: int, frame_ns: int) -> int:
        return self.fault.frame_ns(frame, frame_ns)

    def lines(self, frame: int, lines: Lines) -> Lines:
        return self.fault.lines(frame, lines)
