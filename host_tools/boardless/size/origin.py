"""Where an image's bytes come from: source files by the line tables, archives by the linker map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from boardless_sim.elf.intervals import Interval, common, touches, union
from boardless_sim.elf.layout import Layout
from boardless_sim.elf.lines import LineTable
from boardless_sim.elf.linker_map import Placed


@dataclass(frozen=True)
class Origin:
    """Addresses by the name of what they come from. `problem`: why there are none."""

    addresses: Mapping[str, Sequence[Interval]]
    problem: str = ""

    def bytes_of(self, patterns: Iterable[str]) -> int | None:
        """Bytes under the names that match; None where none does. An address counts once."""
        wanted = tuple(patterns)
        names = [name for name in self.addresses if matches_path(name, wanted)]
        if not names:
            return None
        found = union(interval for name in names for interval in self.addresses[name])
        return sum(end - start for start, end in found)


def matches_path(name: str, patterns: Iterable[str]) -> bool:
    """Whether a path, or its end behind a folder, is what a pattern means."""
    return any(
        fnmatchcase(name, pattern) or fnmatchcase(name, f"*/{pattern}") for pattern in patterns
    )


def sources(layout: Layout, lines: LineTable, objects: Sequence[Placed]) -> Origin:
    """Code by its line table; data by the file that its symbol or its object names."""
    if lines.problem:
        return Origin({}, lines.problem)
    placed = union((s.address, s.end) for s in layout.sections)
    found: dict[str, list[Interval]] = defaultdict(list)
    taken: list[Interval] = []
    covered_to = 0
    for start, end, file in sorted(lines.ranges()):
        start, covered_to = max(start, covered_to), max(end, covered_to)
        if start < end:
            found[lines.files[file]].append((start, end))
            taken.append((start, end))
    for name, interval in _data(layout, list(found), lines, objects, union(taken)):
        found[name].append(interval)
    kept = {name: common(union(intervals), placed) for name, intervals in found.items()}
    return Origin({name: intervals for name, intervals in kept.items() if intervals})


def archives(layout: Layout, objects: Sequence[Placed], problem: str) -> Origin:
    """Every object and archive, and every member of one, by the names that a budget may use."""
    if problem:
        return Origin({}, problem)
    placed = union((s.address, s.end) for s in layout.sections)
    found: dict[str, list[Interval]] = defaultdict(list)
    for each in objects:
        found[each.path].append((each.start, each.end))
        if each.member:
            found[f"{each.path}({each.member})"].append((each.start, each.end))
    kept = {name: common(union(intervals), placed) for name, intervals in found.items()}
    return Origin({name: intervals for name, intervals in kept.items() if intervals})


def _data(
    layout: Layout,
    files: Sequence[str],
    lines: LineTable,
    objects: Sequence[Placed],
    code: Sequence[Interval],
) -> list[tuple[str, Interval]]:
    """Objects that no line stands for: of a file whose name is told, where only one has it."""
    named: dict[str, str] = {}
    for file in files:
        short = file.rsplit("/", 1)[-1]
        named[short] = "" if short in named else file
    found = [
        (named[symbol.file], (symbol.address, symbol.address + symbol.size))
        for symbol in layout.symbols
        if symbol.size and not symbol.is_function and named.get(symbol.file)
    ]
    source_of = _object_sources(lines, objects)
    found += [
        (source_of[each.path, each.member], (each.start, each.end))
        for each in objects
        if (each.path, each.member) in source_of and not touches(code, each.start, each.end)
    ]
    return _once(found)


def _once(found: list[tuple[str, Interval]]) -> list[tuple[str, Interval]]:
    kept, covered_to = [], 0
    for name, (start, end) in sorted(found, key=lambda each: each[1]):
        start = max(start, covered_to)
        if start < end:
            kept.append((name, (start, end)))
            covered_to = end
    return kept


def _object_sources(lines: LineTable, objects: Sequence[Placed]) -> Mapping[tuple[str, str], str]:
    """An object's source: the file that the first line of its code is of."""
    found: dict[tuple[str, str], str] = {}
    for each in objects:
        where = lines.where(each.start)
        if where is not None:
            found.setdefault((each.path, each.member), where[0])
    return found
