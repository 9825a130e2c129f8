"""Whether a chip has the memory that an image was linked for."""

from __future__ import annotations

from boardless_sim.chips.chip import Chip, MemoryArea
from boardless_sim.chips.families import fitting
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.errors import ImageError


def require_room(chip: Chip, image: FirmwareImage) -> None:
    """Raises `ImageError` with what does not fit and what the chip has."""
    flash = [area for area in chip.memories if area.waits]
    ram = [area for area in chip.memories if area.writable]
    for segment in image.segments:
        if not _holds(flash, segment.load_address, segment.load_end):
            found = f"{len(segment.data)} bytes at {segment.load_address:#010x}"
            raise _refusal(chip, image, found, flash)
    if not _holds(ram, image.initial_sp - 4, image.initial_sp):
        found = f"initial stack pointer {image.initial_sp:#010x}"
        raise _refusal(chip, image, found, ram)


def _refusal(chip: Chip, image: FirmwareImage, found: str, areas: list[MemoryArea]) -> ImageError:
    has = f"{chip.name} has {_list(areas)}"
    return ImageError(f"{image.path}: {found}, {has}; {fitting(image)} ([board] chip, --chip)")


def _holds(areas: list[MemoryArea], start: int, end: int) -> bool:
    return any(area.base <= start and end <= area.base + area.size for area in areas)


def _list(areas: list[MemoryArea]) -> str:
    return ", ".join(f"{a.name} {a.base:#010x}-{a.base + a.size - 1:#010x}" for a in areas)
