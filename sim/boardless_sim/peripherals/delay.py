"""A wait inside a device, which stands still while the device has no clock."""

from __future__ import annotations

from collections.abc import Callable

from boardless_sim.foreseen import Foreseen
from boardless_sim.peripherals.peripheral import Event, Peripheral


class Delay:
    """One callback to come, at most; counted in core cycles of the device's own clock."""

    def __init__(self, device: Peripheral) -> None:
        self._device = device
        self._event: Event | None = None
        self._then: Callable[[], None] | None = None
        self._due = self._left = 0

    @property
    def waiting(self) -> bool:
        """Whether a callback is to come."""
        return self._then is not None

    def start(self, cycles: int, then: Callable[[], None]) -> None:
        """Call `then` after so many cycles, instead of what was to come."""
        self.cancel()
        self._then, self._left = then, cycles
        if self._device.clocked:
            self._schedule()

    def carry_on(self, foreseen: Foreseen) -> None:
        """The board may carry out what follows on the callback to come."""
        if self._event is not None:
            self._event = self._device.bus.carry_on(self._event, foreseen)

    def move_to(self, due: int) -> None:
        """The board carried out a part of it: the callback comes at this cycle."""
        self._due = due

    def cancel(self) -> None:
        """Forget it; harmless when nothing is to come."""
        self._stop()
        self._then = None

    def clock(self, on: bool) -> None:
        """The device's clock starts or stops."""
        if self._then is None:
            return
        if on:
            self._schedule()
        else:
            self._left = max(self._due - self._device.bus.now(), 1)
            self._stop()

    def _schedule(self) -> None:
        self._due = self._device.bus.now() + self._left
        self._event = self._device.bus.schedule(self._left, self._over)

    def _stop(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _over(self) -> None:
        then, self._then, self._event = self._then, None, None
        if then is not None:
            then()
