"""A second opinion on frames: where .debug_frame puts the canonical frame address (DWARF 5, 6.4).

Only rows that count from SP say how deep it stands; clang's count from its frame pointer soon.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from boardless_sim.elf.leb import sleb, uleb
from boardless_sim.elf.thumb import SP

_CIE = 0xFFFF_FFFF
_WIDE_LENGTH = 0xFFFF_FFF0
_MAX_ROWS = 1_000_000
_ADVANCE = {2: 1, 3: 2, 4: 4}  # advance_loc1, 2, 4
_OPERANDS = {  # what other instructions carry: u and s numbers, b a block
    0x00: "",
    0x05: "uu",
    0x06: "u",
    0x07: "u",
    0x08: "u",
    0x09: "uu",
    0x10: "ub",
    0x11: "us",
    0x14: "uu",
    0x15: "us",
    0x16: "ub",
    0x2D: "",
    0x2E: "u",
}


class UnwindRow(NamedTuple):
    """From `address` on the frame lies `offset` above `register`, None: an expression says it."""

    address: int
    register: int | None
    offset: int


class Description(NamedTuple):
    """The rows of one function's code."""

    start: int
    size: int
    rows: tuple[UnwindRow, ...]


class _Cie(NamedTuple):
    code_factor: int
    data_factor: int
    initial: bytes


def descriptions(section: bytes) -> tuple[Description, ...]:
    """Every description that can be read; a damaged one is passed over."""
    return tuple(_read(section))


def _read(section: bytes) -> Iterator[Description]:
    cies: dict[int, _Cie | None] = {}
    at = rows = 0
    while at + 8 <= len(section):
        length, identity = struct.unpack_from("<II", section, at)
        body, at = at + 4, at + 4 + length
        if length < 4 or length >= _WIDE_LENGTH or at > len(section):
            return
        if identity == _CIE or body + 12 > at:
            continue
        if identity not in cies:
            cies[identity] = _cie(section, identity)
        cie = cies[identity]
        found = _description(section[body + 4 : at], cie) if cie is not None else None
        if found is not None:
            yield found
            rows += len(found.rows)
            if rows > _MAX_ROWS:
                return


def _cie(section: bytes, at: int) -> _Cie | None:
    """The common part at an offset; None for one with augmentation or that is none."""
    try:
        length, identity = struct.unpack_from("<II", section, at)
        version, augmented = section[at + 8], section[at + 9]
        if identity != _CIE or augmented or version not in (1, 3, 4):
            return None
        body = at + (12 if version == 4 else 10)
        code_factor, body = uleb(section, body)
        data_factor, body = sleb(section, body)
        body = body + 1 if version == 1 else uleb(section, body)[1]
        return _Cie(code_factor, data_factor, section[body : at + 4 + length])
    except (ValueError, IndexError, struct.error):
        return None


def _description(body: bytes, cie: _Cie) -> Description | None:
    start, size = struct.unpack_from("<II", body)
    rows = _Rows(start & ~1, cie)
    try:
        rows.run(cie.initial)
        rows.run(body[8:])
    except (ValueError, IndexError, KeyError):
        return None
    rows.end()
    return Description(start & ~1, size, tuple(rows.found))


class _Rows:
    def __init__(self, address: int, cie: _Cie) -> None:
        self.found: list[UnwindRow] = []
        self._address = address
        self._cie = cie
        self._register: int | None = SP
        self._offset = 0
        self._remembered: list[tuple[int | None, int]] = []

    def run(self, code: bytes) -> None:
        at = 0
        while at < len(code):
            op, at = code[at], at + 1
            if op >> 6 == 1:
                self._advance(op & 63)
            elif op >> 6 == 2:
                at = uleb(code, at)[1]
            elif op >> 6 == 0:
                at = self._extended(code, op, at)

    def end(self) -> None:
        self.found.append(UnwindRow(self._address, self._register, self._offset))

    def _advance(self, units: int) -> None:
        if units:
            self.end()
            self._address += units * self._cie.code_factor

    def _extended(self, code: bytes, op: int, at: int) -> int:
        if op == 1:  # set_loc
            self.end()
            self._address = int.from_bytes(code[at : at + 4], "little")
            return at + 4
        if op in _ADVANCE:
            self._advance(int.from_bytes(code[at : at + _ADVANCE[op]], "little"))
            return at + _ADVANCE[op]
        if op == 0x0A:
            self._remembered.append((self._register, self._offset))
            return at
        if op == 0x0B:
            self._register, self._offset = self._remembered.pop()
            return at
        if op in (0x0C, 0x0D, 0x0E, 0x0F, 0x12, 0x13):
            return self._define(code, op, at)
        return _skip(code, _OPERANDS[op], at)

    def _define(self, code: bytes, op: int, at: int) -> int:
        """def_cfa, _register, _offset, _expression, _sf, _offset_sf."""
        if op == 0x0F:
            self._register = None
            return _skip(code, "b", at)
        if op in (0x0C, 0x0D, 0x12):
            self._register, at = uleb(code, at)
        if op in (0x0C, 0x0E):
            self._offset, at = uleb(code, at)
        elif op in (0x12, 0x13):
            offset, at = sleb(code, at)
            self._offset = offset * self._cie.data_factor
        return at


def _skip(code: bytes, operands: str, at: int) -> int:
    for kind in operands:
        number, at = sleb(code, at) if kind == "s" else uleb(code, at)
        if kind == "b":
            at += number
    return at
