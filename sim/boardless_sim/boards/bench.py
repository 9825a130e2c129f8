"""The pins of a board from outside: what a test drives, and what it reads with instruments."""

from __future__ import annotations

import re
from collections.abc import Callable

from boardless_sim.boards.devices import BoardDevices
from boardless_sim.boards.pins import Pin
from boardless_sim.errors import BoardError
from boardless_sim.peripherals.timer import Timer

_PIN = re.compile(r"P([A-K])(\d|1[0-5])")
_TIMER_SIGNAL = re.compile(r"(TIM\d+)_CH([1-4])N?")


class BoardBench:
    """Implements `PinBench` on the devices of a board."""

    def __init__(self, devices: BoardDevices, time_us: Callable[[], float]) -> None:
        self._devices, self._time_us = devices, time_us

    def drive(self, pin: str, high: bool) -> None:
        gpio, number = self._find(pin)
        gpio.set_input(number, high)

    def release(self, pin: str) -> None:
        gpio, number = self._find(pin)
        gpio.release_input(number)

    def level(self, pin: str) -> bool:
        gpio, number = self._find(pin)
        return gpio.level(number)

    def voltage(self, pin: str, volts: float) -> None:
        self._devices.analog.drive(pin, volts)

    def rising_edges(self, pin: str) -> list[float]:
        gpio, number = self._find(pin)
        edges: list[float] = []
        was_high = gpio.level(number)

        def look() -> None:
            nonlocal was_high
            high = gpio.level(number)
            if high and not was_high:
                edges.append(self._time_us())
            was_high = high

        gpio.watchers.append(look)
        return edges

    def frequency_hz(self, pin: str) -> int | None:
        place = self._find(pin)
        for signal in self._devices.pins.signals_on(place):
            match = _TIMER_SIGNAL.fullmatch(signal)
            if match is not None:
                timer = self._devices.by_name[match[1]][1]
                return timer.output_hz(int(match[2])) if isinstance(timer, Timer) else None
            if signal.startswith("RCC_MCO_") or signal in ("MCO1", "MCO2"):
                return self._devices.rcc.clock_output_hz(int(signal[-1]))
        return None

    def pins_of(self, bus: str) -> list[str]:
        found = sorted(
            f"P{gpio.name[-1]}{number}" for gpio, number in self._devices.pins.on_bus(bus)
        )
        if not found:
            raise BoardError(f"bus {bus!r}, expected one that has a pin now, as I2C1")
        return found

    def _find(self, pin: str) -> Pin:
        match = _PIN.fullmatch(pin)
        gpio = self._devices.gpios.get(f"GPIO{match[1]}") if match is not None else None
        if match is None or gpio is None:
            raise BoardError(f"pin {pin!r}, expected one of the chip's, as PD12")
        return gpio, int(match[2])
