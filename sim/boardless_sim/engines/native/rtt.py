"""SEGGER RTT: buffers in RAM that a debug probe reads (SEGGER UM08001, chapter 16).

The probe looks once in a virtual millisecond; the firmware sees its read offset move, no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from boardless_sim.errors import EngineError

IDENTITY = b"SEGGER RTT"
SYMBOL = "_SEGGER_RTT"
EVERY_NS = 1_000_000
_HEADER = 24  # identity of 16 bytes, the numbers of up and down buffers
_BUFFER = 24  # name, address, size, write offset, read offset, flags
_MOST_BUFFERS = 16
_MOST_BYTES = 1 << 20


class ProbedMemory(Protocol):
    """RAM as a probe reaches it."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address."""

    def write(self, address: int, data: bytes) -> None:
        """Bytes put there."""


class Rtt:
    """The control block, once it is there. `receiver` makes what takes the bytes of a port."""

    def __init__(
        self,
        memory: ProbedMemory,
        address: int | None,
        areas: Mapping[int, int],
        receiver: Callable[[str], Callable[[int], None]],
    ) -> None:
        """`address`: of the symbol. Without one the `areas`, by base and size, are searched."""
        self._memory, self._address, self._areas = memory, address, areas
        self._make_receiver = receiver
        self._receivers: dict[int, Callable[[int], None]] = {}

    def poll(self) -> None:
        """Take what stands in the up buffers."""
        try:
            taken = self._take_all()
        except EngineError:
            return  # a buffer where no memory is: the probe reads nothing
        for number, data in taken:
            if number not in self._receivers:
                self._receivers[number] = self._make_receiver(f"rtt{number}")
            for byte in data:
                self._receivers[number](byte)

    def _take_all(self) -> list[tuple[int, bytes]]:
        ups, _ = self._counts()
        first = self._block + _HEADER
        taken = [(number, self._take(first + number * _BUFFER)) for number in range(ups)]
        return [(number, data) for number, data in taken if data]

    def send(self, number: int, data: bytes) -> int:
        """Put bytes into a down buffer; how many had room."""
        ups, downs = self._counts()
        if number >= downs:
            return 0
        at = self._block + _HEADER + (ups + number) * _BUFFER
        base, size, written, taken = (self._word(at + 4 * n) for n in range(1, 5))
        if not size or written >= size:
            return 0
        room = (taken - written - 1) % size
        for byte in data[:room]:
            self._memory.write(base + written, bytes([byte]))
            written = (written + 1) % size
        self._memory.write(at + 12, written.to_bytes(4, "little"))
        return min(room, len(data))

    @property
    def _block(self) -> int:
        return self._address or 0

    def _counts(self) -> tuple[int, int]:
        """Up and down buffers; none until the firmware has set the block up."""
        if self._address is None:
            self._address = self._search()
        if self._address is None or self._memory.read(self._address, 10) != IDENTITY:
            return 0, 0
        ups, downs = self._word(self._address + 16), self._word(self._address + 20)
        return min(ups, _MOST_BUFFERS), min(downs, _MOST_BUFFERS)

    def _search(self) -> int | None:
        for base, size in self._areas.items():
            found = self._memory.read(base, size).find(IDENTITY + bytes(6))
            if found >= 0 and found % 4 == 0:
                return base + found
        return None

    def _take(self, at: int) -> bytes:
        base, size, written, taken = (self._word(at + 4 * n) for n in range(1, 5))
        if not 0 < size <= _MOST_BYTES or written >= size or taken >= size or written == taken:
            return b""
        if written > taken:
            data = self._memory.read(base + taken, written - taken)
        else:
            data = self._memory.read(base + taken, size - taken) + self._memory.read(base, written)
        self._memory.write(at + 16, written.to_bytes(4, "little"))
        return data

    def _word(self, address: int) -> int:
        return int.from_bytes(self._memory.read(address, 4), "little")
