"""Bytes at an address as Intel HEX, which every programmer reads."""

from __future__ import annotations

_DATA, _END, _BASE = 0x00, 0x01, 0x04
_LINE_BYTES = 16


def intel_hex(address: int, data: bytes) -> str:
    """The lines of a file. The data must not cross 64 KiB."""
    lines = [_record(_BASE, 0, (address >> 16).to_bytes(2, "big"))]
    for start in range(0, len(data), _LINE_BYTES):
        place = (address + start) & 0xFFFF
        lines.append(_record(_DATA, place, data[start : start + _LINE_BYTES]))
    return "\n".join([*lines, _record(_END, 0, b"")]) + "\n"


def _record(kind: int, place: int, data: bytes) -> str:
    raw = bytes([len(data)]) + place.to_bytes(2, "big") + bytes([kind]) + data
    return ":" + (raw + bytes([-sum(raw) & 0xFF])).hex().upper()
