"""The RCC of the lines beside the STM32F405/407: more clocks, more PLLs.

RM0090 section 6.3 (STM32F42x, 43x), RM0368 and RM0383 section 6.3, RM0386 and RM0390 section 6.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Clocks
from boardless_sim.peripherals.rcc import CFGR, CR, PLL_LOCK_NS, Rcc, apb_divider
from boardless_sim.peripherals.register import Register

PLLSAICFGR, DCKCFGR, CKGATENR, DCKCFGR2 = 0x88, 0x8C, 0x90, 0x94
CR_PLLSAION, CR_PLLSAIRDY = 1 << 28, 1 << 29
DCKCFGR_TIMPRE = 1 << 24


class TimerRcc(Rcc):
    """With RCC_DCKCFGR: TIMPRE may take the timers' clocks to HCLK (STM32F401, F411)."""

    layout: ClassVar[Mapping[int, Register]] = {
        **Rcc.layout,
        DCKCFGR: Register("DCKCFGR", 0, 0x3FFF_FFFF),
    }
    stable = frozenset(layout)

    def clock_tree(self) -> Clocks:
        """TIMPRE: HCLK up to a prescaler of 4, and four times the bus's clock above."""
        clocks = super().clock_tree()
        if not self.values[DCKCFGR] & DCKCFGR_TIMPRE:
            return clocks
        hclk, cfgr = clocks.hclk_hz, self.values[CFGR]
        first, second = apb_divider(cfgr >> 10 & 7), apb_divider(cfgr >> 13 & 7)
        return replace(
            clocks,
            timclk1_hz=hclk // max(first // 4, 1),
            timclk2_hz=hclk // max(second // 4, 1),
        )

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        super().write_word(offset, value)
        if offset == DCKCFGR:
            self._tell_clocks()


class SaiRcc(TimerRcc):
    """With PLLSAI, for the LCD, SAI and USB (STM32F42x, F43x, F446, F469, F479)."""

    layout: ClassVar[Mapping[int, Register]] = {
        **TimerRcc.layout,
        CR: replace(Rcc.layout[CR], writable=Rcc.layout[CR].writable | CR_PLLSAION),
        PLLSAICFGR: Register("PLLSAICFGR", 0x2400_3000, 0x7F03_7FC0),
    }
    stable = frozenset(layout)

    def lcd_hz(self) -> int:
        """LCD_CLK: PLLSAI by PLLSAIR and PLLSAIDIVR (RM0090 section 6.3.26 of the F42x)."""
        pll = self.values[PLLSAICFGR]
        hertz = self._plls_input_hz() * (pll >> 6 & 0x1FF) / max(pll >> 28 & 7, 2)
        divider = 2 << (self.values[DCKCFGR] >> 16 & 3)
        return round(hertz / divider) * self._is_ready(CR_PLLSAIRDY)

    def _follow_oscillators(self, old: int) -> None:
        super()._follow_oscillators(old)
        self._follow(CR, old, CR_PLLSAION, CR_PLLSAIRDY, PLL_LOCK_NS)

    def wake(self) -> None:
        """Out of Stop: PLLSAI is off as well."""
        self.values[CR] &= ~(CR_PLLSAION | CR_PLLSAIRDY)
        super().wake()


class GatedRcc(SaiRcc):
    """The STM32F446's, with clocks of buses that stop, and sources of I2C, SDIO and CEC."""

    layout: ClassVar[Mapping[int, Register]] = {
        **SaiRcc.layout,
        CKGATENR: Register("CKGATENR", 0, 0x7F),
        DCKCFGR2: Register("DCKCFGR2", 0, 0x3CC0_0000),
    }
    stable = frozenset(layout)
