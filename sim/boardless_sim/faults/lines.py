"""What can go wrong with the lines of a frame on their way out of the sensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from boardless_sim.errors import FaultError
from boardless_sim.faults.sensor import Lines, SensorFault, require

_NO_PARITY = "the data lines have no parity"


@dataclass(frozen=True)
class RepeatedLine(SensorFault):
    """One line comes twice, and the frame's last one is missing."""

    row: int
    reason: ClassVar[str] = "the lines are as many as ever"
    detectable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(self.row >= 0, "repeated line", f"row {self.row}", "0 or more")

    def lines(self, frame: int, lines: Lines) -> Lines:
        at = _row(self.row, lines)
        return [*lines[: at + 1], *lines[at:-1]]


@dataclass(frozen=True)
class ShortLine(SensorFault):
    """HREF falls after `size` bytes of one line."""

    row: int
    size: int
    reason: ClassVar[str] = "DMA lacks words at the frame's end"

    def __post_init__(self) -> None:
        require(self.row >= 0, "short line", f"row {self.row}", "0 or more")
        require(self.size >= 0, "short line", f"{self.size} bytes", "0 or more")

    def lines(self, frame: int, lines: Lines) -> Lines:
        return _changed(lines, self.row, lambda line: line[: self.size])


@dataclass(frozen=True)
class LongLine(SensorFault):
    """One line begins with `size` bytes that are none of its own: its pixels come late."""

    row: int
    size: int
    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "the window of the DCMI counts clocks, and has them all"

    def __post_init__(self) -> None:
        require(self.row >= 0, "long line", f"row {self.row}", "0 or more")
        require(self.size > 0, "long line", f"{self.size} bytes", "some")

    def lines(self, frame: int, lines: Lines) -> Lines:
        return _changed(lines, self.row, lambda line: bytes(self.size) + line)


@dataclass(frozen=True)
class MissingHref(SensorFault):
    """HREF never rises."""

    reason: ClassVar[str] = "the frame ends before DMA has its words"

    def lines(self, frame: int, lines: Lines) -> Lines:
        return [None] * len(lines)


@dataclass(frozen=True)
class SwappedBytes(SensorFault):
    """Luma and chroma change places."""

    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = _NO_PARITY

    def lines(self, frame: int, lines: Lines) -> Lines:
        return [None if line is None else _swapped(line) for line in lines]


@dataclass(frozen=True)
class StuckDataLine(SensorFault):
    """One of the eight data lines reads high, or low."""

    bit: int
    high: bool = False
    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = _NO_PARITY

    def __post_init__(self) -> None:
        require(0 <= self.bit <= 7, "stuck data line", f"bit {self.bit}", "0 to 7")

    def lines(self, frame: int, lines: Lines) -> Lines:
        mask = 1 << self.bit
        table = bytes(byte | mask if self.high else byte & ~mask for byte in range(256))
        return [None if line is None else line.translate(table) for line in lines]


@dataclass
class TornFrame(SensorFault):
    """From `row` on it is the frame before."""

    row: int
    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "every line is there, in its time"
    _before: Lines = field(default_factory=list)

    def __post_init__(self) -> None:
        require(self.row >= 0, "torn frame", f"row {self.row}", "0 or more")

    def passes(self, lines: Lines) -> None:
        self._before = lines

    def lines(self, frame: int, lines: Lines) -> Lines:
        if len(self._before) != len(lines):  # of the first frame there is none before
            return lines
        at = _row(self.row, lines)
        return [*lines[:at], *self._before[at:]]


@dataclass
class FrozenFrame(SensorFault):
    """The sensor goes on with the frame that it had when the fault began."""

    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "a scene at rest looks the same"
    _kept: Lines = field(default_factory=list)

    def lines(self, frame: int, lines: Lines) -> Lines:
        if len(self._kept) != len(lines):
            self._kept = lines
        return self._kept


@dataclass(frozen=True)
class TestPatternLeftOn(SensorFault):
    """Eight bars in the place of the scene, in every other byte as luma is."""

    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "the sensor's registers are as the firmware wrote them"
    __test__ = False  # it is no test of pytest's

    def lines(self, frame: int, lines: Lines) -> Lines:
        return [None if line is None else _bars(line) for line in lines]


def _bars(line: bytes) -> bytes:
    size = max(len(line), 1)
    bars = (255 - 255 * (at * 8 // size) // 7 for at in range(len(line)))
    return bytes(bar if at % 2 == 0 else 128 for at, bar in enumerate(bars))


def _swapped(line: bytes) -> bytes:
    swapped = bytearray(line)
    even = len(line) & ~1
    swapped[0:even:2], swapped[1:even:2] = line[1:even:2], line[0:even:2]
    return bytes(swapped)


def _changed(lines: Lines, row: int, change: Callable[[bytes], bytes]) -> Lines:
    at = _row(row, lines)
    line = lines[at]
    return [*lines[:at], None if line is None else change(line), *lines[at + 1 :]]


def _row(row: int, lines: Lines) -> int:
    if row >= len(lines):
        raise FaultError(f"row {row}, expected one of the {len(lines)} lines of the frame")
    return row
