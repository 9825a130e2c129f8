"""Whether what an ELF takes is there: regions against their lengths, and against the chip."""

from __future__ import annotations

from collections.abc import Iterator

from boardless.project.regions import Region
from boardless.size.measure import ELSEWHERE, Measurement
from boardless.size.regions import overrun

# What may hang on a bus is no memory of the chip (DDI 0403E, B3.1: external RAM and devices).
_EXTERNAL = range(0x6000_0000, 0xE000_0000)


def region_problem(measurement: Measurement, name: str, is_held: bool) -> str:
    """Why a region's figure cannot be right on the chip; empty where it can."""
    if name == ELSEWHERE:
        return _elsewhere(measurement)
    region = next(region for region in measurement.placed_in if region.name == name)
    found = [*_against_chip(measurement, region), *_against_length(measurement, region)]
    if is_held and region.kind == "flash" and not measurement.regions[name]:
        found.append("nothing is loaded there, nothing was measured")
    return "; ".join(found)


def basis_notes(measurement: Measurement) -> Iterator[str]:
    """Where the regions come from, unless they are a chip's."""
    memories = measurement.memories
    if memories.basis and not memories.chip:
        yield f"regions: {memories.basis}"


def _elsewhere(measurement: Measurement) -> str:
    where = measurement.basis if measurement.memories.chip else "every region"
    return f"outside of {where}: say where with [budget.region.NAME] kind, origin, length"


def _against_length(measurement: Measurement, region: Region) -> Iterator[str]:
    """A length is a ceiling; one that was only found in the ELF is none."""
    if not measurement.memories.have_ends:
        return
    over = overrun(region, measurement.layout)
    if over > 0:
        yield f"{over:,} bytes lie beyond its end at {region.end:#010x} ({region.length:,} bytes)"


def _against_chip(measurement: Measurement, region: Region) -> Iterator[str]:
    chip = measurement.memories.chip
    if not chip or region in chip or region.origin in _EXTERNAL:
        return
    memory = next((memory for memory in chip if memory.holds(region.origin)), None)
    if memory is None:
        yield f"{measurement.basis} has no memory at {region.origin:#010x}"
    elif region.end > memory.end:
        yield (
            f"{region.length:,} bytes from {region.origin:#010x}, the {memory.name} of "
            f"{measurement.basis} ends at {memory.end:#010x}"
        )
