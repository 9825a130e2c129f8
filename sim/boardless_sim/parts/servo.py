"""What follows pulses: a hobby servo, and an LED of three colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from boardless_sim.errors import BoardError
from boardless_sim.parts.part import Wires
from boardless_sim.peripherals.timer import Timer

# A pulse of 1 ms is one end, one of 2 ms the other; it wants about 50 of them a second.
_LEAST_NS, _MOST_NS, _DEGREES = 1_000_000, 2_000_000, 180
_PERIOD_NS = range(15_000_000, 25_000_001)
_FULL = 255
_CHANNEL = re.compile(r"(TIM\d+)_CH([1-4])", re.IGNORECASE)


class PulseSource(Protocol):
    """A timer whose channels reach pins."""

    on_output: Callable[[], None]

    def pulse_ns(self, channel: int) -> tuple[int, int] | None:
        """How long it is high, and its period; None: nothing comes."""


@dataclass(frozen=True)
class Move:
    """From this time on the servo is driven to an angle; None: it is not driven."""

    time_us: float
    angle: float | None


class Servo:
    """Notes where it is sent, and when."""

    def __init__(
        self,
        time_us: Callable[[], float] = lambda: 0.0,
        source: PulseSource | None = None,
        channel: int = 1,
    ) -> None:
        self._time_us, self._channel = time_us, channel
        self.moves: list[Move] = [Move(time_us(), None)]
        if source is not None:
            self._follow(source)

    def attach(self, wires: Wires, at: str) -> None:
        """Follow a channel of a timer, as "TIM3_CH1"."""
        match = _CHANNEL.fullmatch(at)
        source = wires.device(match[1]) if match is not None else None
        if match is None or not isinstance(source, Timer):
            raise BoardError(f"{at!r}, expected a channel of a timer, as TIM3_CH1")
        self._time_us = lambda: wires.now_ns() / 1000
        self._channel = int(match[2])
        self._follow(source)

    def _follow(self, source: PulseSource) -> None:
        """Others may follow the same timer."""
        self._source, self._others = source, source.on_output
        source.on_output = self._look

    @property
    def angle(self) -> float | None:
        """Where it is sent now, in degrees."""
        return self.moves[-1].angle

    def _look(self) -> None:
        self._others()
        pulse = self._source.pulse_ns(self._channel)
        angle = None
        if pulse is not None and pulse[0] and pulse[1] in _PERIOD_NS:
            angle = _DEGREES * (pulse[0] - _LEAST_NS) / (_MOST_NS - _LEAST_NS)
        if angle != self.angle:
            self.moves.append(Move(self._time_us(), angle))


@dataclass(frozen=True)
class Colour:
    """From this time on the LED has this colour, 0 to 255 each."""

    time_us: float
    rgb: tuple[int, int, int]


class RgbLed:
    """Notes its colours, and when they change. The pins are high for a bright LED."""

    def __init__(
        self, time_us: Callable[[], float], source: PulseSource, channels: Sequence[int]
    ) -> None:
        self._time_us, self._source, self._channels = time_us, source, tuple(channels)
        self.colours: list[Colour] = [Colour(time_us(), (0, 0, 0))]
        source.on_output = self._look

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Its colour now."""
        return self.colours[-1].rgb

    def _look(self) -> None:
        pulses = [self._source.pulse_ns(channel) for channel in self._channels]
        red, green, blue = (
            0 if pulse is None else round(_FULL * pulse[0] / pulse[1]) for pulse in pulses
        )
        if (red, green, blue) != self.rgb:
            self.colours.append(Colour(self._time_us(), (red, green, blue)))
