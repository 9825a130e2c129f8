"""A two-wire bus that the firmware drives by hand, over two plain pins: SCCB, I2C.

The target sees levels and edges (I2C-bus specification, section 3.1), and pulls SDA low for its
acknowledge and for its zeros. Both lines have a pull-up.
"""

from __future__ import annotations

from boardless_sim.boards.pins import Pin
from boardless_sim.peripherals.i2c import I2cTarget

_BITS = 8


class BitBangedBus:
    """Turns the levels of two pins into what an `I2cTarget` is asked."""

    def __init__(self, clock: Pin, data: Pin, target: I2cTarget) -> None:
        self._clock, self._data, self._target = clock, data, target
        self._clock_high = self._data_high = True
        self._pulls = False
        self._forget()
        for gpio, pin in (clock, data):
            gpio.set_input(pin, high=True)
        for gpio in {clock[0], data[0]}:
            gpio.watchers.append(self._look)

    def _forget(self) -> None:
        self._listening = self._addressed = self._reading = False
        self._bits: list[bool] = []
        self._sent = 0

    def _look(self) -> None:
        """Levels may have changed: an edge of the clock, or of data while the clock is high."""
        clock, data = (gpio.level(pin) for gpio, pin in (self._clock, self._data))
        rose, fell = clock and not self._clock_high, self._clock_high and not clock
        moved = data is not self._data_high and clock and self._clock_high
        self._clock_high, self._data_high = clock, data
        if moved and not self._pulls:
            self._condition(stop=data)
        elif rose and self._listening and not self._drives:
            self._bits.append(data)
        elif rose and self._listening:
            self._bits.append(True)
        elif fell and self._listening:
            self._after_bit()

    def _condition(self, *, stop: bool) -> None:
        """Data that moves while the clock is high: a stop, or a start."""
        if stop and self._addressed:
            self._target.stop()
        self._forget()
        self._listening = not stop

    @property
    def _drives(self) -> bool:
        """Whether the target's bits are on the line, and not the master's."""
        return self._reading and len(self._bits) < _BITS

    def _after_bit(self) -> None:
        """The clock fell: the next bit is put on the line."""
        count = len(self._bits)
        if count == _BITS:
            self._pull(self._byte_ended())
            return
        if count > _BITS:  # the ninth went by
            refused = self._reading and self._addressed and self._bits[_BITS]
            self._bits = []
            self._listening = self._listening and not refused
            if self._reading and self._listening:
                self._sent = self._target.read()
        if self._drives and self._listening:
            self._pull(not self._sent >> (_BITS - 1 - len(self._bits)) & 1)
        else:
            self._pull(False)

    def _byte_ended(self) -> bool:
        """Whether the target acknowledges; the master does what the target sent."""
        value = sum(bit << (_BITS - 1 - n) for n, bit in enumerate(self._bits))
        if self._addressed:
            return not self._reading and self._target.write(value)
        self._addressed = value >> 1 == self._target.address and self._target.start(bool(value & 1))
        self._listening = self._addressed
        self._reading = self._addressed and bool(value & 1)
        return self._addressed

    def _pull(self, low: bool) -> None:
        gpio, pin = self._data
        if low is not self._pulls:
            self._pulls = low
            gpio.set_input(pin, high=not low)
            self._data_high = gpio.level(pin)
