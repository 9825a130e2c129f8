"""What stands in a device's place while its clock is off or its reset is on."""

from __future__ import annotations

from boardless_sim.finding import Check
from boardless_sim.peripherals.peripheral import Peripheral


class Gated(Peripheral):
    """Reads 0 and loses writes (RM0090 section 7.2; measured on boards by many): nothing clocks it.

    `why` ends the sentence that is reported, such as "is not clocked (RCC_APB1ENR)".
    """

    stable = frozenset(range(0, 0x400, 4))

    def __init__(self, device: Peripheral, why: str) -> None:
        super().__init__(device.name)
        self._device = device
        self._why = why
        self.size = device.size

    def read(self, offset: int, size: int) -> int:
        """Nothing answers."""
        self._report(offset, "read")
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Nothing takes it."""
        self._report(offset, "write lost")

    def _report(self, offset: int, access: str) -> None:
        register = self._device.register_name(offset)
        self.bus.report(
            Check.CLOCK_GATE, self.name, f"{register}: {access}, {self.name} {self._why}"
        )
