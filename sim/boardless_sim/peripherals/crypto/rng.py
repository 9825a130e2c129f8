"""RNG: random numbers that are the same on every run (RM0090 chapter 24)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import AhbPeripheral, IrqLine, Register

CR, SR, DR = 0x00, 0x04, 0x08
CR_RNGEN, CR_IE = 1 << 2, 1 << 3
SR_DRDY, SR_CECS, SR_CEIS, SR_SEIS = 1 << 0, 1 << 1, 1 << 5, 1 << 6
WORD_CLOCKS = 40  # of PLL48CLK, from one number to the next (section 24.3.1)
SEED = 1


class Rng(AhbPeripheral):
    """One number at a time; reading it starts the next.

    `clock_hz` is PLL48CLK: slower than HCLK/16 it is a clock error, and no number comes.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0, CR_RNGEN | CR_IE), SR: Register("SR", 0, 0), DR: Register("DR", 0, 0),
    }  # fmt: skip
    stable = frozenset({CR, SR})

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._event: Event | None = None
        self._chance = random.Random(SEED)
        super().__init__(name)
        self.clock_hz: Callable[[], int] = lambda: 48_000_000

    def reset(self) -> None:
        """Return to the reset state; the generator goes on where it was."""
        self._stop()
        self.reset_values()
        self._line.drive(False)

    def clock(self, on: bool) -> None:
        """Without its bus clock it makes no numbers."""
        super().clock(on)
        self._start()

    def write_word(self, offset: int, value: int) -> None:
        """Enabling starts the generator."""
        if offset == SR:
            self.values[SR] &= value | ~(SR_CEIS | SR_SEIS)
        else:
            self.store(offset, value)
        if offset == CR:
            self._start()
        self._update_irq()

    def read_word(self, offset: int) -> int:
        """Reading DR takes the number; without a new one it reads 0."""
        if offset != DR:
            return super().read_word(offset)
        number, self.values[DR] = self.values[DR], 0
        self.values[SR] &= ~SR_DRDY
        self._start()
        self._update_irq()
        return number

    def _stop(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _start(self) -> None:
        self._stop()
        if not (self.values[CR] & CR_RNGEN and self.clocked) or self.values[SR] & SR_DRDY:
            return
        hertz, hclk_hz = self.clock_hz(), self.bus.clocks().hclk_hz
        if hertz * 16 < hclk_hz:
            self.values[SR] |= SR_CECS | SR_CEIS
            return
        self.values[SR] &= ~SR_CECS
        self._event = self.bus.schedule(WORD_CLOCKS * hclk_hz // hertz, self._number_ready)

    def _number_ready(self) -> None:
        self._event = None
        self.values[DR] = self._chance.getrandbits(32) or 1
        self.values[SR] |= SR_DRDY
        self._update_irq()

    def _update_irq(self) -> None:
        ready = self.values[SR] & (SR_DRDY | SR_CEIS | SR_SEIS)
        self._line.drive(bool(ready and self.values[CR] & CR_IE))
