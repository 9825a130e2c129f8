"""DATATYPE of CRYP and HASH: how a word is turned on its way (RM0090 23.3.5 and 25.3.2)."""

from __future__ import annotations

WORDS, HALFWORDS, BYTES, BITS = range(4)


def swapped(word: int, kind: int) -> int:
    """A word with its halfwords, bytes or bits the other way round; its own inverse."""
    if kind == HALFWORDS:
        return (word << 16 | word >> 16) & 0xFFFF_FFFF
    if kind == BYTES:
        return int.from_bytes(word.to_bytes(4, "little"), "big")
    return int(f"{word:032b}"[::-1], 2) if kind == BITS else word
