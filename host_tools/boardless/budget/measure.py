"""An ELF's sizes, as they will lie in the chip's memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from boardless.budget.elf import Layout, Section, read_layout
from boardless.config import Config, Region

ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Measurement:
    """What was found. The bytes of a region contain its alignment padding.

    `static_ram` is what data takes in RAM before the first function runs; the stack's section is
    not in it but in `reserved_stack`.
    """

    layout: Layout
    regions: Mapping[str, int]
    static_ram: int
    reserved_stack: int

    def symbol_bytes(self, patterns: Iterable[str]) -> int | None:
        """Bytes under the symbols that match; None where none does. Aliases count once."""
        found = [
            (symbol.address, symbol.address + symbol.size)
            for symbol in self.layout.symbols
            if _matches(symbol.name, patterns)
        ]
        return union_bytes(found) if found else None

    def section_bytes(self, patterns: Iterable[str]) -> int | None:
        """Bytes of the allocated sections that match; None where none does."""
        found = [
            section.size for section in self.layout.sections if _matches(section.name, patterns)
        ]
        return sum(found) if found else None


def measure(image_path: Path, config: Config) -> Measurement:
    """Read an ELF and place its sections into the chip's regions. Raises `ImageError`."""
    layout = read_layout(image_path)
    flash = [region for region in config.regions if region.kind == "flash"]
    in_ram = [section for section in layout.sections if _takes_ram(section, flash)]
    stack = [section for section in in_ram if section.name in config.stack_sections]
    return Measurement(
        layout=layout,
        regions=_regions(layout, in_ram, config.regions),
        static_ram=sum(section.size for section in in_ram if section not in stack),
        reserved_stack=sum(section.size for section in stack),
    )


def union_bytes(intervals: Iterable[tuple[int, int]]) -> int:
    """How many addresses lie in at least one of the intervals [start, end)."""
    total = covered_to = 0
    for start, end in sorted(intervals):
        total += max(0, end - max(start, covered_to))
        covered_to = max(covered_to, end)
    return total


def _takes_ram(section: Section, flash: list[Region]) -> bool:
    """Zeroed at start-up, copied out of Flash by it, or loaded there directly."""
    return not any(region.holds(section.address) for region in flash)


def _regions(layout: Layout, in_ram: list[Section], regions: tuple[Region, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for region in regions:
        if region.kind == "flash":
            images = [s for s in layout.sections if s.is_loaded and region.holds(s.load_address)]
            found[region.name] = image_bytes(images)
        else:
            found[region.name] = _padded_bytes([s for s in in_ram if region.holds(s.address)])
    lost = sum(section.size for section in layout.sections if not _is_placed(section, regions))
    return {**found, ELSEWHERE: lost} if lost else found


def _is_placed(section: Section, regions: tuple[Region, ...]) -> bool:
    addresses = {section.address, section.load_address}
    return all(any(region.holds(address) for region in regions) for address in addresses)


def image_bytes(sections: Iterable[Section]) -> int:
    """First to last loaded byte: the length that `objcopy -O binary` gives the image."""
    ends = [(s.load_address, s.load_address + s.size) for s in sections if s.is_loaded and s.size]
    return max(end for _, end in ends) - min(start for start, _ in ends) if ends else 0


def _padded_bytes(sections: list[Section]) -> int:
    """Sizes, plus the gaps that alignment alone explains; a stack pinned to the end leaves none."""
    total, covered_to = 0, None
    for section in sorted(sections, key=lambda section: (section.address, section.size)):
        start, end = section.address, section.address + section.size
        if covered_to is not None and 0 < start - covered_to < section.align:
            start = covered_to
        total += max(0, end - max(start, covered_to or 0))
        covered_to = max(end, covered_to or 0)
    return total


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
