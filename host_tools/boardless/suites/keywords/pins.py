"""Keywords about the pins of the chip: levels, voltages, frequencies, a bus that is held."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from boardless.suites.keywords.area import Area, board_keyword, microseconds
from boardless_sim.errors import BoardlessError

_HERTZ = re.compile(r"(\d+(?:\.\d+)?)\s*(k|M)?Hz")
_SCALE = {None: 1, "k": 1_000, "M": 1_000_000}
_BUS = re.compile(r"I2C\d")

Level = Literal["high", "low", "released"]


class PinKeywords(Area):
    """Wires and instruments at the pins."""

    @board_keyword
    def set_pin(self, pin: str, level: Level) -> None:
        """Drive a pin from outside, ``high`` or ``low``; ``released``, drive it no more.

        | Set Pin | PA0 | high |
        """
        bench = self.rig.engine.bench()
        if level == "released":
            bench.release(pin)
        else:
            bench.drive(pin, level == "high")

    @board_keyword
    def pin_should_be(self, pin: str, level: Literal["high", "low"]) -> None:
        """The level on a pin now, whoever drives it.

        | Pin Should Be | PD12 | high |
        """
        found = "high" if self.rig.engine.bench().level(pin) else "low"
        if found != level:
            raise AssertionError(f"pin {pin} is {found}, expected {level}")

    @board_keyword
    def pin_should_toggle_at(
        self,
        pin: str,
        frequency: str,
        tolerance: float = 0.02,
        over: timedelta = timedelta(milliseconds=100),
    ) -> None:
        """A pin goes high so many times a second, give or take ``tolerance``, a fraction.

        What a timer or a clock output drives is known at once; any other pin is watched while the
        board runs for ``over``.

        | Pin Should Toggle At | PD12 | 500 Hz |
        | Pin Should Toggle At | PD12 | 1 Hz | over=5 s |
        """
        expected_hz = _hertz(frequency)
        found_hz = self._frequency_of(pin, microseconds(over))
        if abs(found_hz - expected_hz) > tolerance * expected_hz:
            raise AssertionError(
                f"pin {pin} toggles at {found_hz:g} Hz, expected {expected_hz:g} Hz "
                f"within {tolerance * 100:g} % ({self.rig.engine.timing_basis})"
            )

    def _frequency_of(self, pin: str, over_us: float) -> float:
        bench = self.rig.engine.bench()
        driven_hz = bench.frequency_hz(pin)
        if driven_hz is not None:
            return driven_hz
        edges = bench.rising_edges(pin)
        self.rig.run(over_us)
        if len(edges) < 2:
            return 0.0
        return (len(edges) - 1) * 1e6 / (edges[-1] - edges[0])

    @board_keyword
    def hold_bus_low(self, bus: str) -> None:
        """Pull a bus (both pins of "I2C1") or one pin low, as a shorted or a hung part does.

        | Hold Bus Low | I2C1 |
        | Hold Bus Low | PB9 |
        """
        for pin in self._pins_of(bus):
            self.rig.engine.bench().drive(pin, high=False)

    @board_keyword
    def release_bus(self, bus: str) -> None:
        """Let go of what `Hold Bus Low` holds.

        | Release Bus | I2C1 |
        """
        for pin in self._pins_of(bus):
            self.rig.engine.bench().release(pin)

    def _pins_of(self, bus: str) -> list[str]:
        return self.rig.engine.bench().pins_of(bus) if _BUS.fullmatch(bus) else [bus]

    @board_keyword
    def set_voltage(self, pin: str, volts: float) -> None:
        """What the ADC measures on a pin from now on.

        | Set Voltage | PA1 | 1.65 |
        """
        self.rig.engine.bench().voltage(pin, volts)


def _hertz(text: str) -> float:
    match = _HERTZ.fullmatch(text)
    if match is None or not float(match[1]):
        raise BoardlessError(f"frequency {text!r}, expected one as 500 Hz or 2.5 kHz")
    return float(match[1]) * _SCALE[match[2]]
