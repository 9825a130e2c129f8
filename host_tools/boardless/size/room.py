"""What is free below the initial stack pointer: a stack that needs more overwrites variables.

The main stack starts where the first word of the vector table says (DDI 0403E, B1.5.5) and grows
down. Its room is the object that it starts in, or the free memory down to the next section.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from boardless.project.regions import Region
from boardless.size.measure import Measurement
from boardless.size.regions import ram_sections
from boardless_sim.elf.layout import Layout, Section, SizedSymbol

# What linker scripts call the stack's end, where no vector table tells: GCC's and CMSIS's
# templates, armlink, IAR, Rust's cortex-m-rt, RIOT.
_TOPS = (
    *("_estack", "__StackTop", "__stack", "__initial_sp", "__INITIAL_SP", "_stack_top"),
    *("Image$$ARM_LIB_STACK$$ZI$$Limit", "CSTACK$$Limit", "_stack_start", "_estack_top"),
)
_MAX_GUESS = 16 << 20  # further apart, two addresses are of two memories


@dataclass(frozen=True)
class StackRoom:
    """`bytes` that the main stack may take from `top` down, and what lies `below` them.

    `problem`: why it may take none.
    """

    top: int
    bytes: int
    below: str = ""
    problem: str = ""

    def complaint(self, used: int) -> str:
        """Why a stack of so many bytes does not fit; empty where it does."""
        if self.problem:
            return self.problem
        if used <= self.bytes:
            return ""
        return (
            f"{used - self.bytes:,} bytes more than the {self.bytes:,} that are free below "
            f"{self.top:#010x}: they overwrite {self.below}"
        )


def stack_room(measurement: Measurement) -> StackRoom | None:
    """The main stack's room; None where the ELF does not tell where that stack starts."""
    layout, memories = measurement.layout, measurement.memories
    top = initial_sp(layout)
    if top is None:
        return None
    region = next((r for r in memories.regions if r.kind == "ram" and r.holds(top - 1)), None)
    if region is None and memories.chip:
        names = ", ".join(region.name for region in memories.regions if region.kind == "ram")
        problem = f"starts at {top:#010x}, which is in none of {names or 'no region of RAM'}"
        return StackRoom(top, 0, problem=problem)
    holder = _object_at(layout, top)
    if holder is not None:
        return StackRoom(top, top - holder.address, f"what lies below {holder.name}")
    return _down_to_data(measurement, top, region)


def initial_sp(layout: Layout) -> int | None:
    """The first word of the table whose second is the entry point, else the linker's symbol."""
    elf = layout.elf
    for section in elf.sections:
        if section.size < 8 or not section.flags & 2 or section.kind != 1:
            continue
        stack, reset = struct.unpack("<II", elf.data_of(section)[:8])
        if reset == elf.entry | 1 and stack:
            return int(stack) & ~3  # the core does not keep the lowest bits (B1.4.1)
    found = {symbol.name: symbol.value for symbol in elf.symbols}
    return next((found[name] & ~3 for name in _TOPS if found.get(name)), None)


def _object_at(layout: Layout, top: int) -> SizedSymbol | None:
    """The smallest variable that the first push would write into."""
    holding = [
        symbol
        for symbol in layout.symbols
        if symbol.size and not symbol.is_function and symbol.address < top <= _end(symbol)
    ]
    return min(holding, key=lambda symbol: symbol.size, default=None)


def _down_to_data(measurement: Measurement, top: int, region: Region | None) -> StackRoom:
    """Free memory below: as far as the region, or the last byte of what is no stack."""
    lowest = region.origin if region is not None and measurement.memories.have_ends else 0
    floor, name = lowest, f"what lies below {region.name if region is not None else 'RAM'}"
    for end, label in _ends(measurement, top):
        if floor < end and top - end < _MAX_GUESS:
            floor, name = end, label
    if not floor:  # nothing is known of what lies below
        return StackRoom(top, _MAX_GUESS, name)
    return StackRoom(top, top - floor, name)


def _ends(measurement: Measurement, top: int) -> list[tuple[int, str]]:
    """Where data below the stack's start ends: whole sections, and objects of the one around it."""
    layout, found = measurement.layout, []
    for section in ram_sections(layout, measurement.memories.regions):
        if not section.size or section.address >= top or _is_stack(section, measurement):
            continue
        if section.end <= top:
            found.append((section.end, _last_in(section, layout)))
    for symbol in layout.symbols:
        if symbol.size and not symbol.is_function and _end(symbol) <= top:
            place = None if symbol.section is None else layout.sections[symbol.section]
            if place is not None and place.address < top < place.end:
                found.append((_end(symbol), symbol.name))
    return found


def _last_in(section: Section, layout: Layout) -> str:
    """What a stack from above meets first in a section: its last variable."""
    inside = [
        symbol
        for symbol in layout.symbols
        if symbol.size and section.address <= symbol.address and _end(symbol) <= section.end
    ]
    last = max(inside, key=_end, default=None)
    return section.name if last is None else f"{last.name} ({section.name})"


def _is_stack(section: Section, measurement: Measurement) -> bool:
    return section.name in measurement.stack_sections


def _end(symbol: SizedSymbol) -> int:
    return symbol.address + symbol.size
