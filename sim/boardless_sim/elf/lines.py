"""Line tables, DWARF 2 to 5, decoded by hand: which source file and line an address comes from."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from boardless_sim.elf.file import ElfFile
from boardless_sim.elf.leb import sleb, uleb
from boardless_sim.elf.line_header import LineHeader, Strings, read_header
from boardless_sim.elf.symbols import FUNCTION
from boardless_sim.errors import ImageError

_MASK = 0xFFFF_FFFF
_MAX_ROWS = 8_000_000
_PLAIN = (6, 7, 10, 11)  # statement, block, prologue and epilogue marks: none has an operand
NO_FILE = 0
_TOMBSTONES = (0, _MASK, _MASK - 1)


@dataclass
class LineTable:
    """Rows sorted by address; a row holds up to the next. File 0 is no file: a sequence's end.

    `problem` says why a table is missing or was given up; it is then empty.
    """

    files: list[str] = field(default_factory=lambda: [""])
    starts: array[int] = field(default_factory=lambda: array("I"))
    file_of: array[int] = field(default_factory=lambda: array("I"))
    line_of: array[int] = field(default_factory=lambda: array("I"))
    problem: str = ""

    def where(self, address: int) -> tuple[str, int] | None:
        """The file and line of an address."""
        place = bisect_right(self.starts, address) - 1
        if place < 0 or self.file_of[place] == NO_FILE:
            return None
        return self.files[self.file_of[place]], self.line_of[place]

    def ranges(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, file number), neighbours of one file joined."""
        begin = last = NO_FILE
        for address, file in zip(self.starts, self.file_of, strict=True):
            if file != last:
                if last != NO_FILE and begin < address:
                    yield begin, address, last
                begin, last = address, file


def read_lines(elf: ElfFile) -> LineTable:
    """Every line program of an ELF. What the linker threw away (at 0) is left out."""
    try:
        functions_at_zero = any(
            symbol.kind == FUNCTION and not symbol.address and symbol.size for symbol in elf.symbols
        )
        data = elf.data(".debug_line")
        if not data:
            return LineTable(problem="no line table (.debug_line)")
        strings = Strings(elf.data(".debug_line_str"), elf.data(".debug_str"))
        return _Decoder(data, strings, functions_at_zero).table()
    except (ImageError, ValueError, IndexError, struct.error) as error:
        return LineTable(problem=f"line table is damaged ({error})")


class _Decoder:
    def __init__(self, data: bytes, strings: Strings, functions_at_zero: bool) -> None:
        self._data = data
        self._strings = strings
        self._dead = _TOMBSTONES[1:] if functions_at_zero else _TOMBSTONES
        self._numbers: dict[str, int] = {"": NO_FILE}
        self._sequences: list[tuple[int, array[int], array[int], array[int]]] = []
        self._count = 0

    def table(self) -> LineTable:
        at = 0
        while at < len(self._data):
            header = read_header(self._data, at, self._strings)
            self._run(header)
            at = header.end
        found = LineTable(list(self._numbers))
        for _, starts, files, lines in sorted(self._sequences, key=lambda each: each[0]):
            found.starts += starts
            found.file_of += files
            found.line_of += lines
        return found

    def _run(self, header: LineHeader) -> None:  # noqa: C901 - one instruction a branch
        data, at, end = self._data, header.program, header.end
        base, step, line_range = header.opcode_base, header.step, header.line_range
        jump = (255 - base) // line_range * step
        # what a special opcode adds, worked out once
        moves = [
            ((code - base) // line_range * step, header.line_base + (code - base) % line_range)
            for code in range(256)
        ]
        numbers = [self._number(name) for name in header.files]
        address, file, line = 0, 1, 1
        rows: list[tuple[int, int, int]] = []
        while at < end:
            code = data[at]
            at += 1
            if code >= base:
                forward, down = moves[code]
                address += forward
                line += down
                rows.append((address, file, line))
            elif code == 1:
                rows.append((address, file, line))
            elif code == 5:
                while data[at] > 127:
                    at += 1
                at += 1
            elif code == 3:
                value = data[at]
                at += 1
                if value > 127:
                    value, at = sleb(data, at - 1)
                elif value > 63:
                    value -= 128
                line += value
            elif code == 2:
                value, at = uleb(data, at)
                address += value * step
            elif code == 4:
                file, at = uleb(data, at)
            elif code in _PLAIN:
                pass
            elif code == 8:
                address += jump
            elif code == 9:
                address += data[at] | data[at + 1] << 8
                at += 2
            elif code == 0:
                size, at = uleb(data, at)
                if not size or at + size > end:
                    raise ValueError(f"an extended instruction of {size} bytes at {at}")
                if data[at] == 2:
                    address = int.from_bytes(data[at + 1 : at + size], "little")
                elif data[at] == 1:
                    self._keep(rows, address, numbers)
                    address, file, line, rows = 0, 1, 1, []
                at += size
            else:
                for _ in range(header.operands[code - 1]):
                    _, at = uleb(data, at)

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _keep(self, rows: list[tuple[int, int, int]], end: int, numbers: list[int]) -> None:
        """One sequence: a function's rows, or a whole section's."""
        self._count += len(rows) + 1
        if self._count > _MAX_ROWS:
            raise ValueError(f"over {_MAX_ROWS} rows")
        if not rows or rows[0][0] in self._dead:
            return
        files = len(numbers)
        starts = array("I", [address & _MASK for address, _, _ in rows])
        chosen = array("I", [numbers[f] if f < files else NO_FILE for _, f, _ in rows])
        lines = array("I", [line & _MASK for _, _, line in rows])
        starts.append(end & _MASK)
        chosen.append(NO_FILE)
        lines.append(0)
        self._sequences.append((starts[0], starts, chosen, lines))
