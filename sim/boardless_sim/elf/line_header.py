"""The header of one DWARF 2 to 5 line program: how it counts, and the names of its files."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from posixpath import isabs, join, normpath

from boardless_sim.elf.leb import uleb
from boardless_sim.elf.symbols import text_at

_PATH, _FOLDER = 1, 2
_FIXED = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}
_LINE_STRP, _STRP, _STRING, _BLOCK, _UDATA = 0x1F, 0x0E, 0x08, 0x09, 0x0F


@dataclass(frozen=True)
class Strings:
    """The two sections that names may lie in."""

    line: bytes
    common: bytes


@dataclass(frozen=True)
class LineHeader:
    """Where the program starts and ends, its constants, and its files by number."""

    program: int
    end: int
    step: int
    line_base: int
    line_range: int
    opcode_base: int
    operands: bytes
    files: tuple[str, ...]


def read_header(data: bytes, at: int, strings: Strings) -> LineHeader:
    """The header at a place. Raises `ValueError`, `IndexError`, `struct.error` on damage."""
    (length,) = struct.unpack_from("<I", data, at)
    if length >= 0xFFFF_FFF0:
        raise ValueError(f"unit of {length:#x} bytes, expected 32-bit DWARF")
    at += 4
    end = at + length
    if end > len(data):
        raise ValueError(f"unit ends at {end}, section has {len(data)} bytes")
    (version,) = struct.unpack_from("<H", data, at)
    if not 2 <= version <= 5:
        raise ValueError(f"line table of DWARF {version}, expected 2 to 5")
    at += 4 if version == 5 else 2
    (header_length,) = struct.unpack_from("<I", data, at)
    at += 4
    program = at + header_length
    step = data[at]
    at += 2 if version >= 4 else 1
    (line_base,) = struct.unpack_from("<b", data, at + 1)
    line_range, opcode_base = data[at + 2], data[at + 3]
    if not line_range or not opcode_base:
        raise ValueError(f"line range {line_range}, opcode base {opcode_base}, expected over 0")
    operands = data[at + 4 : at + 3 + opcode_base]
    at += 3 + opcode_base
    files = _files_5(data, at, strings) if version == 5 else _files_2(data, at)
    return LineHeader(program, end, step, line_base, line_range, opcode_base, operands, files)


def _files_2(data: bytes, at: int) -> tuple[str, ...]:
    folders, files = [""], [""]
    while data[at]:
        end = data.index(0, at)
        folders.append(text_at(data, at))
        at = end + 1
    at += 1
    while data[at]:
        end = data.index(0, at)
        name = text_at(data, at)
        folder, at = uleb(data, end + 1)
        _, at = uleb(data, at)
        _, at = uleb(data, at)
        files.append(_joined("", folders, folder, name))
    return tuple(files)


def _files_5(data: bytes, at: int, strings: Strings) -> tuple[str, ...]:
    rows, at = _table(data, at, strings)
    folders = [str(row.get(_PATH, "")) for row in rows]
    base = folders[0] if folders else ""
    rows, _ = _table(data, at, strings)
    return tuple(
        _joined(base, folders, int(row.get(_FOLDER, 0)), str(row.get(_PATH, ""))) for row in rows
    )


def _joined(base: str, folders: list[str], folder: int, name: str) -> str:
    if isabs(name):
        return normpath(name)
    found = folders[folder] if folder < len(folders) else ""
    return normpath(join(base, found, name))


def _table(data: bytes, at: int, strings: Strings) -> tuple[list[dict[int, int | str]], int]:
    columns = []
    count = data[at]
    at += 1
    for _ in range(count):
        content, at = uleb(data, at)
        form, at = uleb(data, at)
        columns.append((content, form))
    count, at = uleb(data, at)
    if count > (len(data) - at if columns else 0):
        raise ValueError(f"{count} entries in {len(data) - at} bytes")
    rows = []
    for _ in range(count):
        row: dict[int, int | str] = {}
        for content, form in columns:
            row[content], at = _value(data, at, form, strings)
        rows.append(row)
    return rows, at


def _value(data: bytes, at: int, form: int, strings: Strings) -> tuple[int | str, int]:
    if form in (_LINE_STRP, _STRP):
        (offset,) = struct.unpack_from("<I", data, at)
        return text_at(strings.line if form == _LINE_STRP else strings.common, offset), at + 4
    if form == _STRING:
        return text_at(data, at), data.index(0, at) + 1
    if form == _UDATA:
        return uleb(data, at)
    if form == _BLOCK:
        size, at = uleb(data, at)
        return 0, at + size
    if form in _FIXED:
        end = at + _FIXED[form]
        if end > len(data):
            raise ValueError(f"a value ends at {end}, section has {len(data)} bytes")
        return int.from_bytes(data[at:end], "little"), end
    raise ValueError(f"form {form:#x} in a line table")
