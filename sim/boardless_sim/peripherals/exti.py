"""EXTI: external interrupt lines and their edges (RM0090 section 12.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

IMR, EMR, RTSR, FTSR, SWIER, PR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
LINES = 0x7F_FFFF


class Exti(ApbPeripheral):
    """The 23 lines. Several may share one interrupt. `irqs` maps a line to its interrupt number."""

    layout: ClassVar[Mapping[int, Register]] = {
        IMR: Register("IMR", 0, LINES), EMR: Register("EMR", 0, LINES),
        RTSR: Register("RTSR", 0, LINES), FTSR: Register("FTSR", 0, LINES),
        SWIER: Register("SWIER", 0, LINES), PR: Register("PR", 0, 0),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, irqs: Mapping[int, int]) -> None:
        super().__init__(name)
        self._levels = 0
        self._lines = {irq: IrqLine(self, irq) for irq in irqs.values()}
        self._mask_of = {
            irq: sum(1 << line for line, other in irqs.items() if other == irq)
            for irq in self._lines
        }

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update()

    def set_line(self, line: int, level: bool) -> None:
        """The input of a line now has this level."""
        bit = 1 << line
        if bool(self._levels & bit) == level:
            return
        self._levels ^= bit
        if not self.clocked:  # Standby
            return
        if self.values[RTSR if level else FTSR] & bit:
            self._trigger(bit)

    def watches(self, line: int) -> bool:
        """Whether an edge of a line would be noticed."""
        wanted = self.values[RTSR] | self.values[FTSR]
        return bool((self.values[IMR] | self.values[EMR]) & wanted & 1 << line)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == PR:
            self.values[PR] &= ~value
            self.values[SWIER] &= ~value
            self._update()
            return
        rising = value & ~self.values.get(offset, 0)
        self.store(offset, value)
        if offset == SWIER:
            self._trigger(rising & LINES)

    def _trigger(self, lines: int) -> None:
        self.values[PR] |= lines & self.values[IMR]
        if lines & self.values[EMR]:
            self.bus.send_event()
        self._update()

    def _update(self) -> None:
        pending = self.values[PR] & self.values[IMR]
        for irq, mask in self._mask_of.items():
            self._lines[irq].drive(bool(pending & mask))
