"""DMA: a controller of eight streams (RM0090 chapter 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from boardless_sim.peripherals.dma_stream import (
    CR,
    CR_EN,
    FCR,
    FLAGS,
    M0AR,
    M1AR,
    NDTR,
    PAR,
    Stream,
)  # fmt: skip
from boardless_sim.peripherals.register import WORD, AhbPeripheral

LISR, HISR, LIFCR, HIFCR = 0x00, 0x04, 0x08, 0x0C
FIRST_STREAM, STREAM_STRIDE = 0x10, 0x18
_FLAG_SHIFT = (0, 6, 16, 22)  # of streams 0-3 in LISR, 4-7 in HISR
_STREAM_REGISTERS = {CR: "CR", NDTR: "NDTR", PAR: "PAR", M0AR: "M0AR", M1AR: "M1AR", FCR: "FCR"}

RequestMap = Mapping[tuple[int, int], tuple[str, ...]]
"""Which requests reach a (stream, channel): tables 42 and 43 as data."""


class Dma(AhbPeripheral):
    """DMA1 or DMA2. A request is served at once; only memory-to-memory copies take time.

    `irqs` has one interrupt for each stream.
    """

    fixed_fields: ClassVar[frozenset[str]] = frozenset(["_requests"])

    unmodelled: ClassVar[Mapping[int, str]] = {
        LISR: "LISR",
        HISR: "HISR",
        LIFCR: "LIFCR",
        HIFCR: "HIFCR",
    } | {
        FIRST_STREAM + STREAM_STRIDE * number + offset: f"S{number}{register}"
        for number in range(8)
        for offset, register in _STREAM_REGISTERS.items()
    }
    stable = frozenset(unmodelled)

    def __init__(
        self, name: str, irqs: Sequence[int], requests: RequestMap, *, memory_to_memory: bool
    ) -> None:
        super().__init__(name)
        self.streams = tuple(
            Stream(self, number, irq, memory_to_memory=memory_to_memory)
            for number, irq in enumerate(irqs)
        )
        self._requests = requests
        self.listening: dict[str, Stream] = {}
        self._stalled = False

    def reset(self) -> None:
        """Return to the reset state."""
        for stream in self.streams:
            stream.reset()
        self._listen()

    def request(self, name: str, units: int = 1) -> int:
        """Serve up to `units` transfers of a request line; how many were served."""
        stream = self.listening.get(name)
        if stream is None:
            return 0
        if not stream.serves(name):
            self.bus.look_again()
        return stream.serve(units)

    def end(self, name: str) -> None:
        """The device has no more for a request line."""
        stream = self.listening.get(name)
        if stream is not None:
            stream.end()
            self._listen()

    def read_word(self, offset: int) -> int:
        """A register, with the side effects of reading it."""
        if offset >= FIRST_STREAM:
            number, register = divmod(offset - FIRST_STREAM, STREAM_STRIDE)
            if number < 8:
                return self.streams[number].registers[register]
        elif offset in (LISR, HISR):
            first = 0 if offset == LISR else 4
            group = zip(self.streams[first : first + 4], _FLAG_SHIFT, strict=True)
            return sum(stream.flags << shift for stream, shift in group)
        elif offset in (LIFCR, HIFCR):
            return 0
        return self.unmodelled_read(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset >= FIRST_STREAM:
            number, register = divmod(offset - FIRST_STREAM, STREAM_STRIDE)
            if number < 8:
                self._write_stream(self.streams[number], register, value & WORD)
                return
        elif offset in (LIFCR, HIFCR):
            first = 0 if offset == LIFCR else 4
            for stream, shift in zip(self.streams[first : first + 4], _FLAG_SHIFT, strict=True):
                stream.clear(value >> shift & FLAGS)
            return
        elif offset in (LISR, HISR):
            return
        self.unmodelled_write(offset, value)

    def widen(self, offset: int, size: int, value: int) -> int:
        """The stream registers hold their own values, so the untouched lanes come from reading."""
        word, shift = offset & ~3, 8 * (offset & 3)
        lanes = ((1 << 8 * size) - 1) << shift
        old = 0 if word in (LIFCR, HIFCR) else self.read_word(word)
        return (old & ~lanes) | ((value << shift) & lanes)

    def _write_stream(self, stream: Stream, register: int, value: int) -> None:
        was_enabled = stream.enabled
        stream.write(register, value)
        if register == CR and stream.enabled != was_enabled:
            self._listen()
            if stream.enabled:
                self._invite(stream)

    def stall(self, stalled: bool) -> None:
        """The bus is taken by others: requests wait until it is free again."""
        self._stalled = stalled
        self._listen()
        if not stalled:
            for stream in self.streams:
                if stream.enabled:
                    self._invite(stream)

    def _listen(self) -> None:
        """Which enabled stream serves which request."""
        if self._stalled:
            self.listening = {}
            return
        self.listening = {
            request: stream
            for stream in self.streams
            if stream.registers[CR] & CR_EN
            for request in self._requests.get((stream.number, stream.channel), ())
        }

    def _invite(self, stream: Stream) -> None:
        """Let the device behind PAR raise a request that stood before the stream was enabled."""
        found = self.bus.device_at(stream.registers[PAR])
        if found is not None:
            for request in self._requests.get((stream.number, stream.channel), ()):
                found[0].dma_listening(request)
