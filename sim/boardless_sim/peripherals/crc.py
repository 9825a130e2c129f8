"""CRC: the CRC-32 unit of Ethernet's polynomial, a word at a time (RM0090 chapter 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import WORD, AhbPeripheral, Register

DR, IDR, CR = 0x00, 0x04, 0x08
CR_RESET = 1 << 0
POLYNOMIAL = 0x04C1_1DB7


def _shift_out(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = (crc << 1) ^ (POLYNOMIAL if crc >> 31 else 0)
        crc &= WORD
    return crc


_TABLE = tuple(_shift_out(byte) for byte in range(256))


class Crc(AhbPeripheral):
    """Words most significant byte first, start value 0xFFFFFFFF, nothing reflected."""

    layout: ClassVar[Mapping[int, Register]] = {
        DR: Register("DR", WORD, 0), IDR: Register("IDR", 0, 0xFF), CR: Register("CR", 0, 0),
    }  # fmt: skip
    write_ones = frozenset({DR, CR})
    stable = frozenset({DR, IDR, CR})

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == DR:
            crc = self.values[DR] ^ value
            for _ in range(4):
                crc = (crc << 8 & WORD) ^ _TABLE[crc >> 24]
            self.values[DR] = crc
        elif offset == CR:
            if value & CR_RESET:
                self.values[DR] = WORD
        else:
            self.store(offset, value)
