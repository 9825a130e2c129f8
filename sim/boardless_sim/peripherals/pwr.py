"""PWR: regulator scaling, backup-domain write access, wake-up flags (RM0090 chapter 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import ApbPeripheral, Register

CR, CSR = 0x00, 0x04
CR_LPDS, CR_PDDS, CR_CWUF, CR_CSBF, CR_PVDE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
CR_DBP, CR_FPDS, CR_VOS = 1 << 8, 1 << 9, 1 << 14
CSR_WUF, CSR_SBF, CSR_BRR, CSR_EWUP, CSR_BRE, CSR_VOSRDY = (
    1 << 0, 1 << 1, 1 << 3, 1 << 8, 1 << 9, 1 << 14,
)  # fmt: skip


class Pwr(ApbPeripheral):
    """Power control. The regulators are ready at once; the supply is always good (PVDO 0)."""

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", CR_VOS, 0x43F3),
        CSR: Register("CSR", CSR_VOSRDY, CSR_EWUP | CSR_BRE),
    }
    stable = frozenset(layout)

    def __init__(self, name: str = "PWR") -> None:
        super().__init__(name)

    @property
    def standby(self) -> bool:
        """Whether deep sleep means Standby (PDDS) and not Stop."""
        return bool(self.values[CR] & CR_PDDS)

    @property
    def low_power_regulator(self) -> bool:
        """Whether the regulator is in low-power mode in Stop (LPDS)."""
        return bool(self.values[CR] & CR_LPDS)

    @property
    def flash_powered_down(self) -> bool:
        """Whether the Flash is in deep power-down in Stop (FPDS)."""
        return bool(self.values[CR] & CR_FPDS)

    @property
    def wake_up_pin(self) -> bool:
        """Whether the WKUP pin wakes from Standby (EWUP)."""
        return bool(self.values[CSR] & CSR_EWUP)

    def woke_from_standby(self) -> None:
        """After the reset that ends a Standby: SBF and WUF say so."""
        self.values[CSR] |= CSR_SBF | CSR_WUF

    @property
    def backup_unlocked(self) -> bool:
        """Whether the backup domain can be written (DBP)."""
        return bool(self.values[CR] & CR_DBP)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        self.store(offset, value)
        if offset == CR:
            cleared = (CSR_WUF if value & CR_CWUF else 0) | (CSR_SBF if value & CR_CSBF else 0)
            self.values[CSR] &= ~cleared
        elif offset == CSR:
            ready = CSR_BRR if value & CSR_BRE else 0
            self.values[CSR] = (self.values[CSR] & ~CSR_BRR) | ready


CR_ODEN, CR_ODSWEN = 1 << 16, 1 << 17
CSR_ODRDY, CSR_ODSWRDY = 1 << 16, 1 << 17


class ScaledPwr(Pwr):
    """With three scales of voltage: VOS has two bits (RM0368 and RM0383, 5.4.1)."""

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0x8000, 0xFFF3),
        CSR: Register("CSR", CSR_VOSRDY, CSR_EWUP | CSR_BRE),
    }


class OverDrivePwr(Pwr):
    """And over-drive, without which HCLK ends at 168 MHz (RM0090 5.1.4; RM0386, RM0390 too).

    Over-drive and its switch are ready at once, in that order.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0xC000, 0x000F_FFF3),
        CSR: Register("CSR", CSR_VOSRDY, CSR_EWUP | CSR_BRE),
    }

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        super().write_word(offset, value)
        on = self.values[CR] & CR_ODEN
        ready = CSR_ODRDY if on else 0
        switched = CSR_ODSWRDY if on and self.values[CR] & CR_ODSWEN else 0
        self.values[CSR] = self.values[CSR] & ~(CSR_ODRDY | CSR_ODSWRDY) | ready | switched
