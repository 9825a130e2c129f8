"""In which blocks the lines of the STM32F4 differ: identity, clock and power control, Flash.

Device identities: RM0090 38.6.1, RM0368 23.6.1, RM0383 23.6.1, RM0386 41.6.1, RM0390 33.6.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from boardless_sim.chips.stm32f4_rcc import GatedRcc, SaiRcc, TimerRcc
from boardless_sim.peripherals.flash_interface import DualBankFlash, FlashInterface
from boardless_sim.peripherals.peripheral import Peripheral
from boardless_sim.peripherals.pwr import OverDrivePwr, Pwr, ScaledPwr
from boardless_sim.peripherals.rcc import Rcc


@dataclass(frozen=True)
class Line:
    """What a line of parts has in place of the STM32F407's. `idcode`: revision and device."""

    idcode: int
    rcc: Callable[..., Rcc] = Rcc
    pwr: Callable[..., Peripheral] = Pwr
    flash: Callable[..., Peripheral] = FlashInterface


_F40X = Line(0x1007_6413)
_F42X = Line(0x2001_6419, SaiRcc, OverDrivePwr, DualBankFlash)
_F46X = Line(0x1000_6434, SaiRcc, OverDrivePwr, DualBankFlash)
LINES = {
    "stm32f401": Line(0x1000_6433, TimerRcc, ScaledPwr),
    "stm32f411": Line(0x1000_6431, TimerRcc, ScaledPwr),
    **dict.fromkeys(("stm32f405", "stm32f407", "stm32f415", "stm32f417"), _F40X),
    **dict.fromkeys(("stm32f427", "stm32f429", "stm32f437", "stm32f439"), _F42X),
    "stm32f446": Line(0x1000_6421, GatedRcc, OverDrivePwr),
    **dict.fromkeys(("stm32f469", "stm32f479"), _F46X),
}
# The small Flash sizes of the F401 are another die.
_F401_BC = Line(0x1000_6423, TimerRcc, ScaledPwr)


def line_of(part: str) -> Line:
    """By part number, such as "stm32f407vg"."""
    if part.startswith("stm32f401") and part[-1] in "bc":
        return _F401_BC
    return LINES[part[: len("stm32f407")]]
