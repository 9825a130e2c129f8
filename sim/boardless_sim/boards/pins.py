"""Which signals reach a pin: the alternate functions that firmware has chosen (RM0090 8.3.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from boardless_sim.peripherals.gpio import MODE_ALTERNATE, Gpio
from boardless_sim.peripherals.peripheral import Peripheral
from boardless_sim.peripherals.timer import Timer

_TIMER_SIGNAL = re.compile(r"(TIM\d+)_(?:CH([1-4])(N?)|(ETR)|(BKIN))")
Pin = tuple[Gpio, int]
_Choice = tuple[tuple[str, ...], bool]  # the signals of a pin, and whether it is open drain
_NOTHING: _Choice = ((), False)


class Pins:
    """Follows the ports' configuration and tells each device which of its signals have a pin.

    Whoever needs more than the device (a clock output, a wire of the camera) asks `of` and is
    called by `on_change`.
    """

    fixed_fields: ClassVar[frozenset[str]] = frozenset(["_alternates", "_candidates", "_devices"])

    def __init__(
        self,
        alternates: Mapping[tuple[str, int], tuple[str, ...]],
        gpios: Mapping[str, Gpio],
        devices: Mapping[str, Peripheral],
    ) -> None:
        self._alternates = alternates
        self._devices = devices
        self._by_port: dict[str, dict[int, _Choice]] = {}
        self._pins: dict[str, list[Pin]] = {}
        self.on_change: Callable[[], None] = lambda: None
        for gpio in gpios.values():
            gpio.on_config = self._follow
            self._by_port[gpio.name] = {}
        self._candidates: dict[str, list[Pin]] = {}
        for (name, _), signals in alternates.items():
            gpio = gpios[f"GPIO{name[0]}"]
            for signal in signals:
                self._candidates.setdefault(signal, []).append((gpio, int(name[1:])))
        for device in devices.values():
            device.wire(frozenset())

    def of(self, signal: str) -> list[Pin]:
        """The pins that carry a signal, such as "DCMI_VSYNC"."""
        return self._pins.get(signal, [])

    def signals_on(self, pin: Pin) -> list[str]:
        """What a pin carries."""
        return [signal for signal, pins in self._pins.items() if pin in pins]

    def on_bus(self, device: str) -> list[Pin]:
        """The pins that carry any signal of a device."""
        prefix = f"{device}_"
        return [pin for name, pins in self._pins.items() if name.startswith(prefix) for pin in pins]

    def lines_of(self, signal: str) -> list[Pin]:
        """Where an outside line with this signal arrives.

        The pins in its alternate function, else those that could be and are plain inputs.
        """
        return self.of(signal) or [
            (gpio, pin) for gpio, pin in self._candidates.get(signal, ()) if not gpio.mode(pin)
        ]

    def _follow(self, gpio: Gpio) -> None:
        """The port was configured: what changed is told to the devices."""
        before, after = self._by_port[gpio.name], self._chosen(gpio)
        changed = [pin for pin in range(16) if before.get(pin) != after.get(pin)]
        if not changed:
            return
        self._by_port[gpio.name] = after
        touched: set[str] = set()
        for pin in changed:
            for signal in before.get(pin, _NOTHING)[0]:
                self._pins[signal].remove((gpio, pin))
                touched.add(signal)
            for signal in after.get(pin, _NOTHING)[0]:
                self._pins.setdefault(signal, []).append((gpio, pin))
                touched.add(signal)
        self._wire_timers(gpio, after)
        for name in {signal.partition("_")[0] for signal in touched}:
            device = self._devices.get(name)
            if device is not None:
                device.wire(self._signals_of(name))
        self.on_change()

    def _wire_timers(self, gpio: Gpio, chosen: Mapping[int, _Choice]) -> None:
        """What a channel puts out is the level of its pins, and what arrives there is its input."""
        levels: dict[int, Callable[[], bool | None]] = {}
        inputs: dict[int, Callable[[bool], None]] = {}
        for pin, (signals, _) in chosen.items():
            for signal in signals:
                match = _TIMER_SIGNAL.fullmatch(signal)
                timer = self._devices.get(match[1]) if match is not None else None
                if match is None or not isinstance(timer, Timer):
                    continue
                if match[2] is None:
                    inputs[pin] = timer.external_edge if match[4] else timer.break_input
                elif match[3]:
                    levels[pin] = partial(timer.complement_level, int(match[2]))
                else:
                    levels[pin] = partial(timer.output_level, int(match[2]))
                    inputs[pin] = partial(timer.input_edge, int(match[2]))
        gpio.drive_from(levels, inputs)

    def _chosen(self, gpio: Gpio) -> dict[int, _Choice]:
        port, found = gpio.name[-1], {}
        for pin in range(16):
            if gpio.mode(pin) == MODE_ALTERNATE:
                signals = self._alternates.get((f"{port}{pin}", gpio.alternate(pin)), ())
                found[pin] = (signals, gpio.is_open_drain(pin))
        return found

    def _signals_of(self, device: str) -> frozenset[str]:
        prefix = f"{device}_"
        found = set()
        for signal, pins in self._pins.items():
            if pins and signal.startswith(prefix):
                found.add(signal[len(prefix) :])
                if any(gpio.is_open_drain(pin) for gpio, pin in pins):
                    found.add(f"{signal[len(prefix) :]} open drain")
        return frozenset(found)
