"""Parts on the board: each gets its wires, and what it is asked goes to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.boards.bit_banged import BitBangedBus
from boardless_sim.boards.board import BY_HAND, Attachment
from boardless_sim.boards.own import load_part
from boardless_sim.boards.pins import Pin
from boardless_sim.boards.spi_bus import SpiBus
from boardless_sim.errors import BoardError
from boardless_sim.parts.catalog import make_part
from boardless_sim.parts.part import MemoryTarget, Part
from boardless_sim.peripherals.fsmc import Fsmc
from boardless_sim.peripherals.gpio import MODE_ALTERNATE, MODE_OUTPUT, Gpio
from boardless_sim.peripherals.i2c import I2c, I2cTarget
from boardless_sim.peripherals.links.spi import SpiTarget
from boardless_sim.peripherals.peripheral import Bus, Event, Peripheral

_PIN_NAME = re.compile(r"P[A-K](\d|1[0-5])")
_I2C = re.compile(r"(i2c\d)(?::(0x[0-7][0-9a-f]|0x[0-9a-f]))?", re.IGNORECASE)
_MEMORY = re.compile(r"(?:fsmc|fmc):(0x[0-9a-f]{1,8})", re.IGNORECASE)


class BoardWires:
    """Implements `Wires` on the devices of a board."""

    fixed_fields: ClassVar[frozenset[str]] = frozenset(["_devices", "_spis", "memories"])

    def __init__(
        self, devices: Mapping[str, Peripheral], spis: Mapping[str, SpiBus], bus: Bus
    ) -> None:
        self._devices, self._spis, self._bus = devices, spis, bus
        self.memories: list[tuple[range, MemoryTarget]] = []

    def now_ns(self) -> int:
        return self._bus.now_ns()

    def schedule_ns(self, delay_ns: int, callback: Callable[[], None]) -> Event:
        return self._bus.schedule_ns(delay_ns, callback)

    def pin(self, name: str) -> GpioWire:
        return GpioWire(*self.port_of(name))

    def port_of(self, name: str) -> Pin:
        """The port and the number of a pin."""
        port = self._devices.get(f"GPIO{name[1:2]}")
        if not _PIN_NAME.fullmatch(name) or not isinstance(port, Gpio):
            raise BoardError(f"pin {name!r}, expected one of the chip's, as PG9")
        return port, int(name[2:])

    def two_wire(self, at: str, target: I2cTarget) -> None:
        if at.startswith(BY_HAND):
            pins = [self.port_of(name) for name in at.removeprefix(BY_HAND).split(",")]
            if len(pins) != 2 or pins[0] == pins[1]:
                raise BoardError(f"bus {at!r}, expected the pins of its clock and its data")
            BitBangedBus(pins[0], pins[1], target)
            return
        match = _I2C.fullmatch(at)
        master = self._devices.get(match[1].upper()) if match is not None else None
        if match is None or not isinstance(master, I2c):
            known = ", ".join(name.lower() for name in self._named(I2c))
            raise BoardError(f"bus {at!r}, expected one of {known}, or two pins as gpio:PD6,PD7")
        if match[2]:
            target.address = int(match[2], 16)
        master.connect(target)

    def spi(self, at: str, target: SpiTarget) -> None:
        name, colon, select = at.partition(":")
        bus = self._spis.get(name.upper())
        if bus is None:
            known = ", ".join(name.lower() for name in self._spis)
            raise BoardError(f"bus {at!r}, expected one of {known}, with a chip select: spi1:PA4")
        bus.connect(target, self.port_of(select) if colon else None)

    def memory(self, at: str, size: int, target: MemoryTarget) -> None:
        match = _MEMORY.fullmatch(at)
        controllers = [d for d in self._devices.values() if isinstance(d, Fsmc)]
        if match is None or not any(
            controller.holds(int(match[1], 16)) for controller in controllers
        ):
            raise BoardError(f"{at!r}, expected a memory controller's bank, as fsmc:0x60000000")
        base = int(match[1], 16)
        self.memories.append((range(base, base + size), target))

    def device(self, name: str) -> Peripheral:
        found = self._devices.get(name.upper())
        if found is None:
            raise BoardError(f"the chip has no {name.upper()}, expected one of its devices")
        return found

    def _named(self, kind: type[Peripheral]) -> list[str]:
        return [name for name, device in self._devices.items() if isinstance(device, kind)]


class GpioWire:
    """Implements `PinWire`."""

    fixed_fields: ClassVar[frozenset[str]] = frozenset(["_gpio"])

    def __init__(self, gpio: Gpio, number: int) -> None:
        self._gpio, self._number = gpio, number

    def level(self) -> bool:
        return self._gpio.level(self._number)

    def drive(self, high: bool) -> None:
        self._gpio.set_input(self._number, high)

    def release(self) -> None:
        self._gpio.release_input(self._number)

    def is_driven(self) -> bool:
        return self._gpio.mode(self._number) in (MODE_OUTPUT, MODE_ALTERNATE)

    def watch(self, changed: Callable[[], None]) -> None:
        self._gpio.watchers.append(changed)


class AttachedParts:
    """The parts of a board, by what `[[attach]] device` called them."""

    def __init__(self, attachments: tuple[Attachment, ...], wires: BoardWires) -> None:
        self.by_name: dict[str, Part] = {}
        self._memories = wires.memories
        for attachment in attachments:
            own = attachment.device.partition(".py:")[1]
            part = load_part(attachment.device) if own else make_part(attachment.device)
            try:
                part.attach(wires, attachment.at)
            except BoardError as error:
                raise BoardError(f"{attachment.device}: {error}") from error
            self.by_name[self._name(attachment.device)] = part

    def _name(self, device: str) -> str:
        """Its name; a second one of a kind is "led 2"."""
        name = device.rpartition(":")[2]
        taken = sum(known.partition(" ")[0] == name for known in self.by_name)
        return f"{name} {taken + 1}" if taken else name

    def memory_at(self, address: int) -> MemoryTarget | None:
        """What answers at an address of the external memory controller."""
        for window, target in self._memories:
            if address in window:
                return target
        return None
