"""Sections in the chip's regions: how many bytes each region takes, padding included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from boardless.project.chip import DEFAULT_CHIP, chip_regions, is_shown
from boardless.project.config import Config
from boardless.project.regions import Region
from boardless_sim.elf.layout import Layout, Section

ELSEWHERE = "elsewhere"
# The architecture's own map (DDI 0403E, B3.1): only RAM is here.
_SRAM = range(0x2000_0000, 0x4000_0000)
# Further apart, what is loaded is of two memories: the second bank of an STM32H743 lies 1 MB behind
# the first. What runs in RAM is told apart by its address's upper byte: TCM, CCM, SRAM.
_BANKS_APART, _MEMORIES_APART = 512 << 10, 16 << 20


@dataclass(frozen=True)
class Memories:
    """The regions that an ELF is measured by, and where they come from.

    `chip`: what the chip has, empty where nobody says which it is; `is_supposed` where the file
    does not. `have_ends`: a region's length is the memory's; else it is only as long as what was
    found in it.
    """

    regions: tuple[Region, ...]
    basis: str
    chip: tuple[Region, ...] = ()
    is_supposed: bool = False
    have_ends: bool = True


def memories_of(layout: Layout, config: Config) -> Memories:
    """The chip's regions with what the file declares; without either those that the ELF fits.

    An ELF that starts nowhere but in the virtual board's own chip is taken for that chip's. Else
    the program headers say where Flash and RAM are.
    """
    if config.chip is not None:
        chip = chip_regions(config.chip)
        return Memories(_used(config.regions, layout), config.chip.upper(), chip)
    if config.declares_regions:
        used = (r for r in config.spare_regions if _is_used(r, layout))
        return Memories((*config.regions, *used), str(config.path))
    regions = config.regions
    if all(_starts_in(section, regions) for section in layout.sections if section.size):
        return Memories(_used(regions, layout), DEFAULT_CHIP.upper(), regions, is_supposed=True)
    return Memories(tuple(_derived(layout)), "the ELF's program headers", have_ends=False)


def _used(regions: Iterable[Region], layout: Layout) -> tuple[Region, ...]:
    return tuple(region for region in regions if is_shown(region) or _is_used(region, layout))


def _is_used(region: Region, layout: Layout) -> bool:
    return any(
        section.size and region.holds(place)
        for section in layout.sections
        for place in _places(section)
    )


def _starts_in(section: Section, regions: Sequence[Region]) -> bool:
    places = (section.address, section.load_address) if section.is_loaded else (section.address,)
    return all(_in_any(place, regions) for place in places)


def region_bytes(layout: Layout, regions: Sequence[Region]) -> dict[str, int]:
    """Bytes of every region, and of what lies in none."""
    flash = [region for region in regions if region.kind == "flash"]
    in_ram = ram_sections(layout, regions)
    found: dict[str, int] = {}
    for region in regions:
        if region.kind == "flash":
            images = [s for s in _images(layout) if region.holds(s.load_address)]
            found[region.name] = image_bytes(images)
        else:
            found[region.name] = padded_bytes([s for s in in_ram if region.holds(s.address)])
    lost = sum(s.size for s in layout.sections if not _is_placed(s, regions, flash))
    return {**found, ELSEWHERE: lost} if lost else found


def ram_sections(layout: Layout, regions: Sequence[Region]) -> list[Section]:
    """Zeroed at start-up, copied out of Flash by it, or loaded there directly."""
    return [section for section in layout.sections if _is_in_ram(section, regions)]


def _is_in_ram(section: Section, regions: Sequence[Region]) -> bool:
    """By the region that holds it; outside of them all by what can be written.

    What is loaded where it runs and is never written may lie in any Flash: a second bank, QSPI.
    """
    region = next((region for region in regions if region.holds(section.address)), None)
    if region is not None:
        return region.kind == "ram"
    if section.address in _SRAM or not section.is_loaded:
        return True
    return section.is_writable or section.load_address != section.address


def overrun(region: Region, layout: Layout) -> int:
    """Bytes that lie beyond a region's end, of sections that start in it."""
    starts = [
        (place, section.size)
        for section in layout.sections
        for place in _places(section)
        if section.size and region.holds(place)
    ]
    return max((start + size - region.end for start, size in starts), default=0)


def _places(section: Section) -> Iterator[int]:
    """Where a section takes room: where it runs, and where it is loaded from."""
    yield section.address
    if section.is_loaded and section.load_address != section.address:
        yield section.load_address


def image_bytes(sections: Iterable[Section]) -> int:
    """First to last loaded byte: the length that `objcopy -O binary` gives the image."""
    ends = [(s.load_address, s.load_address + s.size) for s in sections if s.is_loaded and s.size]
    return max(end for _, end in ends) - min(start for start, _ in ends) if ends else 0


def padded_bytes(sections: Iterable[Section]) -> int:
    """Sizes, plus the gaps that alignment alone explains; a stack pinned to the end leaves none."""
    total, covered_to = 0, None
    for section in sorted(sections, key=lambda section: (section.address, section.size)):
        start, end = section.address, section.end
        if covered_to is not None and 0 < start - covered_to < section.align:
            start = covered_to
        total += max(0, end - max(start, covered_to or 0))
        covered_to = max(end, covered_to or 0)
    return total


def _images(layout: Layout) -> Iterator[Section]:
    return (section for section in layout.sections if section.is_loaded and section.size)


def _in_any(address: int, regions: Iterable[Region]) -> bool:
    return any(region.holds(address) for region in regions)


def _is_placed(section: Section, regions: Sequence[Region], flash: Sequence[Region]) -> bool:
    """A section that is not loaded has no load address that counts."""
    if not section.is_loaded or not section.size:
        return not section.size or _in_any(section.address, regions)
    return _in_any(section.address, regions) and _in_any(section.load_address, regions)


def _derived(layout: Layout) -> Iterator[Region]:
    """RAM where anything runs that is written or copied, Flash where the rest is loaded."""
    in_ram = ram_sections(layout, ())
    runs = [(section.address, section.end) for section in in_ram if section.size]
    loads = [
        (section.load_address, section.load_address + section.size)
        for section in _images(layout)
        if section not in in_ram or section.load_address != section.address
    ]
    flash = [load for load in loads if load[0] not in _SRAM]
    yield from _named("FLASH", "flash", _clusters(flash, _BANKS_APART))
    yield from _named("RAM", "ram", _clusters(runs, _MEMORIES_APART))


def _named(name: str, kind: str, clusters: list[tuple[int, int]]) -> Iterator[Region]:
    """The largest under the plain name, the others with their address."""
    clusters.sort(key=lambda cluster: (cluster[0] - cluster[1], cluster[0]))
    for number, (start, end) in enumerate(clusters):
        label = f"{name}@{start:#010x}" if number else name
        yield Region(label, "flash" if kind == "flash" else "ram", start, end - start)


def _clusters(intervals: list[tuple[int, int]], apart: int) -> list[tuple[int, int]]:
    """Stretches with gaps of less than `apart` in one memory's range of addresses."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        is_near = found and start - found[-1][1] < apart
        if is_near and start // _MEMORIES_APART == found[-1][0] // _MEMORIES_APART:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
