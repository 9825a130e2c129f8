"""The wires of an SPI: who is selected, and what comes back on MISO."""

from __future__ import annotations

from dataclasses import dataclass

from boardless_sim.boards.pins import Pin, Pins
from boardless_sim.peripherals.gpio import MODE_ALTERNATE
from boardless_sim.peripherals.links.spi import Spi, SpiTarget


@dataclass
class _Place:
    """A target and its chip select; without one it is always selected."""

    target: SpiTarget
    select: Pin | None
    selected: bool = False


class SpiBus:
    """Gives each word to whoever is selected. Without any, MISO is what its pull makes of it."""

    def __init__(self, spi: Spi, pins: Pins) -> None:
        self._spi, self._pins = spi, pins
        self._places: list[_Place] = []
        spi.on_word = self._exchange
        spi.nss_is_low = self._nss_is_low
        spi.on_nss = self._look

    def connect(self, target: SpiTarget, select: Pin | None) -> None:
        """Put a target on the bus, with its chip select on a pin."""
        place = _Place(target, select)
        self._places.append(place)
        if select is None:
            place.selected = True
            target.select()
        else:
            select[0].watchers.append(self._look)

    def _look(self) -> None:
        """A chip select may have moved."""
        for place in self._places:
            if place.select is None:
                continue
            low = self._is_low(place.select)
            if low is not place.selected:
                place.selected = low
                (place.target.select if low else place.target.deselect)()

    def _is_low(self, pin: Pin) -> bool:
        gpio, number = pin
        if gpio.mode(number) == MODE_ALTERNATE:
            return self._spi.drives_nss_low and pin in self._pins.of(f"{self._spi.name}_NSS")
        return bool(gpio.mode(number)) and not gpio.level(number)

    def _exchange(self, word: int, bits: int) -> int:
        targets = [place.target for place in self._places if place.selected]
        answer = 0
        for shift in range(bits - 8, -1, -8):
            sent, idle = word >> shift & 0xFF, True
            byte = 0xFF
            for target in targets:
                byte &= target.exchange(sent)
                idle = False
            answer = answer << 8 | (self._idle() if idle else byte)
        return answer

    def _idle(self) -> int:
        pins = self._pins.of(f"{self._spi.name}_MISO")
        return 0xFF if any(gpio.level(number) for gpio, number in pins) else 0

    def _nss_is_low(self) -> bool:
        pins = self._pins.of(f"{self._spi.name}_NSS")
        return any(not gpio.level(number) for gpio, number in pins)
