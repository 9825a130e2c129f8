"""The clock on the sensor's XCLK pin: an oscillator, or a pin of the chip that puts one out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from boardless_sim.boards.board import HERTZ
from boardless_sim.boards.pins import Pins
from boardless_sim.errors import BoardError
from boardless_sim.peripherals.peripheral import Peripheral
from boardless_sim.peripherals.rcc import Rcc
from boardless_sim.peripherals.timer import Timer

_TIMER_OUTPUT = re.compile(r"(TIM\d+)_CH([1-4])(N?)")
_SCALE = {"M": 1_000_000, "k": 1_000, None: 1}


class Xclk:
    """How fast XCLK is now, in hertz; 0 while nothing drives it."""

    def __init__(
        self, source: str, rcc: Rcc, pins: Pins, devices: Mapping[str, Peripheral]
    ) -> None:
        self._source, self._pins = source, pins
        self._frequency = self._find(rcc, devices)

    def _find(self, rcc: Rcc, devices: Mapping[str, Peripheral]) -> Callable[[], int]:
        source = self._source
        oscillator, output = HERTZ.fullmatch(source), _TIMER_OUTPUT.fullmatch(source)
        if oscillator is not None:
            hertz = round(float(oscillator[1]) * _SCALE[oscillator[2]])
            return lambda: hertz
        if source in ("MCO1", "MCO2"):
            return lambda: rcc.clock_output_hz(int(source[-1]))
        timer = devices.get(output[1]) if output is not None else None
        if output is None or not isinstance(timer, Timer):
            raise BoardError(f"xclk {source!r}, expected MCO1, MCO2, TIM1_CH1 or such, 24M")
        channel = int(output[2])
        complement = bool(output[3])
        return lambda: timer.output_hz(channel, complement=complement)

    @property
    def is_oscillator(self) -> bool:
        """Whether it needs no pin of the chip."""
        return self._source[0].isdigit()

    def hertz(self) -> int:
        """The frequency that arrives at the sensor."""
        if not self.is_oscillator and not self._pins.of(self._source):
            return 0
        return self._frequency()

    def why_dead(self) -> str:
        """Why there is none, for messages."""
        if not self._pins.of(self._source):
            return f"no pin is in the alternate function {self._source}"
        return f"the source of {self._source} stands still"
