"""Voltages on pins: what the ADC measures there, and what the DAC puts out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from boardless_sim.errors import BoardError
from boardless_sim.peripherals.analog.adc import CCR_TSVREFE, CCR_VBATE, Adc
from boardless_sim.peripherals.analog.dac import Dac
from boardless_sim.peripherals.gpio import MODE_ANALOG, Gpio
from boardless_sim.peripherals.peripheral import Bus

# The pins of the channels (STM32F407 datasheet, table 7: ADC123_IN0 is PA0): ADC3 has its own.
_SHARED = tuple(
    [f"PA{n}" for n in range(8)] + ["PB0", "PB1"] + [f"PC{n}" for n in range(6)]
)  # fmt: skip
_OF_ADC3 = {4: "PF6", 5: "PF7", 6: "PF8", 7: "PF9", 8: "PF10", 9: "PF3", 14: "PF4", 15: "PF5"}
_DAC_PINS = {"PA4": 1, "PA5": 2}
_REFERENCE, _BATTERY = 17, 18  # VREFINT, VBAT
_REFERENCE_V, _BATTERY_V = 1.21, 3.0  # datasheet, table 77; a fresh cell
_SENSOR_V = 0.76  # of the temperature sensor at 25 degrees (datasheet, table 74)

Steps = Sequence[tuple[float, float]]  # microseconds since power-on, volts; between them: a line


class AnalogPins:
    """What stands on the pins. One that nobody drives is at 0 V.

    `temperature_channel`: 16 or 18, by the part.
    """

    fixed_fields: ClassVar[frozenset[str]] = frozenset(["_gpios", "_supply_v"])

    def __init__(
        self,
        bus: Bus,
        gpios: Mapping[str, Gpio],
        supply_mv: int,
        temperature_channel: int,
    ) -> None:
        self._bus, self._gpios = bus, gpios
        self._supply_v = supply_mv / 1000
        self._temperature_channel = temperature_channel
        self._steps: dict[str, tuple[tuple[float, float], ...]] = {}
        self.dac: Dac | None = None
        self.adc: Adc | None = None

    def drive(self, pin: str, volts: float | Steps) -> None:
        """A voltage from outside, constant or over time. Raises `BoardError` for no such pin."""
        if f"GPIO{pin[1:2]}" not in self._gpios or pin not in (*_SHARED, *_OF_ADC3.values()):
            raise BoardError(f"pin {pin!r}, expected one with an ADC channel, as PA0")
        steps = [(0.0, float(volts))] if isinstance(volts, int | float) else volts
        self._steps[pin] = tuple(sorted((float(at), float(level)) for at, level in steps))

    def volts(self, pin: str) -> float:
        """What stands on a pin now."""
        channel = _DAC_PINS.get(pin)
        level = None if self.dac is None or channel is None else self.dac.level(channel)
        gpio = self._gpios[f"GPIO{pin[1]}"]
        if level is not None and gpio.mode(int(pin[2:])) == MODE_ANALOG:
            return level * self._supply_v
        steps = self._steps.get(pin)
        return 0.0 if not steps else _interpolated(steps, self._bus.now_ns() / 1000)

    def measured(self, unit: int, channel: int) -> float:
        """What a channel of ADC1 to ADC3 sees, of its reference."""
        return self._channel_volts(unit, channel) / self._supply_v

    def _channel_volts(self, unit: int, channel: int) -> float:
        common = 0 if self.adc is None else self.adc.common
        if unit == 1 and channel >= len(_SHARED):
            if channel == _BATTERY and common & CCR_VBATE:
                return _BATTERY_V / (4 if self._temperature_channel == _BATTERY else 2)
            if channel == _REFERENCE:
                return _REFERENCE_V if common & CCR_TSVREFE else 0.0
            is_sensor = channel == self._temperature_channel and common & CCR_TSVREFE
            return _SENSOR_V if is_sensor else 0.0
        pin = _OF_ADC3.get(channel) if unit == 3 else None
        pin = pin or (_SHARED[channel] if channel < len(_SHARED) else None)
        return 0.0 if pin is None or f"GPIO{pin[1]}" not in self._gpios else self.volts(pin)


def _interpolated(steps: Sequence[tuple[float, float]], time_us: float) -> float:
    after = bisect_right(steps, (time_us, float("inf")))
    if after == 0:
        return steps[0][1]
    if after == len(steps):
        return steps[-1][1]
    (start, low), (end, high) = steps[after - 1], steps[after]
    return low + (high - low) * (time_us - start) / (end - start)


def wire_analog(
    pins: AnalogPins, adc: Adc | None, dac: Dac | None, unit_clocked: Callable[[str], bool]
) -> None:
    """Let the converters see the pins."""
    pins.adc, pins.dac = adc, dac
    if adc is not None:
        adc.voltage, adc.unit_clocked = pins.measured, unit_clocked
