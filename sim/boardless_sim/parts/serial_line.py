"""A serial line into the chip in its own time: bytes pass whether somebody listens or not.

`Usart.receive` keeps bytes until the receiver is on. A line does not: what comes while the chip is
in Stop mode is lost, and its first edge may wake the chip by EXTI.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from boardless_sim.peripherals.peripheral import Event

_BITS = 10  # of a byte: start, eight, stop
_SECOND_NS = 1_000_000_000


class Time(Protocol):
    """Virtual time."""

    def now_ns(self) -> int:
        """Since power-on."""

    def schedule_ns(self, delay_ns: int, callback: Callback) -> Event:
        """Call back after that time."""


class Callback(Protocol):
    """What happens then."""

    def __call__(self) -> None: ...


class Receiver(Protocol):
    """The chip's USART."""

    def receive(self, data: bytes) -> None:
        """A byte whose start bit is on the line now."""

    def is_receiving(self) -> bool:
        """Whether it looks at the line now."""


class Port(Protocol):
    """The port that the line's pin belongs to."""

    def set_input(self, pin: int, high: bool) -> None:
        """Drive the pin."""


@dataclass(frozen=True)
class LinkFaults:
    """What goes wrong, by seed: probabilities for each message, noise for each byte."""

    loss: float = 0.0
    noise: float = 0.0
    duplication: float = 0.0
    delay_us: float = 0.0
    seed: int = 1


NO_FAULTS = LinkFaults()


@dataclass
class SerialLine:
    """Messages to one pin of the chip, one byte after the other."""

    time: Time
    receiver: Receiver
    port: Port
    pin: int
    baud: int
    faults: LinkFaults = NO_FAULTS
    last_byte_ns: int = field(default=0, init=False)  # when the last stop bit passed

    def __post_init__(self) -> None:
        self._chance = random.Random(self.faults.seed)
        self._waiting: deque[int] = deque()
        self._busy = False
        self.port.set_input(self.pin, True)

    def send(self, message: bytes) -> None:
        """Put a message on the line, behind what is on its way."""
        if self._chance.random() < self.faults.loss:
            return
        copies = 2 if self._chance.random() < self.faults.duplication else 1
        delay_ns = round(1000 * self._chance.uniform(0, self.faults.delay_us))
        for _ in range(copies):
            data = bytes(self._disturbed(byte) for byte in message)
            if delay_ns:
                self.time.schedule_ns(delay_ns, partial(self._put, data))
            else:
                self._put(data)

    def _disturbed(self, byte: int) -> int:
        if self._chance.random() < self.faults.noise:
            return byte ^ 1 << self._chance.randrange(8)
        return byte

    def _put(self, data: bytes) -> None:
        self._waiting.extend(data)
        if not self._busy:
            self._next()

    def _next(self) -> None:
        """The start bit of the next byte, if there is one."""
        self._busy = bool(self._waiting)
        if not self._busy:
            return
        byte = self._waiting.popleft()
        self.port.set_input(self.pin, False)
        if self.receiver.is_receiving():
            self.receiver.receive(bytes([byte]))
        bit_ns = _SECOND_NS // self.baud
        self.time.schedule_ns(bit_ns, lambda: self.port.set_input(self.pin, True))
        self.time.schedule_ns(_BITS * bit_ns, self._end_of_byte)

    def _end_of_byte(self) -> None:
        self.last_byte_ns = self.time.now_ns()
        self._next()
