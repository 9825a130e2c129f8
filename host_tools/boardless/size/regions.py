"""Sections in the chip's regions: how many bytes each region takes, padding included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from boardless.project.config import Config
from boardless.project.regions import Region
from boardless_sim.elf.layout import Layout, Section

ELSEWHERE = "elsewhere"
# The architecture's own map: code and external memory may hold an image, SRAM and the rest not.
_CODE_END, _SRAM_END = 0x2000_0000, 0x4000_0000
_EXTERNAL = (0x6000_0000, 0xA000_0000)
_APART = 16 << 20


def regions_of(layout: Layout, config: Config) -> tuple[tuple[Region, ...], str]:
    """The regions to measure by, and where they come from.

    Without a region of its own in the file, and without one byte in the STM32F407's Flash, the
    program headers say where Flash and RAM are.
    """
    if config.declares_regions:
        return config.regions, str(config.path)
    flash = [region for region in config.regions if region.kind == "flash"]
    if not flash or any(_in_any(section.load_address, flash) for section in _images(layout)):
        return config.regions, "STM32F407VG"
    return tuple(_derived(layout)), "the ELF's program headers"


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


def ram_sections(layout: Layout, regions: Iterable[Region]) -> list[Section]:
    """Zeroed at start-up, copied out of Flash by it, or loaded there directly."""
    flash = [region for region in regions if region.kind == "flash"]
    return [section for section in layout.sections if not _in_any(section.address, flash)]


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
    """Flash where loaded bytes lie in code or external memory, RAM where anything runs in SRAM."""
    loads = [(s.load_address, s.load_address + s.size) for s in _images(layout)]
    runs = [(s.address, s.end) for s in layout.sections if s.size]
    code = [load for load in loads if load[0] < _CODE_END or _is_external(load[0])]
    sram = [run for run in runs if _CODE_END <= run[0] < _SRAM_END]
    yield from _named("FLASH", "flash", _clusters(code))
    yield from _named("RAM", "ram", _clusters(sram))


def _is_external(address: int) -> bool:
    return _EXTERNAL[0] <= address < _EXTERNAL[1]


def _named(name: str, kind: str, clusters: list[tuple[int, int]]) -> Iterator[Region]:
    """The largest under the plain name, the others with their address."""
    clusters.sort(key=lambda cluster: (cluster[0] - cluster[1], cluster[0]))
    for number, (start, end) in enumerate(clusters):
        label = f"{name}@{start:#010x}" if number else name
        yield Region(label, "flash" if kind == "flash" else "ram", start, end - start)


def _clusters(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that lie further apart than one memory's address range."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if found and start // _APART == found[-1][0] // _APART:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
