"""The seam between what a test says and what runs the firmware.

What an engine offers beyond the least is asked in one way: `Capability.X in engine.capabilities`.
The operation that belongs to it stands in `Engine` for everyone, and says so where it is lacking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from boardless_sim.camera.frame import Frame
from boardless_sim.contract import REFERENCE, Contract
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.bounds import DEFAULT, Bounds
from boardless_sim.engines.fault_words import in_words
from boardless_sim.errors import EngineError
from boardless_sim.finding import Check, Finding
from boardless_sim.timing_basis import TimingBasis

if TYPE_CHECKING:
    from boardless_sim.engines.core_image import CoreImage
    from boardless_sim.faults.board import BoardFault
    from boardless_sim.faults.sensor import SensorFault


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
    CAMERA_FAULTS = "camera faults"
    BOARD_FAULTS = "board faults"
    CAPTURE_TIMES = "capture times"
    CALL_COUNTS = "call counts"  # instructions of a function's calls
    ACTIVITY = "activity"  # what the core was at when a run ended
    BOARD_CHECKS = "board checks"
    CONSOLE_BYTES = "console bytes"
    PARTS = "pins and parts"  # levels and voltages of pins, what hangs on the board


class PinBench(Protocol):
    """Wires and instruments at the pins of a chip; a name is "PD12"."""

    def drive(self, pin: str, high: bool) -> None:
        """Drive a pin from outside."""

    def release(self, pin: str) -> None:
        """Drive it no more."""

    def level(self, pin: str) -> bool:
        """The level on a pin now."""

    def voltage(self, pin: str, volts: float) -> None:
        """What an ADC measures on a pin from now on."""

    def rising_edges(self, pin: str) -> list[float]:
        """From now on, in microseconds: a list that grows as the board runs."""

    def frequency_hz(self, pin: str) -> int | None:
        """What a timer or a clock output puts out; None where none of them drives the pin."""

    def pins_of(self, bus: str) -> list[str]:
        """The pins that carry a bus, such as "I2C1"."""


class StopReason(Enum):
    """Why a run ended. Only RESULT means that what was waited for happened."""

    RESULT = "result"
    LIMIT = "limit"
    FAULT = "fault"
    HALT = "halt"
    EXIT = "exit"  # the firmware ended itself
    STACK = "stack"  # a stack went into variables
    UNREADABLE = "unreadable"  # a result that cannot be: whoever reads results says so
    STRICT = "strict"  # something that is not modelled was used, and strict mode asked to stop
    RESET_LOOP = "reset loop"
    CONSOLE_FLOOD = "console flood"
    HOST_TIME = "host time"

    @property
    def is_bound(self) -> bool:
        """Whether the host would give no more: there is no verdict then, good or bad."""
        return self in (StopReason.RESET_LOOP, StopReason.CONSOLE_FLOOD, StopReason.HOST_TIME)


@dataclass(frozen=True)
class UartLine:
    """One line as it left a USART: text without the line end, and when its last bit was sent."""

    port: str
    text: str
    time_us: float


@dataclass(frozen=True)
class FaultInfo:
    """The first fault the CPU took: exception, address of the instruction, status registers.

    `sp` and `lr` are the faulting code's, None where the engine does not know them.
    `caller`: the function that LR points into, told where the address itself is in none.
    """

    kind: str
    pc: int
    function: str
    cfsr: int
    hfsr: int
    address: int | None
    sp: int | None = None
    lr: int | None = None
    caller: str = "?"
    registers: tuple[int, ...] = ()  # r0 to r12, before anything was stacked

    def __str__(self) -> str:
        called = f" from {self.caller}" if self.function == "?" != self.caller else ""
        where = f" address {self.address:#010x}" if self.address is not None else ""
        words = in_words(self.cfsr, self.hfsr)
        return (
            f"{self.kind} at pc {self.pc:#010x} in {self.function}{called}"
            f" (CFSR {self.cfsr:#010x}, HFSR {self.hfsr:#010x}{where})"
            + (f": {words}" if words else "")
        )


@dataclass(frozen=True)
class Activity:
    """What the core was at when a run ended. `handler_share`: of all its time, in exceptions.

    `handler_us`: how long those that are active now have been, 0 in thread mode. `polled`: the
    device registers that it reads again and again; `unfinished`: by port, the text since the last
    line end. `touched`: the devices that the firmware accessed since power-on.
    `entered`: the last exceptions with their times in µs, the latest last.
    """

    handler_share: float
    handler_us: float
    is_asleep: bool
    polled: tuple[str, ...]
    unfinished: Mapping[str, str]
    touched: tuple[str, ...] = ()
    entered: tuple[tuple[str, float], ...] = ()


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
    """Runs one firmware image on one virtual board. An engine inherits from it.

    The last operations are offered by some engines only, each under the capability that it names;
    they raise `EngineError` elsewhere.
    """

    name: str
    capabilities: frozenset[Capability]
    timing_basis: TimingBasis
    contract: Contract = REFERENCE  # the firmware's; to be set before `load`
    bounds: Bounds = DEFAULT  # of the host; to be set before `load`
    checks: frozenset[Check] = frozenset()  # what it looks for (`BOARD_CHECKS`)

    @property
    def image(self) -> FirmwareImage:
        """The loaded one. Raises `EngineError` before `load`."""

    def load(self, image: FirmwareImage) -> None:
        """Put the image into Flash and power the board on; virtual time is 0."""

    def show(self, frame: Frame) -> int:
        """Queue a frame for the lens; returns its number among the completed captures to come.

        The sensor clocks out the frame at the head of the queue and moves on to the next one when
        the firmware has captured it whole; the last frame stays in view.
        """

    def captured(self) -> Sequence[Frame]:
        """The frame of every capture that completed so far, in order."""

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        """Run for at most `limit_us` of virtual time, or until a UART line satisfies `until`."""

    def uart_lines(self) -> Sequence[UartLine]:
        """Every complete line since power-on, all ports, in order of time."""

    def uart_send(self, port: str, data: bytes) -> None:
        """Feed bytes into a USART's receiver, at its baud rate."""

    def time_us(self) -> float:
        """Virtual time since power-on."""

    def fault(self) -> FaultInfo | None:
        """The first fault, if any."""

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

    def one_wait(self) -> AbstractContextManager[None]:
        """Several calls of `run` that are one wait for the bounds of the host."""
        return nullcontext()

    def forget_history(self, keep: int) -> None:
        """Let go of all lines and captures but the last `keep`; they keep their numbers.

        For runs without end. Nothing to do for an engine that keeps them all.
        """
        return

    def be_precise(self) -> None:
        """From here on time is as precise as a test of times wants it, although a run takes longer.

        Nothing to do for an engine that has no choice.
        """
        return

    def stack_mark(self) -> StackMark:
        """The main stack's high-water mark so far (`STACK_MARK`)."""
        raise _lacks(self, Capability.STACK_MARK)

    def set_camera_faults(self, faults: Sequence[SensorFault]) -> None:
        """What is wrong with the sensor from its next frame or transfer on (`CAMERA_FAULTS`)."""
        raise _lacks(self, Capability.CAMERA_FAULTS)

    def inject(self, fault: BoardFault, at_us: float) -> None:
        """Let something go wrong on the board at a virtual time, now or later (`BOARD_FAULTS`)."""
        raise _lacks(self, Capability.BOARD_FAULTS)

    def captures(self) -> Sequence[Capture]:
        """One for every frame of `captured`, in order (`CAPTURE_TIMES`).

        A gap in their numbers is a frame lost.
        """
        raise _lacks(self, Capability.CAPTURE_TIMES)

    def uart_bytes(self, port: str) -> bytes:
        """Everything that a port said since power-on, as it came (`CONSOLE_BYTES`)."""
        raise _lacks(self, Capability.CONSOLE_BYTES)

    def count_calls(self, function: str) -> None:
        """Count the instructions of a function's calls from here on (`CALL_COUNTS`).

        Raises `ImageError` where the firmware has no such function.
        """
        raise _lacks(self, Capability.CALL_COUNTS)

    def call_counts(self) -> list[int]:
        """Instructions of every call that returned, interrupts in between included."""
        raise _lacks(self, Capability.CALL_COUNTS)

    def activity(self) -> Activity:
        """What the core is at now (`ACTIVITY`)."""
        raise _lacks(self, Capability.ACTIVITY)

    def core_image(self) -> CoreImage | None:
        """All that a debugger looks at, to be kept; None where the engine cannot tell it."""
        return None

    def place_of(self, address: int) -> str:
        """Whose an address is, in words; empty where the engine cannot tell."""
        return ""

    def findings(self) -> Sequence[Finding]:
        """What the firmware did that the chip would not have carried (`BOARD_CHECKS`)."""
        raise _lacks(self, Capability.BOARD_CHECKS)

    def bench(self) -> PinBench:
        """The pins of the chip, from outside. Capability PARTS."""
        raise _lacks(self, Capability.PARTS)

    def parts(self) -> Mapping[str, object]:
        """What hangs on the board, by its name. Capability PARTS."""
        raise _lacks(self, Capability.PARTS)

    def ask_for_layers(self, *, print_all: bool = False, dump: int | None = None) -> None:
        """What the firmware is to tell of frames given from now on (`MAILBOX`).

        `print_all`: the size and CRC of every layer; `dump`: the values of that layer.
        """
        raise _lacks(self, Capability.MAILBOX)


def _lacks(engine: Engine, capability: Capability) -> EngineError:
    return EngineError(f"engine {engine.name}: no {capability.value}, expected one that offers it")
