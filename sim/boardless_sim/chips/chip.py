"""A chip as data: what distinguishes one part number from another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boardless_sim.peripherals.peripheral import Peripheral


@dataclass(frozen=True)
class MemoryArea:
    """A region of memory. `fill`: it reads as ones until the image is loaded.

    `waits`: the core reads it through FLASH_ACR's wait states and caches.
    `dma` is false where the DMA controllers do not reach.
    `aliases` are further bases where the same memory answers; `contents` is what the factory left.
    `kept`: a battery holds what it contains, so that power-on changes nothing.
    """

    name: str
    base: int
    size: int
    writable: bool
    executable: bool = False
    fill: bool = False
    kept: bool = False
    waits: bool = False
    dma: bool = True
    aliases: tuple[int, ...] = ()
    contents: Mapping[int, bytes] = field(default_factory=dict)

    def holds(self, address: int) -> bool:
        """Whether an address lies in it."""
        return self.base <= address < self.base + self.size


@dataclass(frozen=True)
class Placement:
    """A device and where it sits; `factory` gets the name, then the interrupt numbers."""

    name: str
    base: int
    factory: Callable[..., Peripheral]
    irqs: tuple[int, ...] = ()


@dataclass(frozen=True)
class KnownPeripheral:
    """A peripheral that the manual names and that is not modelled."""

    name: str
    base: int
    size: int = 0x400
    registers: Mapping[int, str] = field(default_factory=dict)

    def register_name(self, offset: int) -> str:
        """Such as "SPI1_CR1"; "CAN1+0x1c" where no name is known."""
        register = self.registers.get(offset & ~3)
        return f"{self.name}_{register}" if register else f"{self.name}+{offset:#04x}"


@dataclass(frozen=True)
class Chip:
    """One part: its memories, its devices, what its pins can be, what its Flash can keep up with.

    `alternates`: the signals of a pin ("A8") by the number of the alternate function.
    `wait_states`: by the least supply in millivolts, the highest HCLK for 0, 1, 2 … wait states.
    `boot_rom`: where the boot loader stands, whose code is not modelled. `otp`: where the area
    begins that can be programmed once. `idcode`: DBGMCU_IDCODE, revision and device.
    `priority_bits`: how many the NVIC has of a priority.
    `triggers`: the timers behind ITR0 to ITR3 of a timer. `temperature_channel`: of ADC1.
    """

    name: str
    memories: tuple[MemoryArea, ...]
    placements: tuple[Placement, ...]
    unmodelled: tuple[KnownPeripheral, ...]
    alternates: Mapping[tuple[str, int], tuple[str, ...]]
    wait_states: Mapping[int, tuple[int, ...]]
    max_hz: int
    boot_rom: int
    otp: int
    idcode: int
    priority_bits: int
    triggers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    temperature_channel: int = 16

    def memory(self, name: str) -> MemoryArea:
        """A memory by its name; KeyError where the chip has none of it."""
        for area in self.memories:
            if area.name == name:
                return area
        raise KeyError(name)
