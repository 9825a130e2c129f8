"""The seam between a part and the board that it hangs on: one class, in one Python file.

A part is made without arguments and attached once, to the place that `boardless.toml` names. A
lamp on a pin, whole::

    class Lamp:
        def attach(self, wires: Wires, at: str) -> None:
            self.wires, self.pin, self.lit_ns = wires, wires.pin(at), []
            self.pin.watch(self.look)

        def look(self) -> None:
            if self.pin.level():
                self.lit_ns.append(self.wires.now_ns())


    [[attach]]
    device = "lamp.py:Lamp"
    at = "PD12"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from boardless_sim.peripherals.i2c import I2cTarget
from boardless_sim.peripherals.links.spi import SpiTarget
from boardless_sim.peripherals.peripheral import Event, Peripheral


class PinWire(Protocol):
    """A wire to one pin of the chip."""

    def level(self) -> bool:
        """The level on the pin now, whoever drives it."""

    def drive(self, high: bool) -> None:
        """Drive the pin from the part's side."""

    def release(self) -> None:
        """Drive it no more."""

    def is_driven(self) -> bool:
        """Whether the chip drives the pin: as an output, or by a device."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Call back when levels of the port may have changed."""


class MemoryTarget(Protocol):
    """What answers in a bank of the external memory controller."""

    def read(self, address: int, size: int) -> int:
        """`size` bytes at an address of the chip's map, as one number."""

    def write(self, address: int, size: int, value: int) -> None:
        """The same, written."""


class Wires(Protocol):
    """What the board gives to a part. A place that it does not have is a `BoardError`."""

    def now_ns(self) -> int:
        """Virtual time since power-on."""

    def schedule_ns(self, delay_ns: int, callback: Callable[[], None]) -> Event:
        """Call back after that time."""

    def pin(self, name: str) -> PinWire:
        """A pin, as "PD12"."""

    def two_wire(self, at: str, target: I2cTarget) -> None:
        """Put a target on a bus: "i2c1", "i2c1:0x3d" (its address), "gpio:PB8,PB9" (by hand)."""

    def spi(self, at: str, target: SpiTarget) -> None:
        """Put a target on a bus with its chip select: "spi1:PA4"; "spi1" alone: always selected."""

    def memory(self, at: str, size: int, target: MemoryTarget) -> None:
        """Answer `size` bytes of the external memory controller from "fsmc:0x60000000" on."""

    def device(self, name: str) -> Peripheral:
        """A device of the chip, as "SPI1", for what no wire above can do."""


class Part(Protocol):
    """What hangs on a board."""

    def attach(self, wires: Wires, at: str) -> None:
        """Take the place. Called once, at power-on; a reset of the chip is none of the part's."""
