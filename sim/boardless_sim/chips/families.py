"""Which chip a firmware was linked for, where it is none that the board has."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from boardless_sim.chips.catalog import MemoryMap, memories_of_parts
from boardless_sim.elf.image import FirmwareImage

# Where other families have their RCC (the manuals' memory maps): what a firmware touches first.
_RCC = {
    0x4002_1000: "STM32F0, F1, F3, G0, G4, L4 or WB",
    0x5802_4400: "STM32H7",
    0x4402_0C00: "STM32H5",
    0x4602_0C00: "STM32U5",
    0x5800_0000: "STM32WL",
}
_RCC_BYTES = 0x400
_GPIOE = 0x4002_1000
# SRAM that only another family has there: its first byte, its end.
_SRAM = ((0x2400_0000, 0x2420_0000, "STM32H7"), (0x2005_0000, 0x2008_0001, "STM32F7"))
_MOST_NAMED = 6


def fitting_parts(image: FirmwareImage) -> list[str]:
    """Known parts that have the memory for an image."""
    return [part for part, memories in memories_of_parts() if _fits(image, memories)]


def fitting(image: FirmwareImage) -> str:
    """Lines of such parts, or the family that the image is of."""
    lines = dict.fromkeys(part[: len("stm32f407")] for part in fitting_parts(image))
    if lines:
        named = ", ".join(list(lines)[:_MOST_NAMED])
        return f"it fits {named}" + (" and others" if len(lines) > _MOST_NAMED else "")
    family = next((name for low, end, name in _SRAM if low < image.initial_sp <= end), None)
    return f"it is of an {family}" if family else "it fits no known part"


def family_at(address: int) -> str | None:
    """Whose RCC stands at an address; None where it is nobody's."""
    for base, name in _RCC.items():
        if base <= address < base + _RCC_BYTES:
            return name
    return None


def family_by(touched: Collection[str]) -> str | None:
    """Whose RCC a firmware looked for that touched these devices of an STM32F4; None for its own.

    That of the STM32F1 and others is where an STM32F4 has GPIOE, which takes what is written.
    """
    return family_at(_GPIOE) if "GPIOE" in touched and "RCC" not in touched else None


def _fits(image: FirmwareImage, memories: MemoryMap) -> bool:
    flash = memories["flash"]
    joined = [(base, base + size) for base, size in _joined(memories)]
    return all(
        flash[0] <= s.load_address and s.load_end <= flash[0] + flash[1] for s in image.segments
    ) and any(low < image.initial_sp <= end for low, end in joined)


def _joined(memories: MemoryMap) -> Iterator[tuple[int, int]]:
    """The CCM, and the SRAMs as one."""
    srams = [area for name, area in memories.items() if name.startswith("sram")]
    yield min(base for base, _ in srams), sum(size for _, size in srams)
    if "ccm" in memories:
        yield memories["ccm"]
