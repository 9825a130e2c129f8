"""The CRC unit of an SPI: any polynomial of 8 or 16 bits (RM0090 section 28.3.6)."""

from __future__ import annotations


def crc_of(crc: int, word: int, polynomial: int, bits: int) -> int:
    """The CRC after one more word of `bits` bits, most significant bit first."""
    mask, top = (1 << bits) - 1, 1 << (bits - 1)
    crc ^= word
    for _ in range(bits):
        crc = (crc << 1 ^ (polynomial if crc & top else 0)) & mask
    return crc
