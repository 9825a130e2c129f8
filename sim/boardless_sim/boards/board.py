"""A board as data, and the devices built from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from boardless_sim.camera.ov7670 import Ov7670
from boardless_sim.errors import BoardError
from boardless_sim.peripherals.dcmi import Dcmi
from boardless_sim.peripherals.dma import Dma
from boardless_sim.peripherals.exti import Exti
from boardless_sim.peripherals.flash_interface import FlashInterface
from boardless_sim.peripherals.gpio import Gpio
from boardless_sim.peripherals.i2c import I2c
from boardless_sim.peripherals.peripheral import Bus, Peripheral
from boardless_sim.peripherals.pwr import Pwr
from boardless_sim.peripherals.rcc import Rcc
from boardless_sim.peripherals.syscfg import Syscfg
from boardless_sim.peripherals.usart import Usart


@dataclass(frozen=True)
class MemoryArea:
    """A region of memory. `fill`: it reads as ones until the image is loaded.

    `waits`: the core reads it through FLASH_ACR's wait states and caches.
    `kept`: a battery holds what it contains, so that power-on changes nothing.
    `dma` is false where the DMA controllers do not reach.
    `aliases` are further bases where the same memory answers; `contents` is what the factory left.
    """

    name: str
    base: int
    size: int
    writable: bool
    executable: bool = False
    fill: bool = False
    waits: bool = False
    kept: bool = False
    dma: bool = True
    aliases: tuple[int, ...] = ()
    contents: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Placement:
    """A device and where it sits; `factory` gets the name, then the interrupt numbers."""

    name: str
    base: int
    factory: Callable[..., Peripheral]
    irqs: tuple[int, ...] = ()


@dataclass(frozen=True)
class KnownPeripheral:
    """A peripheral that the manual names and this board does not model."""

    name: str
    base: int
    size: int = 0x400
    registers: Mapping[int, str] = field(default_factory=dict)

    def register_name(self, offset: int) -> str:
        """Such as "SPI1_CR1"; "CAN1+0x1c" where no name is known."""
        register = self.registers.get(offset & ~3)
        return f"{self.name}_{register}" if register else f"{self.name}+{offset:#04x}"


@dataclass(frozen=True)
class CameraWiring:
    """Which bus configures the camera, and the clock on its XCLK pin."""

    i2c: str
    xclk_hz: int


@dataclass(frozen=True)
class Board:
    """Everything that distinguishes one board from another."""

    name: str
    memories: tuple[MemoryArea, ...]
    placements: tuple[Placement, ...]
    unmodelled: tuple[KnownPeripheral, ...]
    camera: CameraWiring


@dataclass(frozen=True)
class BoardDevices:
    """The devices of a board, attached to its bus, wired to each other and powered on."""

    by_name: Mapping[str, tuple[int, Peripheral]]  # base address and device
    camera: Ov7670
    usarts: Mapping[str, Usart]
    gpios: Mapping[str, Gpio]
    dmas: tuple[Dma, ...]
    rcc: Rcc
    exti: Exti
    flash: FlashInterface

    @property
    def mapped(self) -> Iterable[tuple[int, Peripheral]]:
        """Every device with its base address."""
        return self.by_name.values()

    def dma_request(self, request: str, units: int = 1) -> int:
        """Serve a request line by the controller that listens to it; how many units were served."""
        for dma in self.dmas:
            stream = dma.listening.get(request)
            if stream is not None:
                return stream.serve(units)
        return 0


def build(board: Board, bus: Bus) -> BoardDevices:
    """Build, attach and wire the devices. The camera starts to run."""
    placed = {
        place.name: (place.base, place.factory(place.name, *place.irqs))
        for place in board.placements
    }
    devices = [device for _, device in placed.values()]
    for device in devices:
        device.attach(bus)
    rcc = _only(board, devices, Rcc)
    rcc.on_peripheral_reset = lambda name: _reset_one(placed, name)
    pwr = _only(board, devices, Pwr)
    rcc.backup_unlocked = lambda: pwr.backup_unlocked
    gpios = {device.name: device for device in devices if isinstance(device, Gpio)}
    _wire_exti(gpios, _only(board, devices, Syscfg))
    return BoardDevices(
        by_name=placed,
        camera=_wire_camera(board, placed, bus),
        usarts={device.name: device for device in devices if isinstance(device, Usart)},
        gpios=gpios,
        dmas=tuple(device for device in devices if isinstance(device, Dma)),
        rcc=rcc,
        exti=_only(board, devices, Exti),
        flash=_only(board, devices, FlashInterface),
    )


_Device = TypeVar("_Device", bound=Peripheral)


def _only(board: Board, devices: Iterable[Peripheral], kind: type[_Device]) -> _Device:
    found = [device for device in devices if isinstance(device, kind)]
    if len(found) != 1:
        raise BoardError(f"{board.name}: found {len(found)} {kind.__name__}, expected one")
    return found[0]


def _reset_one(placed: Mapping[str, tuple[int, Peripheral]], name: str) -> None:
    if name in placed:
        placed[name][1].reset()


def _wire_exti(gpios: Mapping[str, Gpio], syscfg: Syscfg) -> None:
    for name, gpio in gpios.items():
        gpio.on_change = partial(syscfg.port_changed, ord(name[-1]) - ord("A"))


def _wire_camera(board: Board, placed: Mapping[str, tuple[int, Peripheral]], bus: Bus) -> Ov7670:
    camera = Ov7670(board.camera.xclk_hz)
    i2c = placed[board.camera.i2c][1]
    dcmi = placed["DCMI"][1]
    if not isinstance(i2c, I2c) or not isinstance(dcmi, Dcmi):
        raise BoardError(f"{board.name}: {board.camera.i2c} or DCMI cannot carry a camera")
    i2c.connect(camera)
    camera.connect(bus, dcmi)
    camera.reset()
    return camera
