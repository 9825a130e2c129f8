"""GPIO: one port of 16 pins (RM0090 chapter 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import AhbPeripheral, Register

MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
BSRR, LCKR, AFRL, AFRH = 0x18, 0x1C, 0x20, 0x24
MODE_INPUT, MODE_OUTPUT, MODE_ALTERNATE, MODE_ANALOG = range(4)
PULL_UP = 1
LCKR_LCKK = 1 << 16
_CHOOSES_FUNCTION = frozenset({MODER, AFRL, AFRH, OTYPER})

# After reset the debug pins of ports A and B are not plain inputs (section 8.4).
RESET_VALUES: Mapping[str, Mapping[int, int]] = {
    "GPIOA": {MODER: 0xA800_0000, PUPDR: 0x6400_0000},
    "GPIOB": {MODER: 0x0000_0280, OSPEEDR: 0x0000_00C0, PUPDR: 0x0000_0100},
}


class Gpio(AhbPeripheral):
    """A port. A pin that nobody drives reads as its pull says, low without a pull."""

    layout: ClassVar[Mapping[int, Register]] = {
        MODER: Register("MODER"), OTYPER: Register("OTYPER", 0, 0xFFFF),
        OSPEEDR: Register("OSPEEDR"), PUPDR: Register("PUPDR"), IDR: Register("IDR", 0, 0),
        ODR: Register("ODR", 0, 0xFFFF), BSRR: Register("BSRR", 0, 0),
        LCKR: Register("LCKR", 0, 0x1FFFF), AFRL: Register("AFRL"), AFRH: Register("AFRH"),
    }  # fmt: skip
    write_ones = frozenset({BSRR})
    stable = frozenset(layout)

    def __init__(self, name: str) -> None:
        self._driven = 0  # pins driven from outside, and their levels
        self._driven_high = 0
        self._lock_step = 0
        self._followed: dict[int, Callable[[], bool]] = {}
        self._driving_timers: Mapping[int, Callable[[], bool | None]] = {}
        self._inputs: Mapping[int, Callable[[bool], None]] = {}
        self.polled = False  # whether the firmware ever read the levels
        super().__init__(name)
        self.number = ord(name[-1]) - ord("A")
        self.watchers: list[Callable[[], None]] = []  # parts on the board
        self.on_change: Callable[[int], None] = lambda levels: None
        self.on_outside: Callable[[], None] = lambda: None
        self.on_config: Callable[[Gpio], None] = lambda port: None
        self._decode()
        self._drive()  # the pull-ups of the debug pins

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self.values.update(RESET_VALUES.get(self.name, {}))
        self._lock_step = 0

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._decode()
        self._drive()
        self.on_config(self)

    def set_input(self, pin: int, high: bool) -> None:
        """Drive a pin from outside, as a button or a test does."""
        bit = 1 << pin
        self._driven |= bit
        self._driven_high = (self._driven_high | bit) if high else (self._driven_high & ~bit)
        self._drive()
        self.on_outside()
        if not self.clocked:  # the pin moves all the same
            for watcher in self.watchers:
                watcher()

    def release_input(self, pin: int) -> None:
        """Stop driving a pin."""
        self._driven &= ~(1 << pin)
        self._driven_high &= ~(1 << pin)
        self._drive()
        self.on_outside()

    def is_held_low(self, pin: int) -> bool:
        """Whether somebody outside pulls a pin low."""
        return bool(self._driven & ~self._driven_high & 1 << pin)

    def is_driven_high(self, pin: int) -> bool:
        """Whether somebody outside drives a pin high."""
        return bool(self._driven_high >> pin & 1)

    def follow(self, pin: int, level: Callable[[], bool]) -> None:
        """The pin's level follows from the time: it is asked for when the port is read."""
        self._followed[pin] = level

    def drive_from(
        self,
        levels: Mapping[int, Callable[[], bool | None]],
        inputs: Mapping[int, Callable[[bool], None]],
    ) -> None:
        """Pins whose level a timer drives (None: it does not), and who hears of their edges."""
        self._driving_timers, self._inputs = levels, inputs

    def read_word(self, offset: int) -> int:
        """A register; levels that follow from the time are those of now."""
        if offset != IDR:
            return super().read_word(offset)
        self.polled = True
        return self.levels

    @property
    def levels(self) -> int:
        """The levels of the 16 pins now; to look at them is no read of the firmware's."""
        levels = self.values[IDR]
        for moving in (self._followed, self._driving_timers):
            for pin, level in moving.items():
                now = None if (self._outputs | self._analog) >> pin & 1 else level()
                if now is not None:
                    levels = levels & ~(1 << pin) | now << pin
                    self.bus.read_had_effect()  # not the same when read again
        return levels

    def level(self, pin: int) -> bool:
        """The level on a pin now."""
        return bool(self.levels >> pin & 1)

    def mode(self, pin: int) -> int:
        """How a pin is used: input, output, alternate function, analog."""
        return self.values[MODER] >> (2 * pin) & 3

    def is_open_drain(self, pin: int) -> bool:
        """Whether an output only pulls low."""
        return bool(self.values[OTYPER] >> pin & 1)

    def alternate(self, pin: int) -> int:
        """The alternate function number chosen for a pin."""
        return self.values[AFRL if pin < 8 else AFRH] >> (4 * (pin & 7)) & 0xF

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == BSRR:  # a bit that is both set and reset is set
            odr = (self.values[ODR] & ~(value >> 16)) | (value & 0xFFFF)
            self.values[ODR] = odr
            self._drive()
        elif offset == ODR:
            self.store(offset, value)
            self._drive()
        elif offset == LCKR:
            self._write_lock(value)
        else:
            self._store_unlocked(offset, value)
            self._decode()
            self._drive()
            if offset in _CHOOSES_FUNCTION:
                self.on_config(self)

    def _decode(self) -> None:
        """The masks that decide each pin's level, from the mode registers."""
        moder, pupdr = self.values[MODER], self.values[PUPDR]
        self._outputs = self._analog = self._pulled_up = 0
        for pin in range(16):
            mode = moder >> (2 * pin) & 3
            self._outputs |= (mode == MODE_OUTPUT) << pin
            self._analog |= (mode == MODE_ANALOG) << pin
            self._pulled_up |= (pupdr >> (2 * pin) & 3 == PULL_UP) << pin

    def _drive(self) -> None:
        odr = self.values[ODR]
        driving = self._outputs & ~(self.values[OTYPER] & odr)  # open drain: only the low level
        idle = (self._driven_high & self._driven) | (self._pulled_up & ~self._driven)
        levels = ((odr & driving) | (idle & ~driving)) & ~self._analog & 0xFFFF
        if levels != self.values[IDR]:
            changed = levels ^ self.values[IDR]
            self.values[IDR] = levels
            for pin, hear in self._inputs.items():
                if changed >> pin & 1:
                    hear(bool(levels >> pin & 1))
            self.on_change(levels)
            for watcher in self.watchers:
                watcher()

    def _write_lock(self, value: int) -> None:
        """The lock sequence: LCKK written 1, 0, 1 with the same pins, then read (section 8.4.8)."""
        if self.values[LCKR] & LCKR_LCKK:
            return
        expected = LCKR_LCKK if self._lock_step != 1 else 0
        same = self._lock_step == 0 or value & 0xFFFF == self.values[LCKR]
        if value & LCKR_LCKK != expected or not same:
            self._lock_step = 0
            self.values[LCKR] = value & 0xFFFF
            return
        self._lock_step += 1
        self.values[LCKR] = value & 0xFFFF | (LCKR_LCKK if self._lock_step == 3 else 0)

    def _store_unlocked(self, offset: int, value: int) -> None:
        locked = self.values[LCKR]
        if locked & LCKR_LCKK and offset in self.values:
            keep = _spread(locked & 0xFFFF, offset)
            value = (value & ~keep) | (self.values[offset] & keep)
        self.store(offset, value)


def _spread(pins: int, offset: int) -> int:
    """The bits of a configuration register that belong to `pins`."""
    width = {OTYPER: 1, AFRL: 4, AFRH: 4}.get(offset, 2)
    first = 8 if offset == AFRH else 0
    lanes = 32 // width if width > 1 else 16
    field = (1 << width) - 1
    return sum(field << (width * n) for n in range(lanes) if pins >> (n + first) & 1)
