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
_SDCR, _SDTR, SDCMR, SDRTR, SDSR = (0x140, 0x144), (0x148, 0x14C), 0x150, 0x154, 0x158
SDCMR_MODE, SDCMR_CTB2, SDCMR_CTB1 = 7, 1 << 3, 1 << 4
_INITIALISED = frozenset({1, 2, 3, 4})  # the commands of section 37.7.3
SDRAM_BASES, SDRAM_SIZE = (0xC000_0000, 0xD000_0000), 256 << 20


class Fsmc(AhbPeripheral):
    """The registers, and which banks are on; an access to one that is off is a bus error."""

    layout: ClassVar[Mapping[int, Register]] = {
        **{at: Register(f"BCR{n}", 0x30DB if n == 1 else 0x30D2, 0x000F_FFFF)
           for n, at in enumerate(_BCR, 1)},
        **{at: Register(f"BTR{n}", _TIMING, 0x3FFF_FFFF) for n, at in enumerate(_BTR, 1)},
        **{at: Register(f"BWTR{n}", _TIMING, 0x3FFF_FFFF) for n, at in enumerate(_BWTR, 1)},
    }  # fmt: skip
    unmodelled: ClassVar[Mapping[int, str]] = {
        0x60: "PCR2", 0x64: "SR2", 0x80: "PCR3", 0xA0: "PCR4",
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, *, first_bank: int) -> None:
        super().__init__(name)
        self.window = range(first_bank, first_bank + BANKS * BANK_SIZE)
        self.windows: tuple[range, ...] = (self.window,)

    def holds(self, address: int) -> bool:
        """Whether an address is of one of its banks."""
        return any(address in window for window in self.windows)

    def width(self, address: int) -> int:
        """Bytes of the data bus at an address (MWID)."""
        bank = (address - self.window.start) // BANK_SIZE
        return 1 << (self.values[_BCR[bank]] >> 4 & 3)

    def is_ready(self, address: int) -> bool:
        """Whether what hangs there was initialised: only SDRAM needs it."""
        return True

    def answers(self, address: int) -> bool:
        """Whether the bank at an address is on (MBKEN; bank 1 is after reset) and clocked."""
        bank = (address - self.window.start) // BANK_SIZE
        return self.clocked and bool(self.values[_BCR[bank]] & BCR_MBKEN)


class Fmc(Fsmc):
    """The FMC adds SDRAM at two banks of their own (RM0090 section 37.7). One that was not
    initialised takes nothing and reads 0.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        **Fsmc.layout,
        **{at: Register(f"SDCR{n}", 0x2D0, 0x7FFF) for n, at in enumerate(_SDCR, 1)},
        **{at: Register(f"SDTR{n}", _TIMING, _TIMING) for n, at in enumerate(_SDTR, 1)},
        SDCMR: Register("SDCMR", 0, 0), SDRTR: Register("SDRTR", 0, 0x7FFE),
        SDSR: Register("SDSR", 0, 0),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, *, first_bank: int) -> None:
        self.sdram = tuple(range(base, base + SDRAM_SIZE) for base in SDRAM_BASES)
        super().__init__(name, first_bank=first_bank)
        self.windows = (self.window, *self.sdram)

    def reset_values(self) -> None:
        """Registers to their reset values; each bank waits for its commands."""
        super().reset_values()
        self._given: list[set[int]] = [set(), set()]

    def write_word(self, offset: int, value: int) -> None:
        """A command goes to the banks that CTB1 and CTB2 choose (section 37.7.5, SDCMR)."""
        if offset != SDCMR:
            self.store(offset, value)
            return
        for bank, bit in enumerate((SDCMR_CTB1, SDCMR_CTB2)):
            if value & bit:
                self._given[bank].add(value & SDCMR_MODE)

    def is_ready(self, address: int) -> bool:
        """Whether SDRAM at an address was initialised: clock, precharge, refresh, mode register."""
        bank = next((n for n, window in enumerate(self.sdram) if address in window), None)
        return bank is None or self._given[bank] >= _INITIALISED

    def width(self, address: int) -> int:
        """Bytes of the data bus at an address (MWID of BCR or SDCR)."""
        for bank, window in enumerate(self.sdram):
            if address in window:
                return 1 << (self.values[_SDCR[bank]] >> 4 & 3)
        return super().width(address)

    def answers(self, address: int) -> bool:
        """SDRAM has no enable bit of its own."""
        return self.clocked if address not in self.window else super().answers(address)
