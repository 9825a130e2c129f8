"""An LED and a button: one pin each."""

from __future__ import annotations

from dataclasses import dataclass

from boardless_sim.errors import BoardError
from boardless_sim.parts.part import PinWire, Wires


@dataclass(frozen=True)
class Light:
    """From this time on the LED is lit, or dark."""

    time_us: float
    lit: bool


def _pin_of(wires: Wires, at: str) -> tuple[PinWire, bool]:
    """Of "PD12" or "PC13,low": the pin, and whether it is active high."""
    name, comma, level = at.partition(",")
    if comma and level not in ("low", "high"):
        raise BoardError(f"{at!r}, expected PD12 or PD12,low")
    return wires.pin(name), level != "low"


class Led:
    """Lit while its pin is high; at "PC13,low" while it is low. Notes when that changes."""

    def attach(self, wires: Wires, at: str) -> None:
        """Hang on a pin."""
        self._wires = wires
        self._pin, self._active_high = _pin_of(wires, at)
        self.changes: list[Light] = [Light(0.0, False)]
        self._pin.watch(self._look)

    @property
    def lit(self) -> bool:
        """Whether it is lit now."""
        return self.changes[-1].lit

    def _look(self) -> None:
        lit = self._pin.is_driven() and self._pin.level() is self._active_high
        if lit is not self.lit:
            self.changes.append(Light(self._wires.now_ns() / 1000, lit))


class Button:
    """Drives its pin, through the resistor of the board when it is released."""

    def attach(self, wires: Wires, at: str) -> None:
        """Hang on a pin: high while it is pressed; at "PC13,low" low."""
        self._pin, self._active_high = _pin_of(wires, at)
        self.pressed = False
        self.release()

    def press(self) -> None:
        """Down."""
        self.pressed = True
        self._pin.drive(self._active_high)

    def release(self) -> None:
        """Up."""
        self.pressed = False
        self._pin.drive(not self._active_high)
