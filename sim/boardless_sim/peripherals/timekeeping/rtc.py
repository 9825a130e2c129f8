"""RTC: calendar, sub-seconds, alarms and the wake-up timer (RM0090 chapter 26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import ApbPeripheral, Register
from boardless_sim.peripherals.timekeeping.calendar import (
    date_register,
    read_registers,
    seconds_to_alarm,
    time_register,
)  # fmt: skip

TR, DR, CR, ISR, PRER, WUTR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
CALIBR, ALRMAR, ALRMBR, WPR, SSR, SHIFTR = 0x18, 0x1C, 0x20, 0x24, 0x28, 0x2C
TSTR, TSDR, TSSSR, CALR, TAFCR, ALRMASSR, ALRMBSSR = 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48
BKP0R, BACKUP_REGISTERS = 0x50, 20

CR_WUCKSEL, CR_BYPSHAD, CR_FMT, CR_WUTE, CR_WUTIE = 7, 1 << 5, 1 << 6, 1 << 10, 1 << 14
CR_ALRAE, CR_ALRBE, CR_ALRAIE, CR_ALRBIE = 1 << 8, 1 << 9, 1 << 12, 1 << 13
CR_ADD1H, CR_SUB1H = 1 << 16, 1 << 17
_CR_UNMODELLED = 0x00E0_8898  # REFCKON, DCE, TSEDGE, TSE, TSIE, OSEL, COE
ISR_ALRAWF, ISR_ALRBWF, ISR_WUTWF = 1 << 0, 1 << 1, 1 << 2
ISR_RSF, ISR_INITS, ISR_INITF = 1 << 5, 1 << 4, 1 << 6
ISR_INIT, ISR_ALRAF, ISR_ALRBF, ISR_WUTF = 1 << 7, 1 << 8, 1 << 9, 1 << 10
_FLAGS = ISR_ALRAF | ISR_ALRBF | ISR_WUTF
_KEYS = (0xCA, 0x53)
_NEVER_LOCKED = frozenset({ISR, WPR, *range(BKP0R, BKP0R + 4 * BACKUP_REGISTERS, 4)})
_SET_ONLY_IN_INITIALISATION = frozenset({TR, DR, PRER})
_ALARM_LINE, _WAKE_UP_LINE = 17, 22  # of EXTI
_NS = 1_000_000_000
_YEARS = 0x00FF_0000  # of DR
_RESET_PRER, _RESET_DR = 0x007F_00FF, 0x2101
# Of each alarm: its registers, its bits of CR and ISR.
_ALARMS = (
    (ALRMAR, ALRMASSR, CR_ALRAE, CR_ALRAIE, ISR_ALRAF, ISR_ALRAWF),
    (ALRMBR, ALRMBSSR, CR_ALRBE, CR_ALRBIE, ISR_ALRBF, ISR_ALRBWF),
)


class Rtc(ApbPeripheral):
    """Date, time of day, two alarms and the periodic wake-up. It lives in the backup domain: a
    system reset changes nothing (section 26.3.7).

    `clock_hz` says what RCC_BDCR chose: 0 while it is not enabled. `unlocked`: PWR_CR.DBP. Time
    stamps, tamper pins, calibration and shifts are not modelled.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        TR: Register("TR", 0, 0x007F_7F7F), DR: Register("DR", _RESET_DR, 0x00FF_FF3F),
        CR: Register("CR", 0, 0x00FC_FFFF), ISR: Register("ISR", 0x7, 0),
        PRER: Register("PRER", _RESET_PRER, 0x007F_7FFF), WUTR: Register("WUTR", 0xFFFF, 0xFFFF),
        ALRMAR: Register("ALRMAR"), ALRMBR: Register("ALRMBR"), WPR: Register("WPR", 0, 0),
        SSR: Register("SSR", 0, 0), ALRMASSR: Register("ALRMASSR", 0, 0x0F00_7FFF),
        ALRMBSSR: Register("ALRMBSSR", 0, 0x0F00_7FFF),
        TSTR: Register("TSTR", 0, 0), TSDR: Register("TSDR", 0, 0), TSSSR: Register("TSSSR", 0, 0),
        CALR: Register("CALR", 0, 0xE1FF), TAFCR: Register("TAFCR", 0, 0x7_FFDF),
        **{BKP0R + 4 * n: Register(f"BKP{n}R") for n in range(BACKUP_REGISTERS)},
    }  # fmt: skip
    unmodelled: ClassVar[Mapping[int, str]] = {
        CALIBR: "CALIBR", SHIFTR: "SHIFTR",
    }  # fmt: skip
    stable = frozenset(layout) - {TR, DR, SSR, ISR, WPR}

    def __init__(self, name: str, *_irqs: int) -> None:
        self._wake_up: Event | None = None
        self._alarms: list[Event | None] = [None, None]
        super().__init__(name)
        self.clock_hz: Callable[[], int] = lambda: 32_768
        self.unlocked: Callable[[], bool] = lambda: True
        self._key_step = 0
        self._set_ns = 0  # when TR and DR were last true
        self._initialising = False
        self._flags = 0

    def reset(self) -> None:
        """A system reset locks the registers and changes nothing else."""
        self._key_step = 0

    # Registers

    def read_word(self, offset: int) -> int:
        """A register; date, time and sub-seconds are those of now."""
        if offset in (TR, DR):
            seconds = self._ticks() // self._prescalers()[1]
            moment = read_registers(self.values[TR], self.values[DR]).after(seconds)
            if offset == DR:
                return date_register(moment)
            return time_register(moment, twelve_hours=bool(self.values[CR] & CR_FMT))
        if offset == SSR:  # it counts down (section 26.6.11)
            synchronous = self._prescalers()[1]
            return synchronous - 1 - self._ticks() % synchronous
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
        self._flags &= value | ~_FLAGS
        if self._key_step == len(_KEYS) and bool(value & ISR_INIT) is not self._initialising:
            if not self._initialising:
                self._keep_time()  # the calendar stands still while it is set
            self._initialising = bool(value & ISR_INIT)
            self._set_ns = self.bus.now_ns()
            self._plan_alarms()
        self._drive()

    def _write_unlocked(self, offset: int, value: int) -> None:
        control = self.values[CR]
        if offset in _SET_ONLY_IN_INITIALISATION and not self._initialising:
            return
        if offset == WUTR and control & CR_WUTE:
            return
        for register, sub_seconds, enable, *_ in _ALARMS:
            if offset in (register, sub_seconds) and control & enable:
                return  # written only while the alarm is off (ALRxWF)
        self.store(offset, value)
        if offset == CR:
            self._follow_control(value, control)
        elif value and offset in (CALR, TAFCR):
            self.unmodelled_write(offset, value)

    def _follow_control(self, value: int, old: int) -> None:
        if value & _CR_UNMODELLED:
            self.unmodelled_write(CR, value)
        if value & (CR_ADD1H | CR_SUB1H):
            self._keep_time(3600 if value & CR_ADD1H else -3600)
        if (value ^ old) & CR_WUTE:
            self._plan_wake_up()
        self._plan_alarms()
        self._drive()

    def _isr(self) -> int:
        control = self.values[CR]
        value = self._flags | ISR_RSF | (0 if control & CR_WUTE else ISR_WUTWF)
        for _, _, enable, _, _, writable in _ALARMS:
            value |= 0 if control & enable else writable
        value |= ISR_INITS if self.values[DR] & _YEARS else 0
        return value | (ISR_INIT | ISR_INITF if self._initialising else 0)

    # Time

    def _prescalers(self) -> tuple[int, int]:
        prer = self.values[PRER]
        return (prer >> 16 & 0x7F) + 1, (prer & 0x7FFF) + 1

    def _ticks(self) -> int:
        """Periods of ck_apre since TR and DR were set."""
        hz = self.clock_hz()
        if self._initialising or not hz:
            return 0
        return (self.bus.now_ns() - self._set_ns) * hz // (self._prescalers()[0] * _NS)

    def _keep_time(self, seconds: int = 0) -> None:
        """From here on time is counted from now, `seconds` later."""
        seconds += self._ticks() // self._prescalers()[1]
        moment = read_registers(self.values[TR], self.values[DR]).after(seconds)
        self.values[TR] = time_register(moment, twelve_hours=bool(self.values[CR] & CR_FMT))
        self.values[DR] = date_register(moment)
        self._set_ns = self.bus.now_ns()

    # Alarms (section 26.3.3)

    def _plan_alarms(self) -> None:
        for number, (_, _, enable, *_) in enumerate(_ALARMS):
            event, self._alarms[number] = self._alarms[number], None
            if event is not None:
                event.cancel()
            if self.values[CR] & enable and not self._initialising and self.clock_hz():
                self._plan_alarm(number)

    def _plan_alarm(self, number: int) -> None:
        ticks = self._next_alarm(number)
        if ticks is None:
            return
        due_ns = -(-ticks * self._prescalers()[0] * _NS // self.clock_hz())
        delay_ns = self._set_ns + due_ns - self.bus.now_ns()
        ring = self._ring_a if number == 0 else self._ring_b
        self._alarms[number] = self.bus.schedule_ns(max(delay_ns, 1), ring)

    def _next_alarm(self, number: int) -> int | None:
        """Ticks from the setting of the time to the next match, which is not now."""
        register, sub_register, *_ = _ALARMS[number]
        synchronous = self._prescalers()[1]
        compared = self.values[sub_register] >> 24 & 0xF
        step = min(1 << compared, synchronous) if compared else synchronous
        first = (synchronous - 1 - self.values[sub_register] & 0x7FFF) % step if compared else 0
        after = self._ticks() + 1
        second, tick = divmod(after, synchronous)
        tick = first + -(-max(tick - first, 0) // step) * step
        if tick >= synchronous:
            second, tick = second + 1, first
        now = read_registers(self.values[TR], self.values[DR]).after(second)
        wait = seconds_to_alarm(now, self.values[register])
        if wait is None:
            return None
        return (second + wait) * synchronous + (first if wait else tick)

    def _ring_a(self) -> None:
        self._ring(0)

    def _ring_b(self) -> None:
        self._ring(1)

    def _ring(self, number: int) -> None:
        self._alarms[number] = None
        self._flags |= _ALARMS[number][4]
        self._plan_alarm(number)
        self._drive()

    # Wake-up (section 26.3.4)

    def _period_ns(self) -> int:
        """From one wake-up to the next; 0 without a clock (figure 237)."""
        hz, select = self.clock_hz(), self.values[CR] & CR_WUCKSEL
        if not hz:
            return 0
        asynchronous, synchronous = self._prescalers()
        divider = asynchronous * synchronous if select & 4 else 16 >> (select & 3)
        count = self.values[WUTR] + 1 + (0x1_0000 if select >= 6 else 0)
        return count * divider * _NS // hz

    def _plan_wake_up(self) -> None:
        if self._wake_up is not None:
            self._wake_up.cancel()
            self._wake_up = None
        period_ns = self._period_ns() if self.values[CR] & CR_WUTE else 0
        if period_ns:
            self._wake_up = self.bus.schedule_ns(period_ns, self._wake)

    def _wake(self) -> None:
        self._flags |= ISR_WUTF
        self._plan_wake_up()
        self._drive()

    def _drive(self) -> None:
        """The interrupts go through lines 17 and 22 of the EXTI (section 26.5)."""
        control = self.values[CR]
        rings = any(control & enable and self._flags & flag for *_, enable, flag, _ in _ALARMS)
        self.bus.set_exti(_ALARM_LINE, rings)
        self.bus.set_exti(_WAKE_UP_LINE, bool(control & CR_WUTIE and self._flags & ISR_WUTF))
