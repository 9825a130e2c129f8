"""Which lines, branches and functions of a firmware ran, without instrumentation.

The core notes every basic block and the way it is left; the ELF says what lies in them. What the
compiler removed has no code, and counts neither as covered nor as missed. A branch is a conditional
branch instruction; an instruction that an IT block makes conditional is none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from boardless_sim.core.cpu import Cpu
from boardless_sim.core.timing import instructions_of
from boardless_sim.elf.image import FirmwareImage, Symbol
from boardless_sim.elf.lines import LineTable
from boardless_sim.elf.thumb import Branch
from boardless_sim.errors import ImageError

_FELL_THROUGH, _BRANCHED, _RAN = 2, 4, 1


@dataclass(frozen=True)
class BranchCoverage:
    """A conditional branch: whether it was reached, and which of its two ways was taken."""

    ran: bool
    fell_through: bool
    taken: bool

    def __or__(self, other: BranchCoverage) -> BranchCoverage:
        return BranchCoverage(
            self.ran or other.ran,
            self.fell_through or other.fell_through,
            self.taken or other.taken,
        )

    @property
    def ways(self) -> int:
        """How many of the two."""
        return self.fell_through + self.taken


@dataclass
class FileCoverage:
    """One source file's: lines with code; functions by name, with their line; branches by place."""

    lines: dict[int, bool] = field(default_factory=dict)
    functions: dict[str, tuple[int, bool]] = field(default_factory=dict)
    branches: dict[tuple[int, int], BranchCoverage] = field(default_factory=dict)  # line, address

    @property
    def lines_hit(self) -> int:
        """Lines of which some instruction ran."""
        return sum(self.lines.values())

    @property
    def functions_hit(self) -> int:
        """Functions that were entered."""
        return sum(ran for _, ran in self.functions.values())

    @property
    def ways_hit(self) -> int:
        """Of two for each branch."""
        return sum(branch.ways for branch in self.branches.values())


Coverage = Mapping[str, FileCoverage]


def merge(coverages: Iterable[Coverage]) -> Coverage:
    """Of several runs of one ELF: what any of them covered."""
    merged: dict[str, FileCoverage] = {}
    for coverage in coverages:
        for name, found in coverage.items():
            into = merged.setdefault(name, FileCoverage())
            for line, ran in found.lines.items():
                into.lines[line] = into.lines.get(line, False) or ran
            for function, (line, ran) in found.functions.items():
                into.functions[function] = line, into.functions.get(function, (0, False))[1] or ran
            for place, branch in found.branches.items():
                into.branches[place] = into.branches.get(place, branch) | branch
    return dict(sorted(merged.items()))


def measure(cpu: Cpu, image: FirmwareImage) -> Coverage:
    """What ran since `Cpu.cover`. Raises `ImageError` where the ELF has no line table."""
    table = LineTable() if image.elf is None else image.elf.lines
    if not table.starts:
        raise ImageError(
            f"{image.path}: {table.problem or 'no line table'}, expected one: build with -g"
        )
    ran = _Ran(cpu)
    files: dict[str, FileCoverage] = {}
    for function in image.functions:
        _add_function(function, table, ran, files)
        _add_branches(_branches(function, image, cpu), table, ran, files)
    _add_lines(table, image, ran, files)
    return dict(sorted(files.items()))


class _Ran:
    """Addresses that ran, as ranges, and by where a block ends the ways that it was left."""

    def __init__(self, cpu: Cpu) -> None:
        base, memory = cpu.flash
        covered = cpu.covered(base, memory.size)
        self.ways: dict[int, int] = {}
        ranges = []
        for address, size in sorted(cpu.block_sizes().items()):
            flags = covered[(address - base) >> 1] if base <= address < base + memory.size else 0
            if flags & _RAN:
                ranges.append((address, address + size))
                self.ways[address + size] = self.ways.get(address + size, 0) | flags
        self._starts, self._ends = _joined(ranges)

    def any(self, start: int, end: int) -> bool:
        """Whether some instruction from `start` up to `end` ran."""
        at = bisect_right(self._starts, end - 1) - 1
        return at >= 0 and self._ends[at] > start


def _joined(ranges: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in ranges:
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


def _add_function(
    function: Symbol, table: LineTable, ran: _Ran, files: dict[str, FileCoverage]
) -> None:
    address = function.address & ~1
    place = table.where(address)
    if place is not None:
        file = files.setdefault(place[0], FileCoverage())
        file.functions[function.name] = place[1], ran.any(address, address + 2)


def _add_branches(
    branches: Iterable[tuple[int, int]],
    table: LineTable,
    ran: _Ran,
    files: dict[str, FileCoverage],
) -> None:
    for address, size in branches:
        place = table.where(address)
        if place is None:
            continue
        ways = ran.ways.get(address + size, 0)
        files.setdefault(place[0], FileCoverage()).branches[place[1], address] = BranchCoverage(
            ran=ran.any(address, address + 2),
            fell_through=bool(ways & _FELL_THROUGH),
            taken=bool(ways & _BRANCHED),
        )


def _branches(function: Symbol, image: FirmwareImage, cpu: Cpu) -> Iterator[tuple[int, int]]:
    for start, end in _code_of(function, image):
        for offset, instruction in instructions_of(start, cpu.read(start, end - start)):
            if instruction.branch is Branch.CONDITIONAL:
                yield start + offset, instruction.size


def _code_of(function: Symbol, image: FirmwareImage) -> Iterator[tuple[int, int]]:
    """A function without its literal pools, which mapping symbols mark (AAELF32, 5.5.5)."""
    start, end = function.address & ~1, (function.address & ~1) + function.size
    symbols = () if image.elf is None else image.elf.symbols
    marks = sorted((s.value, s.name[1]) for s in symbols if s.name[:2] in ("$t", "$d"))
    is_code = True
    for address, kind in [*marks, (end, "d")]:
        if is_code and start < min(address, end):
            yield start, min(address, end)
        if address >= end:
            return
        is_code, start = kind == "t", max(address, start)


def _add_lines(
    table: LineTable, image: FirmwareImage, ran: _Ran, files: dict[str, FileCoverage]
) -> None:
    code = _joined(sorted((f.address & ~1, (f.address & ~1) + f.size) for f in image.functions))
    ends = [*table.starts[1:], table.starts[-1] + 2]
    for start, end, file, line in zip(
        table.starts, ends, table.file_of, table.line_of, strict=True
    ):
        at = bisect_right(code[0], start) - 1
        if not file or not line or start >= end or at < 0 or start >= code[1][at]:
            continue
        lines = files.setdefault(table.files[file], FileCoverage()).lines
        lines[line] = lines.get(line, False) or ran.any(start, min(end, code[1][at]))
