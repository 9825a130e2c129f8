"""WWDG: the window watchdog, clocked by the APB (RM0090 chapter 22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

CR, CFR, SR = 0x00, 0x04, 0x08
CR_T, CR_T6, CR_WDGA = 0x7F, 1 << 6, 1 << 7
CFR_W, CFR_EWI = 0x7F, 1 << 9
SR_EWIF = 1 << 0
_EARLY = 0x40  # the early warning comes at this count, the reset at the next


class Wwdg(ApbPeripheral):
    """Resets the chip when its counter falls below 0x40, or is reloaded above the window."""

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0x7F, CR_T), CFR: Register("CFR", 0x7F, 0x3FF), SR: Register("SR", 0, 0),
    }  # fmt: skip
    stable = frozenset({CFR, SR})

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._event: Event | None = None
        super().__init__(name)

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._since = 0
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._line.drive(False)

    def read_word(self, offset: int) -> int:
        """A register; the counter is computed from the time."""
        if offset == CR:
            return self.values[CR] & CR_WDGA | self._count()
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == CR:
            self._write_counter(value)
        elif offset == SR:
            self.values[SR] &= value | ~SR_EWIF
        else:
            # Once set, EWI stays until reset.
            self.store(offset, value | self.values.get(CFR, 0) & CFR_EWI)
        self._line.drive(bool(self.values[SR] and self.values[CFR] & CFR_EWI))

    def _count_cycles(self) -> int:
        clocks = self.bus.clocks()
        divider = 4096 << (self.values[CFR] >> 7 & 3)
        return divider * (clocks.hclk_hz // clocks.pclk1_hz)

    def _count(self) -> int:
        if not self.values[CR] & CR_WDGA:
            return self.values[CR] & CR_T
        elapsed = (self.bus.now() - self._since) // self._count_cycles()
        return max((self.values[CR] & CR_T) - elapsed, 0)

    def _write_counter(self, value: int) -> None:
        active = self.values[CR] & CR_WDGA
        if active and self._count() > self.values[CFR] & CFR_W:
            self.bus.request_reset("WWDG")
            return
        self.values[CR] = value & CR_T | active | value & CR_WDGA
        self._since = self.bus.now()
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self.values[CR] & CR_WDGA:
            if not value & CR_T6:
                self.bus.request_reset("WWDG")
                return
            counts = (value & CR_T) - _EARLY
            self._event = self.bus.schedule(counts * self._count_cycles(), self._warn)

    def _warn(self) -> None:
        self.values[SR] |= SR_EWIF
        self._line.drive(bool(self.values[CFR] & CFR_EWI))
        self._event = self.bus.schedule(self._count_cycles(), self._expired)

    def _expired(self) -> None:
        self._event = None
        self.bus.request_reset("WWDG")
