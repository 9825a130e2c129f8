"""What the parallel sensors have in common: a register file on SCCB, frames line by line.

A sensor of its own says what its registers mean: how long a frame is, how its pins are driven, and
the lines of a picture. See docs/howto/sensor.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.lens import Lens
from boardless_sim.camera.parallel import Clock, ParallelPins, ParallelSink, Scheduled
from boardless_sim.faults.sensor import Lines, SensorFault
from boardless_sim.foreseen import ForeseenLines


@dataclass(frozen=True)
class FrameTiming:
    """How long a frame is, and how much of it VSYNC takes, in nanoseconds."""

    frame_ns: int
    vsync_ns: int


@dataclass(frozen=True)
class FrameLines:
    """The lines of one frame, when each one's last byte is out, and what is clocked in between.

    `ends_ns` counts from the start of VSYNC, as `FrameTiming` does. `line_ns`: how long HREF is
    valid.
    """

    lines: Lines
    ends_ns: Sequence[int]
    line_ns: int
    blanking: bytes


class ParallelSensor(ABC):
    """A sensor with SCCB and a parallel port; see `Sensor`.

    It runs while XCLK does and its power-down pin is released, and answers SCCB only then: the
    register file is clocked by XCLK.
    """

    address: int
    product_register: ClassVar[int]

    def __init__(self, register_count: int) -> None:
        self.faults: Sequence[SensorFault] = ()
        self.lens = Lens()
        self.frames_clocked = 0
        self.registers = bytearray(register_count)
        self.xclk_hz = 0
        self.on_dead: Callable[[], None] = lambda: None
        self._powered_down = False
        self._clock: Clock | None = None
        self._sink: ParallelSink | None = None
        self._event: Scheduled | None = None
        self._pointer: int | None = None
        self._listened_frames = 0
        self.bad_frames: list[int] = []
        self.reset_registers()

    # What a sensor of its own says

    @abstractmethod
    def reset_registers(self) -> None:
        """Every register to its reset value."""

    @abstractmethod
    def write_register(self, address: int, value: int) -> None:
        """A register was written over SCCB."""

    @abstractmethod
    def timing(self) -> FrameTiming:
        """The frames that the registers ask for at the XCLK of now."""

    @abstractmethod
    def pins(self) -> ParallelPins:
        """How the registers say that the pins are driven."""

    @abstractmethod
    def picture(self, frame: Frame, frame_ns: int) -> FrameLines:
        """The frame as it leaves the sensor."""

    def cell(self, address: int) -> int:
        """Where in `registers` an address on the bus leads to; another place where banks switch."""
        return address

    @property
    def asleep(self) -> bool:
        """Whether a register stops the frames."""
        return False

    # Wiring

    def connect(self, clock: Clock, sink: ParallelSink) -> None:
        """Wire the sensor to virtual time and to the capture interface."""
        self._clock, self._sink = clock, sink
        self.lens.connect(sink)

    @property
    def running(self) -> bool:
        """Whether it has a clock and power."""
        return self.xclk_hz > 0 and not self._powered_down

    def clock_in(self, xclk_hz: int) -> None:
        """XCLK has this frequency: from the next frame on, at once where it starts or stops."""
        was_running, self.xclk_hz = self.running, xclk_hz
        self._follow(was_running)

    def power_down(self, active: bool) -> None:
        """The PWDN pin: nothing moves while it is active; the registers stay."""
        was_running, self._powered_down = self.running, active
        self._follow(was_running)

    def _follow(self, was_running: bool) -> None:
        if self.running and not was_running:
            self.restart()
        elif was_running and not self.running:
            self._stop_frames()

    def reset(self) -> None:
        """The reset pin went through a pulse; frames shown and captured stay."""
        self.reset_registers()
        self._pointer = None
        self.restart()

    # SCCB (I2cTarget)

    def start(self, read: bool) -> bool:
        """Addressed over SCCB."""
        if not self.running:
            self.on_dead()
            return False
        if self.faults and not all(fault.acknowledges() for fault in self._faults_now()):
            return False
        if not read:
            self._pointer = None
        return True

    def write(self, byte: int) -> bool:
        """A register address, then values for it and its followers."""
        if self._pointer is None:
            self._pointer = byte
        else:
            if all(fault.stores(self._pointer) for fault in self._faults_now()):
                self.write_register(self._pointer, byte)
            self._pointer += 1
        return True

    def read(self) -> int:
        """The next register value for the master."""
        pointer = self._pointer or 0
        cell = self.cell(pointer)
        value = self.registers[cell] if cell < len(self.registers) else 0
        if cell == self.product_register:
            for fault in self._faults_now():
                value = fault.product_number(value)
        self._pointer = pointer + 1
        return value

    def stop(self) -> None:  # noqa: B027  (nothing to do is what SCCB asks for)
        """A read comes after a stop: the register address stays."""

    # Frames

    def restart(self) -> None:
        """The timing generator starts anew: the first VSYNC comes after a frame's time."""
        self._stop_frames()
        if self._clock is not None and self.running:
            self._at_ns = 0
            self._wait_until(self.timing().frame_ns, self._frame_due)

    def _stop_frames(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _wait_until(self, at_ns: int, then: Callable[[], None]) -> None:
        """Continue at a time since the start of the frame; whole frames never drift by rounding."""
        assert self._clock is not None
        self._event = self._clock.schedule_ns(max(at_ns - self._at_ns, 1), then)
        self._at_ns = at_ns

    def _frame_due(self) -> None:
        """VSYNC begins: the frame before is over."""
        assert self._sink is not None
        self._at_ns = 0
        timing = self.timing()
        self._frame_ns = timing.frame_ns
        if self.asleep:
            self._wait_until(self._frame_ns, self._frame_due)
            return
        pins = self.pins()
        self._moves_vsync = True
        if self.faults:
            faults = self._faults_now()
            if not all(fault.clocks() for fault in faults):
                self._wait_until(self._frame_ns, self._frame_due)
                return
            for fault in faults:
                pins = fault.pins(pins)
                self._frame_ns = fault.frame_ns(self._listened_frames, self._frame_ns)
                self._moves_vsync = self._moves_vsync and fault.moves_vsync()
        self._vsync_high = not pins.vsync_low
        self._sink.configure(pins)
        if self._moves_vsync:
            self._sink.vsync(self._vsync_high)
        self._wait_until(timing.vsync_ns, self._frame_start)

    def _frame_start(self) -> None:
        """VSYNC ends: the frame at the head of the queue is exposed."""
        assert self._sink is not None
        if self._moves_vsync:
            self._sink.vsync(not self._vsync_high)
        self.frames_clocked += 1
        self.lens.expose()
        if not self._sink.listening:
            self._wait_until(self._frame_ns, self._frame_due)
            return
        picture = self.picture(self.lens.in_view, self._frame_ns)
        self._lines, self._picture = picture.lines, picture
        if self.faults:
            self._spoil()
        self._listened_frames += 1
        self._moves_href = self._sink.watches_href
        self._next_row = -1
        self._line_due()

    def _faults_now(self) -> Sequence[SensorFault]:
        """Those that are there at this frame and time."""
        if not self.faults or self._clock is None:
            return self.faults
        time_us = self._clock.now_ns() / 1000
        return [fault for fault in self.faults if fault.applies(self._listened_frames, time_us)]

    def _spoil(self) -> None:
        """What the faults of now make of the frame's lines."""
        whole, faults = self._lines, self._faults_now()
        for fault in faults:
            self._lines = fault.lines(self._listened_frames, self._lines)
        for fault in self.faults:
            fault.passes(whole)
        if _bytes(self._lines) < _bytes(whole):
            self.lens.lose()
        if faults:
            self.bad_frames.append(self.frames_clocked)
        if any(fault.loses_registers() for fault in faults):
            self.reset_registers()

    def _line_due(self) -> None:
        """One line ended; wait for the next, or for the end of the frame."""
        assert self._sink is not None
        row = self._next_row
        self._next_row = following = row + 1
        if following >= len(self._lines):
            self._wait_until(self._frame_ns, self._frame_due)
        elif self._moves_href and self._lines[following] is not None:
            begin_ns = self._picture.ends_ns[following] - self._picture.line_ns
            self._wait_until(begin_ns, self._line_begins)
        else:
            self._wait_until(self._picture.ends_ns[following], self._line_due)
        if row >= 0:
            waiting, line = self._event, self._lines[row]
            if line is not None:
                self._sink.line(line, self._picture.blanking)
            if not self._moves_href and self._event is waiting:
                self._foresee(following)

    def _foresee(self, row: int) -> None:
        """Lines that do nothing but fill memory need not be asked for one by one."""
        assert self._sink is not None
        assert self._clock is not None
        assert self._event is not None
        steps = _steps_ns(tuple(self._picture.ends_ns))[row : len(self._lines) - 1]
        ahead = self._sink.foresee(self._lines[row:]) if steps else None
        if ahead is not None:
            foreseen = ForeseenLines(ahead, steps, self._were_taken)
            self._event = self._clock.carry_on(self._event, foreseen)

    def _were_taken(self, lines: int) -> None:
        """The board carried out so many."""
        self._next_row += lines
        self._at_ns = self._picture.ends_ns[self._next_row]

    def _line_begins(self) -> None:
        assert self._sink is not None
        self._sink.href(True)
        self._wait_until(self._picture.ends_ns[self._next_row], self._line_ends)

    def _line_ends(self) -> None:
        assert self._sink is not None
        self._sink.href(False)
        self._line_due()


def _bytes(lines: Lines) -> int:
    return sum(len(line) for line in lines if line is not None)


@lru_cache(maxsize=8)
def _steps_ns(ends_ns: tuple[int, ...]) -> array[int]:
    """From each line's end to the next one's."""
    return array("Q", (max(after - before, 1) for before, after in pairwise(ends_ns)))
