"""A bus for one board without a CPU: a clock to turn by hand, RAM, and every interrupt recorded."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from boardless_sim.finding import Check
from boardless_sim.foreseen import DmaRoom, Foreseen
from boardless_sim.peripherals.peripheral import BusFault, Clocks, Event, Peripheral

RAM_BASE, RAM_SIZE = 0x2000_0000, 0x2_0000
HZ = 168_000_000


class FakeEvent:
    """A scheduled callback."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeBus:
    """Implements `Bus` at 168 MHz until the RCC says otherwise."""

    def __init__(self) -> None:
        self.time = 0
        self.ram = bytearray(RAM_SIZE)
        self.irqs: dict[int, bool] = {}
        self.exti: dict[int, bool] = {}
        self.requests: list[tuple[str, int]] = []
        self.serve: Callable[[str, int], int] = lambda request, units: 0
        self.mapped: dict[int, Peripheral] = {}
        self.tree = Clocks(HZ, HZ // 4, HZ // 2, HZ // 2, HZ)
        self.resets: list[str] = []
        self.log: list[str] = []
        self.findings: list[tuple[Check, str, str]] = []
        self.effects = 0
        self.events = 0
        self._queue: list[tuple[int, int, FakeEvent]] = []
        self._sequence = 0

    def place(self, base: int, device: Peripheral) -> None:
        """Map a device and attach it."""
        self.mapped[base] = device
        device.attach(self)

    def run(self, cycles: int) -> None:
        """Let time pass, events included."""
        end = self.time + cycles
        while self._queue and self._queue[0][0] <= end:
            due, _, event = heapq.heappop(self._queue)
            self.time = due
            callback, event.callback = event.callback, None
            if callback is not None:
                callback()
        self.time = end

    def run_us(self, time_us: float) -> None:
        self.run(round(time_us * self.tree.hclk_hz / 1e6))

    def now(self) -> int:
        return self.time

    def now_ns(self) -> int:
        return self.time * 10**9 // self.tree.hclk_hz

    def schedule(self, delay_cycles: int, callback: Callable[[], None]) -> FakeEvent:
        event = FakeEvent(callback)
        self._sequence += 1
        heapq.heappush(self._queue, (self.time + max(1, delay_cycles), self._sequence, event))
        return event

    def schedule_ns(self, delay_ns: int, callback: Callable[[], None]) -> FakeEvent:
        return self.schedule(round(delay_ns * self.tree.hclk_hz / 1e9), callback)

    def read_had_effect(self) -> None:
        """Counted, so that a test may ask."""
        self.effects += 1

    def set_irq(self, irq: int, asserted: bool) -> None:
        self.irqs[irq] = asserted

    def set_exti(self, line: int, level: bool) -> None:
        self.exti[line] = level

    def send_event(self) -> None:
        self.events += 1

    def dma_request(self, request: str, units: int = 1) -> int:
        self.requests.append((request, units))
        return self.serve(request, units)

    def dma_room(self, request: str) -> DmaRoom | None:
        return None

    def carry_on(self, event: Event, foreseen: Foreseen) -> Event:
        """Every event comes by itself."""
        return event

    def look_again(self) -> None:
        """Nothing is carried out that could be wrong."""

    def dma_end(self, request: str) -> None:
        self.requests.append((request, 0))

    def memory_read(self, address: int, size: int) -> bytes:
        start = self._ram_offset(address, size)
        return bytes(self.ram[start : start + size])

    def memory_write(self, address: int, data: bytes, buffer: int | None = None) -> None:
        start = self._ram_offset(address, len(data))
        self.ram[start : start + len(data)] = data

    def _ram_offset(self, address: int, size: int) -> int:
        offset = address - RAM_BASE
        if not 0 <= offset <= RAM_SIZE - size:
            raise BusFault(f"no memory at {address:#010x}")
        return offset

    def device_at(self, address: int) -> tuple[Peripheral, int] | None:
        for base, device in self.mapped.items():
            if base <= address < base + device.size:
                return device, address - base
        return None

    def clocks(self) -> Clocks:
        return self.tree

    def set_clocks(self, clocks: Clocks) -> None:
        self.tree = clocks

    def request_reset(self, cause: str) -> None:
        self.resets.append(cause)

    def log_unmodelled(self, register: str, access: str) -> None:
        self.log.append(f"{register} {access}")

    def report(self, check: Check, device: str, text: str) -> None:
        self.findings.append((check, device, text))
