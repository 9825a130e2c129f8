"""Whose an address is, and what an exception is called, for a person who reads of a fault."""

from __future__ import annotations

from boardless_sim.chips.chip import MemoryArea
from boardless_sim.core.names import EXCEPTION_NAMES
from boardless_sim.engines.native.look import DEVICE_ALIAS, PPB, SRAM_ALIAS
from boardless_sim.engines.native.machine import Machine

_FIRST_INTERRUPT = 16
_DEVICES = range(0x4000_0000, 0x6000_0000)  # DDI 0403E, B3.1: the peripheral region
_NEAR_BYTES = 0x10_0000  # from a memory's end, where a pointer has run out of it


def exception_name(machine: Machine, number: int) -> str:
    """As the core's manual names it; an interrupt has the name of its device."""
    named = EXCEPTION_NAMES.get(number)
    if named is not None:
        return named
    irq = number - _FIRST_INTERRUPT
    owners = (place.name for place in machine.board.chip.placements if irq in place.irqs)
    return f"{next(owners, '')} IRQ{irq}".lstrip()


def place_in_words(machine: Machine, address: int) -> str:
    """The variable and memory, the register, or how far it is from the nearest memory."""
    memories = machine.board.chip.memories
    for area in memories:
        if area.holds(address):
            return _in_memory(machine, area, address)
    if address in PPB or address in _DEVICES:
        device, register = machine.register_name(address)
        return f"{device}_{register}" if register else device
    if address in SRAM_ALIAS or address in DEVICE_ALIAS:
        return "a bit-band alias"
    return _beside(memories, address)


def _in_memory(machine: Machine, area: MemoryArea, address: int) -> str:
    found = machine.variables.at(address)
    if found is None:
        return area.name
    offset = address - found.address
    return f"`{found.name}`{f' + {offset}' if offset else ''} in {area.name}"


def _beside(memories: tuple[MemoryArea, ...], address: int) -> str:
    above = min((m for m in memories if m.base > address), key=lambda m: m.base, default=None)
    below = max((m for m in memories if m.base < address), key=lambda m: m.base, default=None)
    if above is not None and above.base - address <= _NEAR_BYTES:
        return f"{above.base - address:,} bytes below {above.name}"
    if below is not None and address - below.base - below.size < _NEAR_BYTES:
        return f"{address - below.base - below.size:,} bytes behind the end of {below.name}"
    return "no memory and no device"
