"""Variable-length numbers of DWARF, bounded: a damaged file cannot make one that never ends."""

from __future__ import annotations

_MAX_SHIFT = 70


def uleb(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number and the place behind it. Raises `ValueError`, `IndexError`."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > _MAX_SHIFT:
            raise ValueError(f"a number of over {_MAX_SHIFT} bits at {at}")


def sleb(data: bytes, at: int) -> tuple[int, int]:
    """A signed number and the place behind it. Raises `ValueError`, `IndexError`."""
    start = at
    value, at = uleb(data, at)
    if data[at - 1] & 64:
        value -= 1 << 7 * (at - start)
    return value, at
