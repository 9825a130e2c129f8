"""RCC: oscillators, PLL, clock tree, clock enables, reset flags (RM0090 chapter 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Clocks, Event
from boardless_sim.peripherals.register import WORD, AhbPeripheral, Register

CR, PLLCFGR, CFGR, CIR = 0x00, 0x04, 0x08, 0x0C
AHB1RSTR, AHB2RSTR, AHB3RSTR, APB1RSTR, APB2RSTR = 0x10, 0x14, 0x18, 0x20, 0x24
AHB1ENR, AHB2ENR, AHB3ENR, APB1ENR, APB2ENR = 0x30, 0x34, 0x38, 0x40, 0x44
BDCR, CSR, SSCGR, PLLI2SCFGR = 0x70, 0x74, 0x80, 0x84

CR_HSION, CR_HSIRDY = 1 << 0, 1 << 1
CR_HSEON, CR_HSERDY, CR_HSEBYP, CR_CSSON = 1 << 16, 1 << 17, 1 << 18, 1 << 19
CR_PLLON, CR_PLLRDY, CR_PLLI2SON, CR_PLLI2SRDY = 1 << 24, 1 << 25, 1 << 26, 1 << 27
PLLCFGR_PLLSRC = 1 << 22
SW_HSI, SW_HSE, SW_PLL = 0, 1, 2
BDCR_LSEON, BDCR_LSERDY, BDCR_LSEBYP, BDCR_BDRST = 1 << 0, 1 << 1, 1 << 2, 1 << 16
BDCR_RTCEN = 1 << 15
CSR_LSION, CSR_LSIRDY, CSR_RMVF = 1 << 0, 1 << 1, 1 << 24
CSR_BORRSTF, CSR_PINRSTF, CSR_PORRSTF = 1 << 25, 1 << 26, 1 << 27
CSR_SFTRSTF, CSR_IWDGRSTF, CSR_WWDGRSTF, CSR_LPWRRSTF = 1 << 28, 1 << 29, 1 << 30, 1 << 31

HSI_HZ = 16_000_000
LSI_HZ = 32_000
# Typical start-up times of the data sheet (DS8626 tables 36 to 43).
HSI_START_NS, HSE_START_NS, PLL_LOCK_NS = 2_200, 2_000_000, 200_000
LSI_START_NS, LSE_START_NS = 15_000, 2_000_000_000

# A reset from inside pulls NRST low as well, hence PINRSTF beside each cause.
RESET_FLAGS: Mapping[str, int] = {
    "POWER": CSR_PORRSTF | CSR_PINRSTF | CSR_BORRSTF,
    "PIN": CSR_PINRSTF,
    "SFT": CSR_SFTRSTF | CSR_PINRSTF,
    "IWDG": CSR_IWDGRSTF | CSR_PINRSTF,
    "WWDG": CSR_WWDGRSTF | CSR_PINRSTF,
    "STANDBY": 0,  # PWR_CSR tells
    "LPWR": CSR_LPWRRSTF | CSR_PINRSTF,
}

_RESET_REGISTERS = frozenset({AHB1RSTR, AHB2RSTR, AHB3RSTR, APB1RSTR, APB2RSTR})
_ENABLE_REGISTERS = {"AHB1": AHB1ENR, "AHB2": AHB2ENR, "AHB3": AHB3ENR, "APB1": APB1ENR,
                     "APB2": APB2ENR}  # fmt: skip
_TO_RESET, _TO_SLEEP = -0x20, 0x20  # from a bus's enable register to its reset and low-power ones

Gates = Mapping[str, Mapping[int, str]]
"""By bus ("AHB1"), then by bit: what the enable bit clocks. A name in parentheses has no reset."""
CFGR_I2SSRC = 1 << 23
_CLOCK_REGISTERS = frozenset({CR, PLLCFGR, CFGR})


class Rcc(AhbPeripheral):
    """Reset and clock control. Tells the bus the clock tree whenever it changes."""

    fixed_fields: ClassVar[frozenset[str]] = frozenset(["_gate_of"])

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0x0000_0083, CR_HSION | 0xF8 | CR_HSEON | CR_HSEBYP | CR_CSSON
                     | CR_PLLON | CR_PLLI2SON),
        PLLCFGR: Register("PLLCFGR", 0x2400_3010, 0x7F43_7FFF),
        CFGR: Register("CFGR", 0, 0xFFFF_FCF3),
        CIR: Register("CIR", 0, 0x0000_3F00),
        AHB1RSTR: Register("AHB1RSTR"), AHB2RSTR: Register("AHB2RSTR"),
        AHB3RSTR: Register("AHB3RSTR"), APB1RSTR: Register("APB1RSTR"),
        APB2RSTR: Register("APB2RSTR"),
        AHB1ENR: Register("AHB1ENR", 0x0010_0000), AHB2ENR: Register("AHB2ENR"),
        AHB3ENR: Register("AHB3ENR"), APB1ENR: Register("APB1ENR"), APB2ENR: Register("APB2ENR"),
        0x50: Register("AHB1LPENR", 0x7E67_91FF), 0x54: Register("AHB2LPENR", 0x0000_00F1),
        0x58: Register("AHB3LPENR", 0x0000_0001), 0x60: Register("APB1LPENR", 0x36FE_C9FF),
        0x64: Register("APB2LPENR", 0x0007_5F33),
        BDCR: Register("BDCR", 0, 0x0001_8305),
        CSR: Register("CSR", RESET_FLAGS["POWER"], CSR_LSION),
        SSCGR: Register("SSCGR", 0, 0xCFFF_FFFF),
        PLLI2SCFGR: Register("PLLI2SCFGR", 0x2000_3000, 0x7000_7FC0),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, gates: Gates) -> None:
        self._implemented: dict[int, int] = {}
        self._gated: dict[int, dict[int, str]] = {}  # by enable register, then by bit
        self._gate_of: dict[str, tuple[int, int]] = {}
        for bus, bits in gates.items():
            self._place_gates(_ENABLE_REGISTERS[bus], bits)
        super().__init__(name)
        self._hse_hz: int | None = None
        self._lse_hz: int | None = None
        self._starting: dict[tuple[int, int], Event] = {}
        self.on_peripheral_reset: Callable[[str], None] = lambda name: None
        self.stopped = False
        self.clock_watchers: list[Callable[[], None]] = []
        self.on_gate: Callable[[str], None] = lambda name: None
        self.on_sleep_gates: Callable[[bool], None] = lambda any_closes: None
        self.backup_unlocked: Callable[[], bool] = lambda: True

    def _place_gates(self, register: int, bits: Mapping[int, str]) -> None:
        """What is not named does not exist in this part: its bits read 0, whatever was written."""
        self._gated[register] = {bit: name.strip("()") for bit, name in bits.items()}
        for bit, name in self._gated[register].items():
            self._gate_of.setdefault(name, (register, 1 << bit))
        self._implemented[register] = sum(1 << bit for bit in bits)
        self._implemented[register + _TO_RESET] = sum(
            1 << bit for bit, name in bits.items() if not name.startswith("(")
        )

    def reset_values(self) -> None:
        """As after a reset, in the bits that the part has."""
        super().reset_values()
        for register, mask in self._implemented.items():
            self.values[register] &= mask

    def fit_crystals(self, hse_hz: int | None, lse_hz: int | None) -> None:
        """What the board has; an oscillator without a crystal never gets ready."""
        self._hse_hz, self._lse_hz = hse_hz, lse_hz

    def reset(self) -> None:
        """Everything but the reset flags and the backup domain, which outlive a system reset."""
        for event in self._starting.values():
            event.cancel()
        self._starting.clear()
        flags, backup = self.values[CSR] & 0xFE00_0000, self.values[BDCR]
        self.reset_values()
        self.values[CSR] = flags
        self.values[BDCR] = backup
        for name in self._gate_of:
            self.on_gate(name)
        self._tell_sleep_gates()
        self._tell_clocks()

    def note_reset(self, cause: str) -> None:
        """Keep why the chip was reset; an unknown cause counts as the reset pin."""
        if cause == "POWER":  # the backup domain lost its supply too
            self.values[BDCR] = 0
            self.values[CSR] = 0
        self.values[CSR] |= RESET_FLAGS.get(cause, CSR_PINRSTF)

    def clock_enabled(self, device: str) -> bool:
        """Whether the clock of a device is on; true for a device without a gate."""
        gate = self._gate_of.get(device)
        return gate is None or bool(self.values[gate[0]] & gate[1])

    def clocked_asleep(self, device: str) -> bool:
        """Whether the clock of a device goes on in Sleep; true for a device without a gate."""
        gate = self._gate_of.get(device)
        return gate is None or bool(self.values[gate[0] + _TO_SLEEP] & gate[1])

    def _tell_sleep_gates(self) -> None:
        """Whether Sleep takes the clock of any device that has one."""
        gates = self._gate_of.items()
        any_closes = any(self.clock_enabled(n) and not self.clocked_asleep(n) for n, _ in gates)
        self.on_sleep_gates(any_closes)

    def held_in_reset(self, device: str) -> bool:
        """Whether the reset bit of a device is set."""
        gate = self._gate_of.get(device)
        return gate is not None and bool(self.values[gate[0] + _TO_RESET] & gate[1])

    def gate_register(self, device: str) -> str:
        """The name of the register with a device's enable bit, for messages."""
        return self.layout[self._gate_of[device][0]].name

    def rtc_hz(self) -> int:
        """The clock that RTCSEL chose; 0 while RTCEN is off or the oscillator is not ready."""
        backup = self.values[BDCR]
        if not backup & BDCR_RTCEN:
            return 0
        rtcpre = self.values[CFGR] >> 16 & 0x1F
        hse_hz = self._hse_hz or 0 if self.values[CR] & CR_HSERDY else 0
        return (
            0,
            self._lse_hz or 0 if backup & BDCR_LSERDY else 0,
            LSI_HZ if self.values[CSR] & CSR_LSIRDY else 0,
            hse_hz // rtcpre if rtcpre > 1 else 0,
        )[backup >> 8 & 3]

    def clock_tree(self) -> Clocks:
        """The clocks that the registers ask for now (figure 21)."""
        cfgr = self.values[CFGR]
        hclk = self._system_clock_hz() // _ahb_divider(cfgr >> 4 & 0xF)
        apb1, apb2 = apb_divider(cfgr >> 10 & 7), apb_divider(cfgr >> 13 & 7)
        return Clocks(
            hclk_hz=hclk,
            pclk1_hz=hclk // apb1,
            pclk2_hz=hclk // apb2,
            timclk1_hz=hclk // max(apb1 // 2, 1),
            timclk2_hz=hclk // max(apb2 // 2, 1),
        )

    def stop(self) -> None:
        """Stop mode: no oscillator but LSI and LSE runs (section 5.3.5)."""
        self.stopped = True
        self._tell_watchers()

    def wake(self) -> None:
        """Out of Stop: HSI is the system clock, the other oscillators are off (section 5.3.5)."""
        self.stopped = False
        for event in self._starting.values():
            event.cancel()
        self._starting.clear()
        off = CR_HSEON | CR_HSERDY | CR_PLLON | CR_PLLRDY | CR_PLLI2SON | CR_PLLI2SRDY
        self.values[CR] = self.values[CR] & ~off | CR_HSION | CR_HSIRDY
        self.values[CFGR] &= ~0xF  # SW and SWS
        self._tell_clocks()

    def clock_output_hz(self, output: int) -> int:
        """What MCO1 or MCO2 puts out (RCC_CFGR, section 7.3.3); 0 while its source is off."""
        if self.stopped:
            return 0
        cfgr = self.values[CFGR]
        if output == 1:
            source, prescaler = cfgr >> 21 & 3, cfgr >> 24 & 7
            hertz = (HSI_HZ * self._is_ready(CR_HSIRDY), self._lse_hz_now(), self._hse_hz_now(),
                     self._pll_hz())[source]  # fmt: skip
        else:
            source, prescaler = cfgr >> 30 & 3, cfgr >> 27 & 7
            hertz = (self._system_clock_hz(), self._plli2s_hz(), self._hse_hz_now(),
                     self._pll_hz())[source]  # fmt: skip
        return hertz // (prescaler - 2 if prescaler & 4 else 1)

    def pll48_hz(self) -> int:
        """PLL48CLK, for OTG_FS, SDIO and RNG (RCC_PLLCFGR, PLLQ)."""
        pll = self.values[PLLCFGR]
        hertz = self._plls_input_hz() * (pll >> 6 & 0x1FF) / max(pll >> 24 & 0xF, 2)
        return round(hertz) * self._is_ready(CR_PLLRDY)

    def lcd_hz(self) -> int:
        """The pixel clock of the LTDC; only parts with PLLSAI have one."""
        return 0

    def i2s_hz(self) -> int:
        """The clock of I2S: PLLI2S, while the pin I2S_CKIN is not chosen (RCC_CFGR, I2SSRC)."""
        return 0 if self.values[CFGR] & CFGR_I2SSRC else self._plli2s_hz()

    def _is_ready(self, flag: int) -> bool:
        return bool(self.values[CR] & flag)

    def _hse_hz_now(self) -> int:
        return (self._hse_hz or 0) * self._is_ready(CR_HSERDY)

    def _lse_hz_now(self) -> int:
        return (self._lse_hz or 0) * bool(self.values[BDCR] & BDCR_LSERDY)

    def _plls_input_hz(self) -> float:
        """Behind PLLM, which both PLLs share."""
        pll = self.values[PLLCFGR]
        input_hz = self._hse_hz or 0 if pll & PLLCFGR_PLLSRC else HSI_HZ
        return input_hz / max(pll & 0x3F, 1)

    def _pll_hz(self) -> int:
        pll = self.values[PLLCFGR]
        divider = 2 * ((pll >> 16 & 3) + 1)
        return round(self._plls_input_hz() * (pll >> 6 & 0x1FF) / divider) * self._is_ready(
            CR_PLLRDY
        )

    def _plli2s_hz(self) -> int:
        pll = self.values[PLLI2SCFGR]
        hertz = self._plls_input_hz() * (pll >> 6 & 0x1FF) / max(pll >> 28 & 7, 1)
        return round(hertz) * self._is_ready(CR_PLLI2SRDY)

    def _tell_clocks(self) -> None:
        self.bus.set_clocks(self.clock_tree())
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        for watcher in self.clock_watchers:
            watcher()

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        old = self.values.get(offset, 0)
        if offset == BDCR and not self.backup_unlocked():
            return
        if offset == CR:
            value = self._keep_what_runs(value)
        self.store(offset, value & self._implemented.get(offset, WORD))
        if offset in self._implemented:
            self._follow_gates(offset, old)
        self._tell_sleep_gates()
        if offset in _CLOCK_REGISTERS:
            if offset == CR:
                self._follow_oscillators(old)
            self._switch_system_clock()
            self._tell_clocks()
        elif offset == BDCR:
            self._follow_backup(value, old)
        elif offset == CSR:
            if value & CSR_RMVF:
                self.values[CSR] &= 0x01FF_FFFF
            self._follow(CSR, old, CSR_LSION, CSR_LSIRDY, LSI_START_NS)
        elif (offset == CIR and value & 0x3F00) or (offset == SSCGR and value >> 31):
            self.unmodelled_write(offset, value)

    def _keep_what_runs(self, value: int) -> int:
        """The oscillator behind SYSCLK cannot be switched off (RCC_CR, HSION, HSEON, PLLON)."""
        source = self.values[CFGR] >> 2 & 3
        value |= (CR_HSION, CR_HSEON, CR_PLLON)[source]
        if source == SW_PLL:
            value |= CR_HSEON if self.values[PLLCFGR] & PLLCFGR_PLLSRC else CR_HSION
        return value

    def _follow_oscillators(self, old: int) -> None:
        self._follow(CR, old, CR_HSION, CR_HSIRDY, HSI_START_NS)
        if self._hse_hz is not None:
            self._follow(CR, old, CR_HSEON, CR_HSERDY, HSE_START_NS)
        self._follow(CR, old, CR_PLLON, CR_PLLRDY, PLL_LOCK_NS)
        self._follow(CR, old, CR_PLLI2SON, CR_PLLI2SRDY, PLL_LOCK_NS)

    def _follow(self, register: int, old: int, on: int, ready: int, delay_ns: int) -> None:
        """Let a ready flag follow its enable bit: up after the start-up time, down at once."""
        if not (self.values[register] ^ old) & on:
            return
        pending = self._starting.pop((register, ready), None)
        if pending is not None:
            pending.cancel()
        if old & on:
            self.values[register] &= ~ready
        else:
            self._start(register, ready, delay_ns)

    def _start(self, register: int, ready: int, delay_ns: int) -> None:
        def become_ready() -> None:
            del self._starting[register, ready]
            if ready in (CR_PLLRDY, CR_PLLI2SRDY) and not self._pll_can_lock():
                self._start(register, ready, delay_ns)
                return
            self.values[register] |= ready
            if register == CR:
                self._switch_system_clock()
                self._tell_clocks()

        self._starting[register, ready] = self.bus.schedule_ns(delay_ns, become_ready)

    def _pll_can_lock(self) -> bool:
        """Its source runs, and PLLM and PLLN are in the range of section 7.3.2."""
        pll = self.values[PLLCFGR]
        source = CR_HSERDY if pll & PLLCFGR_PLLSRC else CR_HSIRDY
        in_range = pll & 0x3F >= 2 and 50 <= pll >> 6 & 0x1FF <= 432
        return bool(self.values[CR] & source) and in_range

    def _switch_system_clock(self) -> None:
        """SWS follows SW as soon as the wanted source is ready."""
        wanted = self.values[CFGR] & 3
        ready = (CR_HSIRDY, CR_HSERDY, CR_PLLRDY, 0)[wanted]
        if self.values[CR] & ready:
            self.values[CFGR] = (self.values[CFGR] & ~0xC) | wanted << 2

    def _system_clock_hz(self) -> int:
        source = self.values[CFGR] >> 2 & 3
        hse = self._hse_hz or 0
        if source == SW_HSI:
            return HSI_HZ
        if source == SW_HSE:
            return hse
        pll = self.values[PLLCFGR]
        input_hz = hse if pll & PLLCFGR_PLLSRC else HSI_HZ
        m, n, p = pll & 0x3F, pll >> 6 & 0x1FF, 2 * ((pll >> 16 & 3) + 1)
        return input_hz * n // (m * p)

    def _follow_gates(self, offset: int, old: int) -> None:
        """Tell of every device whose enable or reset bit changed."""
        resets = offset in _RESET_REGISTERS
        changed = self.values[offset] ^ old
        for bit, name in self._gated[offset - _TO_RESET if resets else offset].items():
            if changed >> bit & 1:
                if resets and self.values[offset] >> bit & 1:
                    self.on_peripheral_reset(name)
                self.on_gate(name)

    def _follow_backup(self, value: int, old: int) -> None:
        if value & BDCR_BDRST:
            self.values[BDCR] = BDCR_BDRST
        elif self._lse_hz is not None:
            self._follow(BDCR, old, BDCR_LSEON, BDCR_LSERDY, LSE_START_NS)


def _ahb_divider(hpre: int) -> int:
    return 1 if hpre < 8 else (2, 4, 8, 16, 64, 128, 256, 512)[hpre - 8]


def apb_divider(ppre: int) -> int:
    """What a field PPRE1 or PPRE2 of RCC_CFGR divides HCLK by."""
    return 1 if ppre < 4 else (2, 4, 8, 16)[ppre - 4]
