"""Every byte of a region belongs to one symbol, or to the rest of a section, or is padding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from boardless.project.regions import Region
from boardless.size.regions import ram_sections
from boardless_sim.elf.layout import Layout, Section, SizedSymbol
from boardless_sim.errors import AnalyserError

PartKind = Literal["symbol", "rest", "padding"]


@dataclass(frozen=True)
class AttributedBytes:
    """Some bytes of a region and what they are.

    `rest` is what no symbol claims: literals, strings without a name, alignment inside a section.
    """

    region: str
    section: str
    kind: PartKind
    name: str
    bytes: int
    address: int
    file: str = ""


def attribute(
    layout: Layout, regions: Sequence[Region], totals: Mapping[str, int]
) -> tuple[AttributedBytes, ...]:
    """All parts of all regions. Raises `AnalyserError` where they do not add up to the totals."""
    by_section = _symbols_by_section(layout)
    in_ram = {id(section) for section in ram_sections(layout, regions)}
    parts: list[AttributedBytes] = []
    for region in regions:
        found = list(_region(region, layout.sections, in_ram, by_section))
        total, expected = sum(part.bytes for part in found), totals[region.name]
        if total != expected:
            raise AnalyserError(
                f"{layout.path}: the parts of {region.name} are {total} bytes, the region has "
                f"{expected}: a measurement that does not close"
            )
        parts += found
    return tuple(parts)


def _symbols_by_section(layout: Layout) -> Mapping[int, list[SizedSymbol]]:
    """Symbols by the section that they are in, aliases behind the name that counts."""
    found: dict[int, list[SizedSymbol]] = defaultdict(list)
    for symbol in layout.symbols:
        if symbol.size and symbol.section is not None:
            found[id(layout.sections[symbol.section])].append(symbol)
    for symbols in found.values():
        symbols.sort(key=_precedence)
    return found


def _precedence(symbol: SizedSymbol) -> tuple[int, int, int, str]:
    """By address; of two names for the same bytes the longest, the strong one, then by name."""
    order = ("global", "local", "weak").index(symbol.binding)
    return (symbol.address, -symbol.size, order, symbol.name)


def _region(
    region: Region,
    sections: Iterable[Section],
    in_ram: set[int],
    by_section: Mapping[int, list[SizedSymbol]],
) -> Iterator[AttributedBytes]:
    is_flash = region.kind == "flash"
    covered_to: int | None = None
    for start, section in sorted(_placed(region, sections, in_ram), key=lambda each: each[0]):
        end = start + section.size
        if covered_to is not None:
            gap = start - covered_to
            if gap > 0 and (is_flash or gap < section.align):
                yield AttributedBytes(
                    region.name, section.name, "padding", "(padding)", gap, covered_to
                )
            start = max(start, covered_to)
        covered_to = max(end, covered_to or 0)
        if start < end:
            offset = section.load_address - section.address if is_flash else 0
            symbols = by_section.get(id(section), [])
            yield from _inside(region.name, section, start - offset, end - offset, symbols)


def _placed(
    region: Region, sections: Iterable[Section], in_ram: set[int]
) -> Iterator[tuple[int, Section]]:
    for section in sections:
        if not section.size:
            continue
        if region.kind == "flash" and section.is_loaded and region.holds(section.load_address):
            yield section.load_address, section
        if region.kind == "ram" and id(section) in in_ram and region.holds(section.address):
            yield section.address, section


def _inside(
    region: str, section: Section, start: int, end: int, symbols: Iterable[SizedSymbol]
) -> Iterator[AttributedBytes]:
    rest, covered_to = 0, start
    for symbol in symbols:
        first = max(symbol.address, covered_to)
        last = min(symbol.address + symbol.size, end)
        if first >= last:
            continue
        rest += first - covered_to
        covered_to = last
        yield AttributedBytes(
            region, section.name, "symbol", symbol.name, last - first, first, symbol.file
        )
    rest += end - covered_to
    if rest:
        yield AttributedBytes(region, section.name, "rest", "(no symbol)", rest, start)
