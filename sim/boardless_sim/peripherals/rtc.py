"""RTC: calendar time, sub-seconds and the wake-up timer (RM0090 chapter 26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import ApbPeripheral, Register

TR, DR, CR, ISR, PRER, WUTR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
CALIBR, ALRMAR, ALRMBR, WPR, SSR, SHIFTR = 0x18, 0x1C, 0x20, 0x24, 0x28, 0x2C
TSTR, TSDR, TSSSR, CALR, TAFCR, ALRMASSR, ALRMBSSR = 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48
BKP0R, BACKUP_REGISTERS = 0x50, 20

CR_WUCKSEL, CR_BYPSHAD, CR_FMT, CR_WUTE, CR_WUTIE = 7, 1 << 5, 1 << 6, 1 << 10, 1 << 14
_CR_UNMODELLED = 0x00FF_BB98 & ~(CR_WUTE | CR_WUTIE)  # alarms, timestamp, outputs
ISR_WUTWF, ISR_RSF, ISR_INITS, ISR_INITF = 1 << 2, 1 << 5, 1 << 4, 1 << 6
ISR_INIT, ISR_WUTF = 1 << 7, 1 << 10
_ALARMS_WRITABLE = 0x3
_KEYS = (0xCA, 0x53)
_NEVER_LOCKED = frozenset({ISR, WPR, *range(BKP0R, BKP0R + 4 * BACKUP_REGISTERS, 4)})
_LINE = 22  # of EXTI
_NS = 1_000_000_000
_DAY_S = 86_400
_RESET_PRER, _RESET_DR = 0x007F_00FF, 0x2101


class Rtc(ApbPeripheral):
    """Time of day and the periodic wake-up. It lives in the backup domain: a system reset changes
    nothing (section 26.3.7).

    `clock_hz` says what RCC_BDCR chose: 0 while it is not enabled. `unlocked`: PWR_CR.DBP. The
    date stands where it was set; alarms, time stamps, calibration and shifts are not modelled.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        TR: Register("TR", 0, 0x007F_7F7F), DR: Register("DR", _RESET_DR, 0x00FF_FF3F),
        CR: Register("CR", 0, 0x00FF_FFFF), ISR: Register("ISR", 0x7, 0),
        PRER: Register("PRER", _RESET_PRER, 0x007F_7FFF), WUTR: Register("WUTR", 0xFFFF, 0xFFFF),
        WPR: Register("WPR", 0, 0), SSR: Register("SSR", 0, 0),
        **{BKP0R + 4 * n: Register(f"BKP{n}R") for n in range(BACKUP_REGISTERS)},
    }  # fmt: skip
    unmodelled: ClassVar[Mapping[int, str]] = {
        CALIBR: "CALIBR", ALRMAR: "ALRMAR", ALRMBR: "ALRMBR", SHIFTR: "SHIFTR", TSTR: "TSTR",
        TSDR: "TSDR", TSSSR: "TSSSR", CALR: "CALR", TAFCR: "TAFCR", ALRMASSR: "ALRMASSR",
        ALRMBSSR: "ALRMBSSR",
    }  # fmt: skip
    stable = frozenset({CR, PRER, WUTR, DR, *range(BKP0R, BKP0R + 4 * BACKUP_REGISTERS, 4)})

    def __init__(self, name: str, *_irqs: int) -> None:
        self._event: Event | None = None
        super().__init__(name)
        self.clock_hz: Callable[[], int] = lambda: 32_768
        self.unlocked: Callable[[], bool] = lambda: True
        self._key_step = 0
        self._set_ns = 0  # when TR was last true
        self._initialising = False
        self._wake_flag = False

    def reset(self) -> None:
        """A system reset locks the registers and changes nothing else."""
        self._key_step = 0

    # Registers

    def read_word(self, offset: int) -> int:
        """A register; time and sub-seconds are those of now."""
        if offset == TR:
            return _bcd_time(self._now()[0])
        if offset == SSR:
            return self._now()[1]
        if offset == ISR:
            return self._isr()
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register, where the locks allow it (section 26.3.5)."""
        if not self.unlocked():
            return
        if offset == WPR:
            self._write_key(value & 0xFF)
        elif offset == ISR:
            self._write_isr(value)
        elif self._key_step == len(_KEYS) or offset in _NEVER_LOCKED:
            self._write_unlocked(offset, value)

    def _write_key(self, key: int) -> None:
        right = self._key_step < len(_KEYS) and key == _KEYS[self._key_step]
        self._key_step = self._key_step + 1 if right else 0

    def _write_isr(self, value: int) -> None:
        if not value & ISR_WUTF:
            self._wake_flag = False
            self._drive()
        if self._key_step == len(_KEYS) and bool(value & ISR_INIT) is not self._initialising:
            if not self._initialising:
                self._keep_time()  # the calendar stands still while it is set
            self._initialising = bool(value & ISR_INIT)
            self._set_ns = self.bus.now_ns()

    def _write_unlocked(self, offset: int, value: int) -> None:
        if offset in (TR, DR, PRER) and not self._initialising:
            return
        if offset == WUTR and self.values[CR] & CR_WUTE:
            return
        was_on = self.values[CR] & CR_WUTE
        self.store(offset, value)
        if offset == CR:
            if value & _CR_UNMODELLED:
                self.unmodelled_write(offset, value)
            if bool(value & CR_WUTE) is not bool(was_on):
                self._plan()
            self._drive()

    def _isr(self) -> int:
        value = _ALARMS_WRITABLE | ISR_RSF | (0 if self.values[CR] & CR_WUTE else ISR_WUTWF)
        value |= ISR_INITS if self.values[DR] != _RESET_DR else 0
        value |= ISR_INIT | ISR_INITF if self._initialising else 0
        return value | (ISR_WUTF if self._wake_flag else 0)

    # Time

    def _prescalers(self) -> tuple[int, int]:
        prer = self.values[PRER]
        return (prer >> 16 & 0x7F) + 1, (prer & 0x7FFF) + 1

    def _now(self) -> tuple[int, int]:
        """Seconds of the day, and SSR: it counts down (section 26.6.11)."""
        start, (asynchronous, synchronous) = _seconds(self.values[TR]), self._prescalers()
        hz = self.clock_hz()
        if self._initialising or not hz:
            return start, synchronous - 1
        ticks = (self.bus.now_ns() - self._set_ns) * hz // (asynchronous * _NS)
        return (start + ticks // synchronous) % _DAY_S, synchronous - 1 - ticks % synchronous

    def _keep_time(self) -> None:
        self.values[TR] = _bcd_time(self._now()[0])

    # Wake-up

    def _period_ns(self) -> int:
        """From one wake-up to the next; 0 without a clock (section 26.3.4, figure 237)."""
        hz, select = self.clock_hz(), self.values[CR] & CR_WUCKSEL
        if not hz:
            return 0
        asynchronous, synchronous = self._prescalers()
        divider = asynchronous * synchronous if select & 4 else 16 >> (select & 3)
        count = self.values[WUTR] + 1 + (0x1_0000 if select >= 6 else 0)
        return count * divider * _NS // hz

    def _plan(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None
        period_ns = self._period_ns() if self.values[CR] & CR_WUTE else 0
        if period_ns:
            self._event = self.bus.schedule_ns(period_ns, self._wake)

    def _wake(self) -> None:
        self._wake_flag = True
        self._plan()
        self._drive()

    def _drive(self) -> None:
        """The interrupt goes through line 22 of the EXTI (section 26.5)."""
        self.bus.set_exti(_LINE, self._wake_flag and bool(self.values[CR] & CR_WUTIE))


def _bcd_time(seconds: int) -> int:
    parts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return sum(
        (part // 10 << 4 | part % 10) << shift
        for part, shift in zip(parts, (16, 8, 0), strict=True)
    )


def _seconds(bcd: int) -> int:
    hours, minutes, seconds = (
        (bcd >> shift >> 4 & mask) * 10 + (bcd >> shift & 0xF)
        for shift, mask in ((16, 3), (8, 7), (0, 7))
    )
    return (hours * 60 + minutes) * 60 + seconds
