"""An STM32F4 put together: the map of the family, and the facts of the part."""

from __future__ import annotations

from functools import partial

from boardless_sim.chips.catalog import Facts, load_facts
from boardless_sim.chips.chip import Chip, MemoryArea, Placement
from boardless_sim.chips.stm32f4_lines import line_of
from boardless_sim.chips.stm32f4_map import (
    ALWAYS_THERE,
    DEVICES,
    EXTI_VECTORS,
    GATES,
    TRIGGERS,
    UNMODELLED,
    Device,
)  # fmt: skip
from boardless_sim.peripherals.analog.adc import Adc
from boardless_sim.peripherals.dma import Dma
from boardless_sim.peripherals.exti import Exti
from boardless_sim.peripherals.flash_interface import FlashInterface
from boardless_sim.peripherals.pwr import Pwr
from boardless_sim.peripherals.rcc import Gates, Rcc

# The temperature sensor is at channel 16 of these, at 18 of the others (section 13.10).
_FIRST_GENERATION = frozenset({"stm32f405", "stm32f407", "stm32f415", "stm32f417"})
_FLASH, _SYSTEM_MEMORY = 0x0800_0000, 0x1FFF_0000
_OTP = 0x1FFF_7800  # RM0090, table 5
_UNIQUE_ID, _FLASH_KIB = 0x1FFF_7A10, 0x1FFF_7A22  # RM0090 sections 39.1 and 39.2


def stm32f4(part: str) -> Chip:
    """The chip of a part number, such as "stm32f407vg". Raises `BoardError`."""
    facts = load_facts(part)
    there = facts.devices | ALWAYS_THERE
    # The extra halves of I2S2 and I2S3 go with the Ethernet generation of the F4, not with the 446.
    there |= {"I2S2ext", "I2S3ext"} if "SPDIFRX" not in there else set()
    return Chip(
        name=facts.part,
        memories=tuple(_memories(facts)),
        placements=tuple(_placement(row, facts) for row in DEVICES if row.name in there),
        unmodelled=tuple(known for known in UNMODELLED if known.name in there),
        alternates=facts.alternates,
        wait_states=facts.wait_states,
        max_hz=facts.max_hz,
        boot_rom=_SYSTEM_MEMORY,
        otp=_OTP,
        idcode=line_of(facts.part).idcode,
        priority_bits=4,  # RM0090 section 12.1.1: 16 programmable levels
        triggers=TRIGGERS,
        temperature_channel=16 if facts.part[:9] in _FIRST_GENERATION else 18,
    )


def _placement(row: Device, facts: Facts) -> Placement:
    factory = row.factory
    irqs = tuple(facts.irq(vector) for vector in row.vectors)
    if row.name in facts.requests:
        # Only DMA2 copies from memory to memory (section 10.3.6).
        return Placement(
            row.name,
            row.base,
            partial(
                Dma,
                irqs=irqs,
                requests=facts.requests[row.name],
                memory_to_memory=row.name == "DMA2",
            ),
        )
    if factory is Exti:
        factory = partial(Exti, irqs=_exti_irqs(facts))
    elif factory is Rcc:
        factory = partial(line_of(facts.part).rcc, gates=_gates(facts))
    elif factory is Pwr:
        factory = line_of(facts.part).pwr
    elif factory is FlashInterface:
        factory = line_of(facts.part).flash
    elif factory is Adc:
        factory = partial(Adc, units=sum(f"ADC{n}" in facts.devices for n in (1, 2, 3)))
    elif row.name.startswith("SPI"):
        factory = partial(row.factory, i2s=_has_signals(facts, row.name.replace("SPI", "I2S")))
    return Placement(row.name, row.base, factory, irqs)


def _has_signals(facts: Facts, device: str) -> bool:
    """Whether a pin of the part can carry a signal of that device."""
    prefix = f"{device}_"
    return any(
        signal.startswith(prefix) for signals in facts.alternates.values() for signal in signals
    )


def _gates(facts: Facts) -> Gates:
    there = facts.devices | ALWAYS_THERE
    there |= {"BKPSRAM"} if "backup" in facts.memories else set()
    there |= {"CCMDATARAM"} if "ccm" in facts.memories else set()
    gates = {
        bus: {bit: name for bit, name in bits.items() if name.strip("()") in there}
        for bus, bits in GATES.items()
    }
    if "FMC" in there:  # another memory controller, the same bit
        gates["AHB3"][0] = "FMC"
    return gates


def _exti_irqs(facts: Facts) -> dict[int, int]:
    return {
        line: facts.interrupts[vector]
        for vector, lines in EXTI_VECTORS.items()
        if vector in facts.interrupts
        for line in lines
    }


def _memories(facts: Facts) -> list[MemoryArea]:
    flash_size = facts.memories["flash"][1]
    areas = [
        MemoryArea("Flash", _FLASH, flash_size, writable=False, executable=True, fill=True,
                   waits=True, aliases=(0,)),
        MemoryArea("system memory", _SYSTEM_MEMORY, 32 << 10, writable=False, executable=True,
                   contents={
                       _UNIQUE_ID: b"BOARDLESS-01",
                       _FLASH_KIB: (flash_size >> 10).to_bytes(2, "little"),
                   }),
        _joined_sram(facts),
    ]  # fmt: skip
    if "ccm" in facts.memories:
        base, size = facts.memories["ccm"]
        areas.append(MemoryArea("CCM", base, size, writable=True, dma=False))
    if "backup" in facts.memories:
        base, size = facts.memories["backup"]
        areas.append(MemoryArea("backup SRAM", base, size, writable=True, kept=True))
    return sorted(areas, key=lambda area: area.base)


def _joined_sram(facts: Facts) -> MemoryArea:
    """SRAM1, SRAM2 and SRAM3 lie side by side and answer as one."""
    parts = [area for name, area in facts.memories.items() if name.startswith("sram")]
    base = min(part[0] for part in parts)
    size = sum(part[1] for part in parts)
    return MemoryArea("SRAM", base, size, writable=True, executable=True)
