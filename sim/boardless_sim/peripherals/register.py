"""Registers as data, the width rules of the two bus kinds, and one interrupt line.

A device names its registers in `layout`; storage, reset values and read-only bits follow from it,
so that its own code is only what the manual describes as behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Peripheral

WORD = 0xFFFF_FFFF
_MASK = {1: 0xFF, 2: 0xFFFF, 4: WORD}
_REPEAT = {1: 0x0101_0101, 2: 0x0001_0001}


@dataclass(frozen=True)
class Register:
    """A 32-bit register: its name in the manual, reset value, bits that software can change."""

    name: str
    reset: int = 0
    writable: int = WORD


class RegisterPeripheral(Peripheral):
    """A device of 32-bit registers; see `AhbPeripheral` and `ApbPeripheral` for narrow writes."""

    layout: ClassVar[Mapping[int, Register]] = {}
    unmodelled: ClassVar[Mapping[int, str]] = {}  # names only: an access is logged

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        named = {offset: register.name for offset, register in cls.layout.items()}
        cls.registers = {**cls.unmodelled, **named}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.values: dict[int, int] = {}
        self.reset_values()

    def reset_values(self) -> None:
        """Every register of the layout to its reset value."""
        self.values = {offset: register.reset for offset, register in self.layout.items()}

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()

    def read_word(self, offset: int) -> int:
        """The register at `offset`; a device overrides it where reading is more than storage."""
        value = self.values.get(offset)
        return self.unmodelled_read(offset) if value is None else value

    def write_word(self, offset: int, value: int) -> None:
        """Write the register at `offset`; overridden where writing is more than storage."""
        self.store(offset, value)

    def store(self, offset: int, value: int) -> None:
        """Keep the writable bits of `value`; logged where the layout has no such register."""
        register = self.layout.get(offset)
        if register is None:
            self.unmodelled_write(offset, value)
            return
        mask = register.writable
        self.values[offset] = (self.values[offset] & ~mask) | (value & mask)

    def widen(self, offset: int, size: int, value: int) -> int:
        """The word that a write of 1 or 2 bytes puts on the bus."""
        raise AssertionError(f"{self.name}: neither an AHB nor an APB device")

    def read(self, offset: int, size: int) -> int:
        """The value at an offset, any width."""
        if size == 4:
            return self.read_word(offset)
        return (self.read_word(offset & ~3) >> (8 * (offset & 3))) & _MASK[size]

    def write(self, offset: int, size: int, value: int) -> None:
        """Store a value at an offset, any width."""
        if size == 4:
            self.write_word(offset, value)
        else:
            self.write_word(offset & ~3, self.widen(offset, size, value))


class AhbPeripheral(RegisterPeripheral):
    """A device on the AHB: a narrow write changes its own byte lanes only."""

    write_ones: ClassVar[frozenset[int]] = frozenset()  # set/clear registers: the other lanes are 0

    def widen(self, offset: int, size: int, value: int) -> int:
        """The word that a narrow write puts on the bus."""
        shift = 8 * (offset & 3)
        lanes = _MASK[size] << shift
        old = 0 if offset & ~3 in self.write_ones else self.values.get(offset & ~3, 0)
        return (old & ~lanes) | ((value << shift) & lanes)


class ApbPeripheral(RegisterPeripheral):
    """A device on an APB: the bridge repeats a narrow write over the word (RM0090 section 2.1)."""

    def widen(self, offset: int, size: int, value: int) -> int:
        """The word that a narrow write puts on the bus."""
        return (value & _MASK[size]) * _REPEAT[size]


class IrqLine:
    """One interrupt output of a device; tells the bus only when the level changes."""

    def __init__(self, device: Peripheral, irq: int) -> None:
        self._device = device
        self._irq = irq
        self.level = False

    def drive(self, level: bool) -> None:
        """Set the level."""
        if level is not self.level:
            self.level = level
            self._device.bus.set_irq(self._irq, level)
