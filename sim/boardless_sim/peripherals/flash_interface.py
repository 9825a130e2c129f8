"""FLASH: the Flash memory's interface: wait states and the ART accelerator (RM0090 chapter 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import AhbPeripheral, Register

ACR, SR, CR = 0x00, 0x0C, 0x10
CR_LOCK = 1 << 31


class FlashInterface(AhbPeripheral):
    """Flash access control. Programming and erasing are not modelled.

    `on_acr` hears what is written to ACR: the wait states pass in the core.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        ACR: Register("ACR", 0, 0x1F07),
        CR: Register("CR", CR_LOCK, 0),
    }
    unmodelled: ClassVar[Mapping[int, str]] = {
        0x04: "KEYR", 0x08: "OPTKEYR", SR: "SR", 0x14: "OPTCR",
    }  # fmt: skip
    stable = frozenset({ACR, CR})

    def __init__(self, name: str = "FLASH") -> None:
        super().__init__(name)
        self.on_acr: Callable[[int], None] = lambda acr: None

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == CR and value & ~CR_LOCK:
            self.unmodelled_write(offset, value)
        else:
            self.store(offset, value)
        if offset == ACR:
            self.on_acr(self.values[ACR])
