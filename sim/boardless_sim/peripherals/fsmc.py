"""FSMC and FMC: the external memory controller's NOR and SRAM banks (RM0090 chapters 36 and 37).

What hangs on a bank is a part of the board. A bank without one takes what is written and reads 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import AhbPeripheral, Register

BANKS = 4
BANK_SIZE = 64 << 20
BCR_MBKEN = 1 << 0
_BCR, _BTR = range(0x00, 0x20, 8), range(0x04, 0x20, 8)
_BWTR = range(0x104, 0x124, 8)
_TIMING = 0x0FFF_FFFF


class Fsmc(AhbPeripheral):
    """The registers, and which banks are on; an access to one that is off is a bus error."""

    layout: ClassVar[Mapping[int, Register]] = {
        **{at: Register(f"BCR{n}", 0x30DB if n == 1 else 0x30D2, 0x000F_FFFF)
           for n, at in enumerate(_BCR, 1)},
        **{at: Register(f"BTR{n}", _TIMING, 0x3FFF_FFFF) for n, at in enumerate(_BTR, 1)},
        **{at: Register(f"BWTR{n}", _TIMING, 0x3FFF_FFFF) for n, at in enumerate(_BWTR, 1)},
    }  # fmt: skip
    unmodelled: ClassVar[Mapping[int, str]] = {
        0x60: "PCR2", 0x64: "SR2", 0x80: "PCR3", 0xA0: "PCR4", 0x140: "SDCR1", 0x144: "SDCR2",
        0x148: "SDTR1", 0x14C: "SDTR2", 0x150: "SDCMR", 0x154: "SDRTR", 0x158: "SDSR",
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, *, first_bank: int) -> None:
        super().__init__(name)
        self.window = range(first_bank, first_bank + BANKS * BANK_SIZE)

    def width(self, address: int) -> int:
        """Bytes of the data bus at an address (MWID)."""
        bank = (address - self.window.start) // BANK_SIZE
        return 1 << (self.values[_BCR[bank]] >> 4 & 3)

    def answers(self, address: int) -> bool:
        """Whether the bank at an address is on (MBKEN; bank 1 is after reset) and clocked."""
        bank = (address - self.window.start) // BANK_SIZE
        return self.clocked and bool(self.values[_BCR[bank]] & BCR_MBKEN)
