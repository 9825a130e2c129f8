"""SYSCFG: memory remap and which port's pin drives each EXTI line (RM0090 chapter 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import ApbPeripheral, Register

MEMRMP, PMC, EXTICR1, EXTICR2, EXTICR3, EXTICR4, CMPCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x20
CMPCR_CMP_PD, CMPCR_READY = 1 << 0, 1 << 8


class Syscfg(ApbPeripheral):
    """System configuration. The boot remap is stored and logged; it moves no memory."""

    layout: ClassVar[Mapping[int, Register]] = {
        MEMRMP: Register("MEMRMP", 0, 0x3), PMC: Register("PMC", 0, 1 << 23),
        EXTICR1: Register("EXTICR1", 0, 0xFFFF), EXTICR2: Register("EXTICR2", 0, 0xFFFF),
        EXTICR3: Register("EXTICR3", 0, 0xFFFF), EXTICR4: Register("EXTICR4", 0, 0xFFFF),
        CMPCR: Register("CMPCR", 0, CMPCR_CMP_PD),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str = "SYSCFG") -> None:
        super().__init__(name)
        self._levels = [0] * 16  # by port number, A = 0

    def begin_with(self, port: int, levels: int) -> None:
        """The levels that a port has after reset: no edge."""
        self._levels[port] = levels

    def port_changed(self, port: int, levels: int) -> None:
        """The 16 pins of a port now have these levels."""
        changed = self._levels[port] ^ levels
        self._levels[port] = levels
        for pin in range(16):
            if changed >> pin & 1 and self.port_of(pin) == port:
                self.bus.set_exti(pin, bool(levels >> pin & 1))

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        self.store(offset, value)
        if EXTICR1 <= offset <= EXTICR4:
            first = offset - EXTICR1
            for pin in range(first, first + 4):
                self.bus.set_exti(pin, bool(self._levels[self.port_of(pin)] >> pin & 1))
        elif offset == CMPCR:
            ready = CMPCR_READY if value & CMPCR_CMP_PD else 0
            self.values[CMPCR] = value & CMPCR_CMP_PD | ready
        elif offset == MEMRMP and value & 0x3:
            self.unmodelled_write(offset, value)

    def port_of(self, pin: int) -> int:
        """The port, A = 0, whose pin of this number drives the EXTI line."""
        return self.values[EXTICR1 + (pin & ~3)] >> (4 * (pin & 3)) & 0xF
