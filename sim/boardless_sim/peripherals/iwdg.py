"""IWDG: the independent watchdog, clocked by the LSI (RM0090 chapter 21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import ApbPeripheral, Register

KR, PR, RLR, SR = 0x00, 0x04, 0x08, 0x0C
KEY_RELOAD, KEY_UNLOCK, KEY_START = 0xAAAA, 0x5555, 0xCCCC
SR_PVU, SR_RVU = 1 << 0, 1 << 1

LSI_HZ = 32_000
_UPDATE_NS = 5 * 1_000_000_000 // LSI_HZ  # a new PR or RLR takes up to five LSI cycles


class Iwdg(ApbPeripheral):
    """Once started, nothing but a reload in time keeps the chip from reset."""

    layout: ClassVar[Mapping[int, Register]] = {
        KR: Register("KR", 0, 0), PR: Register("PR", 0, 0x7),
        RLR: Register("RLR", 0xFFF, 0xFFF), SR: Register("SR", 0, 0),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str) -> None:
        self._timeout: Event | None = None
        self._updates: dict[int, Event] = {}
        super().__init__(name)

    @property
    def running(self) -> bool:
        """Whether the watchdog was started."""
        return self._timeout is not None

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._unlocked = False
        for event in (self._timeout, *self._updates.values()):
            if event is not None:
                event.cancel()
        self._timeout = None
        self._updates.clear()

    def timeout_ns(self) -> int:
        """From a reload to the reset: (RLR + 1) counts of the prescaled LSI."""
        divider = 4 << min(self.values[PR], 6)
        return (self.values[RLR] + 1) * divider * 1_000_000_000 // LSI_HZ

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == KR:
            self._write_key(value & 0xFFFF)
        elif offset in (PR, RLR):
            if self._unlocked:
                self.store(offset, value)
                self._take_over(SR_PVU if offset == PR else SR_RVU)
        else:
            self.store(offset, value)

    def _write_key(self, key: int) -> None:
        self._unlocked = key == KEY_UNLOCK
        if key == KEY_START or (key == KEY_RELOAD and self.running):
            if self._timeout is not None:
                self._timeout.cancel()
            self._timeout = self.bus.schedule_ns(self.timeout_ns(), self._expired)

    def _take_over(self, flag: int) -> None:
        if flag in self._updates:
            self._updates[flag].cancel()
        self.values[SR] |= flag

        def updated() -> None:
            del self._updates[flag]
            self.values[SR] &= ~flag

        self._updates[flag] = self.bus.schedule_ns(_UPDATE_NS, updated)

    def _expired(self) -> None:
        self.bus.request_reset("IWDG")
