"""`[board] chip`: the part whose memories the regions are, and are held to."""

from __future__ import annotations

from boardless.project.regions import Region, RegionKind
from boardless.project.toml_table import TomlTable
from boardless_sim.boards.plan import DEFAULT_CHIP
from boardless_sim.chips.catalog import load_facts
from boardless_sim.errors import BoardError

__all__ = ["DEFAULT_CHIP", "chip_regions", "is_shown", "read_chip"]

_NAMES = {"flash": "FLASH", "ccm": "CCM", "backup": "BACKUP"}
_SHOWN = ("FLASH", "RAM", "CCM")  # the others only where something lies in them


def read_chip(board: TomlTable) -> str | None:
    """The part's name, checked; None where the file has none. Raises `ConfigError`."""
    part = board.text("chip")
    if part is not None:
        try:
            chip_regions(part)
        except BoardError as error:
            raise board.error(f"chip: {error}; any other chip: [budget.region.NAME]") from None
    return part


def chip_regions(part: str) -> tuple[Region, ...]:
    """A part's memories as regions; SRAMs that follow each other are one. Raises `BoardError`."""
    found: dict[str, Region] = {}
    for memory, (base, size) in sorted(load_facts(part).memories.items(), key=lambda item: item[1]):
        name = _NAMES.get(memory, "RAM" if memory.startswith("sram") else memory.upper())
        before = found.get(name)
        if before is not None and before.end == base:
            found[name] = Region(name, "ram", before.origin, before.length + size)
        else:
            kind: RegionKind = "flash" if name == "FLASH" else "ram"
            found.setdefault(name, Region(name, kind, base, size))
    shown = [found.pop(name) for name in _SHOWN if name in found]
    return (*shown, *found.values())


def is_shown(region: Region) -> bool:
    """Whether a region has a row though nothing lies in it."""
    return region.name in _SHOWN
