"""ADC1 to ADC3 in one block: they share an interrupt and the common registers (RM0090 13.13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.finding import Check
from boardless_sim.peripherals.analog.adc_unit import LAYOUT, SR, AdcUnit
from boardless_sim.peripherals.analog.triggers import TriggerSource
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

CSR, CCR, CDR = 0x300, 0x304, 0x308
CCR_MULTI, CCR_VBATE, CCR_TSVREFE = 0x1F, 1 << 22, 1 << 23
_STRIDE = 0x100
_UNITS = 3
_CSR_FLAGS = 0x3F


class Adc(ApbPeripheral):
    """The block. Each unit has a clock bit of its own, asked of `unit_clocked`.

    `voltage` says what stands at a channel of a unit, from 0 to 1 of VREF+. `triggers` are the
    timers that start conversions.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        **{
            _STRIDE * unit + offset: Register(f"{unit + 1}_{register.name}", register.reset,
                                              register.writable)
            for unit in range(_UNITS) for offset, register in LAYOUT.items()
        },
        CSR: Register("CSR", 0, 0), CCR: Register("CCR", 0, 0x00C3_EF1F),
        CDR: Register("CDR", 0, 0),
    }  # fmt: skip

    def __init__(self, name: str, irq: int, *, units: int = _UNITS) -> None:
        self._line = IrqLine(self, irq)
        self.units = tuple(AdcUnit(self, number + 1) for number in range(units))
        super().__init__(name)
        self.unit_clocked: Callable[[str], bool] = lambda unit: True
        self.voltage: Callable[[int, int], float] = lambda unit, channel: 0.0
        self.triggers: Mapping[str, TriggerSource] = {}

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        for unit in self.units:
            unit.reset()

    def reset(self) -> None:
        """Return to the reset state: one bit resets all of them (section 7.3.9, ADCRST)."""
        self.reset_values()
        self.update_irq()

    def register_name(self, offset: int) -> str:
        """Such as "ADC1_CR2"; "ADC_CCR" for what they share."""
        register = self.registers.get(offset & ~3)
        prefix = "ADC" if offset < CSR else "ADC_"
        return f"{prefix}{register}" if register else f"ADC+{offset:#x}"

    def read_word(self, offset: int) -> int:
        """A register, with the side effects of reading it."""
        unit = self._unit_at(offset)
        if unit is not None:
            return unit.read(offset % _STRIDE) if self._answers(unit, offset, "read") else 0
        if offset == CSR:
            flags = (unit.registers[SR] & _CSR_FLAGS for unit in self.units)
            return sum(flag << 8 * number for number, flag in enumerate(flags))
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        unit = self._unit_at(offset)
        if unit is not None:
            if self._answers(unit, offset, "write lost"):
                unit.write(offset % _STRIDE, value)
                self.update_irq()
            return
        self.store(offset, value)
        if offset == CCR and value & CCR_MULTI:
            self.unmodelled_write(offset, value)

    def _unit_at(self, offset: int) -> AdcUnit | None:
        number = offset // _STRIDE
        if number >= len(self.units) or offset % _STRIDE not in LAYOUT:
            return None
        return self.units[number]

    def _answers(self, unit: AdcUnit, offset: int, access: str) -> bool:
        if self.unit_clocked(unit.name):
            return True
        text = f"{self.register_name(offset)}: {access}, {unit.name} is not clocked (RCC_APB2ENR)"
        self.bus.report(Check.CLOCK_GATE, unit.name, text)
        return False

    @property
    def common(self) -> int:
        """CCR."""
        return self.values[CCR]

    def update_irq(self) -> None:
        """One interrupt for all of them."""
        self._line.drive(any(unit.asserts for unit in self.units))
