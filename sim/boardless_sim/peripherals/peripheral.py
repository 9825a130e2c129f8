"""The seam between a device and the board: what each of them offers to the other.

A device is one class in one file. It answers `read` and `write` at offsets from its base address
and asks the `Bus` for everything else: time, interrupts, DMA, memory. A minimal device::

    class Random(Peripheral):
        registers = {0x00: "CR", 0x04: "SR", 0x08: "DR"}

        def read(self, offset: int, size: int) -> int:
            return 4 if offset == 0x08 else self.unmodelled_read(offset)

        def write(self, offset: int, size: int, value: int) -> None:
            self.unmodelled_write(offset, value)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from boardless_sim.finding import Check
from boardless_sim.foreseen import DmaRoom, Foreseen
from boardless_sim.peripherals.state import State, capture


@dataclass(frozen=True)
class Clocks:
    """The clock tree as the RCC last set it, in hertz."""

    hclk_hz: int
    pclk1_hz: int
    pclk2_hz: int
    timclk1_hz: int
    timclk2_hz: int


class Event(Protocol):
    """A callback that waits for its time."""

    def cancel(self) -> None:
        """Forget the callback; harmless when it already ran."""


class Bus(Protocol):
    """What the board gives to a device."""

    def now(self) -> int:
        """Virtual time in core cycles, exact for the access in progress."""

    def now_ns(self) -> int:
        """Virtual time since power-on in nanoseconds: it goes on however the clock changes."""

    def schedule(self, delay_cycles: int, callback: Callable[[], None]) -> Event:
        """Call back after `delay_cycles` (at least 1): for devices that the core's clock drives."""

    def schedule_ns(self, delay_ns: int, callback: Callable[[], None]) -> Event:
        """Call back after `delay_ns`: for devices with a clock of their own (a sensor, LSI).

        The event keeps its time in nanoseconds when the core clock changes before it is due.
        """

    def read_had_effect(self) -> None:
        """The read in progress changed something, although its offset is listed as stable."""

    def set_irq(self, irq: int, asserted: bool) -> None:
        """Drive an interrupt line of the NVIC, a level: asserted on return, it pends again."""

    def set_exti(self, line: int, level: bool) -> None:
        """Drive an EXTI input line (0-15 from GPIO, 16-22 internal)."""

    def send_event(self) -> None:
        """Wake a core that waits for an event (WFE)."""

    def dma_request(self, request: str, units: int = 1) -> int:
        """Raise a DMA request line, such as "DCMI" or "USART2_TX", for `units` transfers.

        Returns how many the controller served now; 0 when no enabled stream listens.
        """

    def dma_room(self, request: str) -> DmaRoom | None:
        """Of the stream that listens to a request: how much it takes before a flag changes.

        None where there is none, or where it moves in a way that nobody foresees.
        """

    def carry_on(self, event: Event, foreseen: Foreseen) -> Event:
        """The board may carry out what follows on an event that waits; asked within an event.

        Returns the event to cancel instead; a board that carries out nothing returns the same.
        """

    def look_again(self) -> None:
        """What a device foresaw may come otherwise; writes of the firmware are known."""

    def dma_end(self, request: str) -> None:
        """The last transfer of a request was made: for a stream that the device controls."""

    def memory_read(self, address: int, size: int) -> bytes:
        """Bytes of RAM or Flash. Raises `BusFault` where there is no memory."""

    def memory_write(self, address: int, data: bytes, buffer: int | None = None) -> None:
        """Write RAM as a bus master. Raises `BusFault` where there is none.

        `buffer`: where the transfer began, whose variable it must not run past.
        """

    def device_at(self, address: int) -> tuple[Peripheral, int] | None:
        """The device at an address and the offset in it, for a DMA that reads a data register."""

    def clocks(self) -> Clocks:
        """The clock tree in force."""

    def set_clocks(self, clocks: Clocks) -> None:
        """Called by the RCC alone, whenever a write changes the tree."""

    def request_reset(self, cause: str) -> None:
        """Reset the chip at the next instruction boundary; `cause` is kept for RCC_CSR."""

    def log_unmodelled(self, register: str, access: str) -> None:
        """Say once that a register is not modelled; an error when strict."""

    def report(self, check: Check, device: str, text: str) -> None:
        """Note once what the chip would not have carried; the run goes on as the chip would."""


class BusFault(Exception):
    """A bus master touched an address where nothing answers."""


class Peripheral(ABC):
    """One memory-mapped device.

    `registers` names each register by its offset, for messages. `stable` lists the offsets whose
    reading gives the same value, and changes nothing that a second read would not find changed
    already, until a write, an event or an interrupt: their values are remembered, and loops that
    poll them may be fast-forwarded. A read that does change something says so with
    `bus.read_had_effect()`. A register that counts with time is never stable. The default, none,
    is always right and only slower.
    """

    registers: ClassVar[Mapping[int, str]] = {}
    stable: ClassVar[frozenset[int]] = frozenset()
    size: int = 0x400

    def __init__(self, name: str) -> None:
        self.name = name
        self.bus: Bus = _DETACHED
        self.clocked = True
        self.signals: Container[str] = _ANY_SIGNAL

    def attach(self, bus: Bus) -> None:
        """Called once, when the board is built."""
        self.bus = bus

    def reset(self) -> None:  # noqa: B027  (a device without state needs none)
        """Return to the reset state, and cancel what was scheduled."""

    def clock(self, on: bool) -> None:
        """The enable bit changed: without a clock, what is in progress stands still."""
        self.clocked = on

    def wire(self, signals: frozenset[str]) -> None:
        """These of the device's signals ("TX") have a pin now; off a board, all of them have.

        "SDA open drain": the pin of SDA only pulls low.
        """
        self.signals = signals

    @abstractmethod
    def read(self, offset: int, size: int) -> int:
        """The value at `offset`, `size` bytes wide (1, 2 or 4)."""

    @abstractmethod
    def write(self, offset: int, size: int, value: int) -> None:
        """Store `value`, `size` bytes wide, at `offset`."""

    def peek(self, offset: int, size: int) -> int:
        """What a read would give, without its effects: for a debugger.

        The read is made with the board's ear closed, then the device's state is put back; a device
        with a cheaper way overrides it.
        """
        state, bus = self.state(), self.bus
        self.bus = _Quiet(bus)
        try:
            return self.read(offset, size)
        finally:
            self.bus = bus
            state.restore()

    def state(self) -> State:
        """The device and its parts as they are now, for `restore` into the same device."""
        return capture([self], lambda thing: thing is self.bus or isinstance(thing, Peripheral))

    def restore(self, state: State) -> None:
        """Be again what `state` found."""
        state.restore()

    def read_block(self, offset: int, size: int, count: int) -> bytes:
        """`count` units of `size` bytes for a DMA; a device with a fast path overrides it."""
        return b"".join(self.read(offset, size).to_bytes(size, "little") for _ in range(count))

    def dma_listening(self, request: str) -> None:  # noqa: B027  (most devices raise none)
        """A DMA stream for `request` was just enabled: raise it again if it still stands."""

    def register_name(self, offset: int) -> str:
        """Such as "USART2_CR1"; "USART2+0x1c" where no name is known."""
        register = self.registers.get(offset & ~3)
        return f"{self.name}_{register}" if register else f"{self.name}+{offset:#x}"

    def unmodelled_read(self, offset: int) -> int:
        """Log the register once and read as zero."""
        self.bus.log_unmodelled(self.register_name(offset), "read")
        return 0

    def unmodelled_write(self, offset: int, value: int) -> None:
        """Log the register once; the write has no effect."""
        self.bus.log_unmodelled(self.register_name(offset), f"write of {value:#x}")


class _AnySignal:
    """Stands for the pins of a device that is on no board."""

    def __contains__(self, signal: object) -> bool:
        return True


_ANY_SIGNAL = _AnySignal()


class _Quiet:
    """The board for a device that is only looked at: it answers, and nothing reaches it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def now(self) -> int:
        return self._bus.now()

    def now_ns(self) -> int:
        return self._bus.now_ns()

    def clocks(self) -> Clocks:
        return self._bus.clocks()

    def memory_read(self, address: int, size: int) -> bytes:
        return self._bus.memory_read(address, size)

    def device_at(self, address: int) -> tuple[Peripheral, int] | None:
        return self._bus.device_at(address)

    def schedule(self, delay_cycles: int, callback: Callable[[], None]) -> Event:
        return _NO_EVENT

    def schedule_ns(self, delay_ns: int, callback: Callable[[], None]) -> Event:
        return _NO_EVENT

    def read_had_effect(self) -> None:
        """It had none."""

    def set_irq(self, irq: int, asserted: bool) -> None:
        """The line stays as it is."""

    def set_exti(self, line: int, level: bool) -> None:
        """The line stays as it is."""

    def send_event(self) -> None:
        """Nobody wakes."""

    def dma_request(self, request: str, units: int = 1) -> int:
        return 0

    def dma_room(self, request: str) -> DmaRoom | None:
        return None

    def carry_on(self, event: Event, foreseen: Foreseen) -> Event:
        return event

    def look_again(self) -> None:
        """Nothing was changed."""

    def dma_end(self, request: str) -> None:
        """The stream goes on."""

    def memory_write(self, address: int, data: bytes, buffer: int | None = None) -> None:
        """Memory stays as it is."""

    def set_clocks(self, clocks: Clocks) -> None:
        """The tree stays as it is."""

    def request_reset(self, cause: str) -> None:
        """The chip runs on."""

    def log_unmodelled(self, register: str, access: str) -> None:
        """A look is no access."""

    def report(self, check: Check, device: str, text: str) -> None:
        """A look is no access."""


class _NoEvent:
    """An event that never comes."""

    def cancel(self) -> None:
        """It never would have come."""


_NO_EVENT = _NoEvent()


class _Detached:
    """Stands for the bus until `attach`, so that a forgotten call is named."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"peripheral used before attach(): bus.{name}")


_DETACHED: Bus = _Detached()  # type: ignore[assignment]
