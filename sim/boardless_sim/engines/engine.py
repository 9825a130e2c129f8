"""The seam between what a test says and what runs the firmware."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, runtime_checkable

from boardless_sim.camera.faults import SensorFault
from boardless_sim.camera.frame import Frame
from boardless_sim.image import FirmwareImage
from boardless_sim.timing_basis import TimingBasis


class Capability(Enum):
    """What an engine can do, so that a suite may skip with a reason where it cannot."""

    CAMERA = "camera"
    MAILBOX = "frames by mailbox"  # into memory, as boardless-mailbox.elf takes them
    CYCLES = "cycles"
    MEMORY = "memory"
    REGISTERS = "registers"
    BUS_FAULTS = "bus faults"
    WHOLE_BOARD = "all devices of the board"
    STACK_MARK = "stack high-water mark"
    DETERMINISTIC = "deterministic"
    PRECISE_TIME = "precise time"  # a run ends where it was told to, SysTick starts on time


class StopReason(Enum):
    """Why a run ended. Only RESULT means that what was waited for happened."""

    RESULT = "result"
    LIMIT = "limit"
    FAULT = "fault"
    HALT = "halt"


@dataclass(frozen=True)
class UartLine:
    """One line as it left a USART: text without the line end, and when its last bit was sent."""

    port: str
    text: str
    time_us: float


@dataclass(frozen=True)
class FaultInfo:
    """The first fault the CPU took: exception, address of the instruction, status registers.

    `caller`: the function that LR points into, told where the address itself is in none.
    """

    kind: str
    pc: int
    function: str
    cfsr: int
    hfsr: int
    address: int | None
    caller: str = "?"

    def __str__(self) -> str:
        called = f" from {self.caller}" if self.function == "?" != self.caller else ""
        where = f" address {self.address:#010x}" if self.address is not None else ""
        return (
            f"{self.kind} at pc {self.pc:#010x} in {self.function}{called}"
            f" (CFSR {self.cfsr:#010x}, HFSR {self.hfsr:#010x}{where})"
        )


@dataclass(frozen=True)
class StackMark:
    """The lowest stack pointer that a run reached, never by painting.

    `used_bytes` counts from the initial main stack pointer; `process_lowest_address` is None when
    the firmware never used the process stack. `functions`: how deep each one's own code took the
    main stack, in bytes from the same place; one that never moved it is not in it.
    """

    used_bytes: int
    lowest_address: int
    lowest_function: str
    process_lowest_address: int | None = None
    functions: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Capture:
    """When a capture was whole, and which of the frames it is that the sensor clocked out."""

    number: int
    time_us: float


class Engine(Protocol):
    """Runs one firmware image on one virtual board."""

    name: str
    capabilities: frozenset[Capability]
    timing_basis: TimingBasis

    def load(self, image: FirmwareImage) -> None:
        """Put the image into Flash and power the board on; virtual time is 0."""

    def show(self, frame: Frame) -> int:
        """Queue a frame for the lens; returns its number among the completed captures to come.

        The sensor clocks out the frame at the head of the queue and moves on to the next one when
        the firmware has captured it whole; the last frame stays in view.
        """

    def captured(self) -> list[Frame]:
        """The frame of every capture that completed so far, in order."""

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        """Run for at most `limit_us` of virtual time, or until a UART line satisfies `until`."""

    def uart_lines(self) -> list[UartLine]:
        """Every complete line since power-on, all ports, in order of time."""

    def uart_send(self, port: str, data: bytes) -> None:
        """Feed bytes into a USART's receiver, at its baud rate."""

    def time_us(self) -> float:
        """Virtual time since power-on."""

    def fault(self) -> FaultInfo | None:
        """The first fault, if any."""

    def stack_mark(self) -> StackMark:
        """The main stack's high-water mark so far."""

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of RAM or Flash. Raises `EngineError` where there is no memory."""

    def write_memory(self, address: int, data: bytes) -> None:
        """Write RAM, as a debug probe would. Raises `EngineError` where there is none."""

    def read_register(self, name: str) -> int:
        """A core register by name: r0-r15, sp, lr, pc, xpsr, msp, psp."""

    def log(self) -> list[str]:
        """What the board had to say: unmodelled registers, resets, faults."""

    def close(self) -> None:
        """Give back everything the engine holds. Harmless twice."""


@runtime_checkable
class BreakableCamera(Protocol):
    """An engine whose camera can be broken."""

    def set_camera_faults(self, faults: Sequence[SensorFault]) -> None:
        """What is wrong with the sensor from its next frame or SCCB transfer on; all at once."""


@runtime_checkable
class KeepsPreciseTime(Protocol):
    """An engine that keeps time as precisely as a test of times wants it, where it is asked to."""

    def be_precise(self) -> None:
        """From here on, although a run takes longer."""


@runtime_checkable
class TimesCaptures(Protocol):
    """An engine that knows when each frame was captured."""

    def captures(self) -> list[Capture]:
        """One for every frame of `captured`, in order; a gap in their numbers is a frame lost."""


@runtime_checkable
class CountsCalls(Protocol):
    """An engine that counts the instructions of a function's calls."""

    def count_calls(self, function: str) -> None:
        """From here on. Raises `EngineError` where the firmware has no such function."""

    def call_counts(self) -> list[int]:
        """Instructions of every call that returned, interrupts in between included."""
