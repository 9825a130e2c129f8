"""The devices of a board, built from its data and wired to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from boardless_sim.boards.analog import AnalogPins, wire_analog
from boardless_sim.boards.attached import AttachedParts, BoardWires
from boardless_sim.boards.board import Board
from boardless_sim.boards.camera import CameraOnBoard
from boardless_sim.boards.low_power import LowPower
from boardless_sim.boards.pins import Pins
from boardless_sim.boards.spi_bus import SpiBus
from boardless_sim.camera.sensor import Sensor
from boardless_sim.errors import BoardError
from boardless_sim.foreseen import DmaRoom
from boardless_sim.parts.part import MemoryTarget
from boardless_sim.peripherals.analog.adc import Adc
from boardless_sim.peripherals.analog.dac import Dac
from boardless_sim.peripherals.crypto.rng import Rng
from boardless_sim.peripherals.dma import Dma
from boardless_sim.peripherals.exti import Exti
from boardless_sim.peripherals.flash_interface import FlashInterface
from boardless_sim.peripherals.fsmc import Fsmc
from boardless_sim.peripherals.gpio import Gpio
from boardless_sim.peripherals.i2c import I2c
from boardless_sim.peripherals.links.can import Can
from boardless_sim.peripherals.links.sdio import Sdio
from boardless_sim.peripherals.links.spi import Spi
from boardless_sim.peripherals.peripheral import Bus, Peripheral
from boardless_sim.peripherals.pwr import Pwr
from boardless_sim.peripherals.rcc import Rcc
from boardless_sim.peripherals.syscfg import Syscfg
from boardless_sim.peripherals.timekeeping.rtc import Rtc
from boardless_sim.peripherals.timer import Timer
from boardless_sim.peripherals.usart import Usart


@dataclass(frozen=True)
class BoardDevices:
    """The devices of a board, attached to its bus, wired to each other and powered on."""

    by_name: Mapping[str, tuple[int, Peripheral]]  # base address and device
    pins: Pins
    fitted: CameraOnBoard | None
    usarts: Mapping[str, Usart]
    gpios: Mapping[str, Gpio]
    spis: Mapping[str, SpiBus]
    analog: AnalogPins
    dmas: tuple[Dma, ...]
    rcc: Rcc
    exti: Exti
    flash: FlashInterface
    memory_controller: Fsmc | None
    pwr: Pwr
    low_power: LowPower
    parts: AttachedParts

    @property
    def camera(self) -> Sensor:
        """The sensor. Raises `BoardError` where none is fitted."""
        if self.fitted is None:
            raise BoardError("the board has no camera, expected one")
        return self.fitted.sensor

    @property
    def mapped(self) -> Iterable[tuple[int, Peripheral]]:
        """Every device with its base address."""
        return self.by_name.values()

    def external_at(self, address: int) -> MemoryTarget | None:
        """What answers in a bank of the memory controller that is on."""
        controller = self.memory_controller
        if controller is None or not controller.holds(address):
            return None
        if not (controller.answers(address) and controller.is_ready(address)):
            return None
        return self.parts.memory_at(address)

    def external_width(self, address: int) -> int:
        """Bytes of the bus that a bank of the memory controller has."""
        return 1 if self.memory_controller is None else self.memory_controller.width(address)

    def dma_request(self, request: str, units: int = 1) -> int:
        """Serve a request line by the controller that listens to it; how many units were served."""
        for dma in self.dmas:
            if request in dma.listening and dma.clocked:
                return dma.request(request, units)
        return 0

    def dma_room(self, request: str) -> DmaRoom | None:
        """Where the stream that listens to a request line stands."""
        for dma in self.dmas:
            if request in dma.listening and dma.clocked:
                return dma.listening[request].room()
        return None

    def dma_end(self, request: str) -> None:
        """The device has no more for the stream that listens to a request."""
        for dma in self.dmas:
            if dma.clocked:
                dma.end(request)


def build_devices(board: Board, bus: Bus) -> BoardDevices:
    """Build, attach and wire the devices."""
    placed = {
        place.name: (place.base, place.factory(place.name, *place.irqs))
        for place in board.chip.placements
    }
    devices = [device for _, device in placed.values()]
    for device in devices:
        device.attach(bus)
    rcc = _only(board, devices, Rcc)
    rcc.fit_crystals(board.crystal_hz, board.watch_crystal_hz)
    rcc.on_peripheral_reset = lambda name: _reset_one(placed, name)
    pwr = _only(board, devices, Pwr)
    rcc.backup_unlocked = lambda: pwr.backup_unlocked
    gpios = {device.name: device for device in devices if isinstance(device, Gpio)}
    _wire_exti(gpios, _only(board, devices, Syscfg))
    flash = _only(board, devices, FlashInterface)
    flash.limits = board.flash_limits
    rcc.clock_watchers.append(flash.check_latency)
    for device in devices:
        if isinstance(device, Usart):
            device.console_baud = board.console_bauds.get(device.name)
    by_name = {device.name: device for device in devices}
    pins = Pins(board.chip.alternates, gpios, by_name)
    _wire_i2c(devices, gpios, pins)
    _wire_timers(board.chip.triggers, devices)
    _wire_can(devices)
    analog = _wire_analog(
        board, devices, AnalogPins(bus, gpios, board.supply_mv, board.chip.temperature_channel), rcc
    )
    _wire_clocks(devices, rcc)
    spis = {device.name: SpiBus(device, pins) for device in devices if isinstance(device, Spi)}
    camera = board.camera
    wires = BoardWires(by_name, spis, bus)
    return BoardDevices(
        by_name=placed,
        pins=pins,
        fitted=None if camera is None else CameraOnBoard(board, camera, by_name, pins, bus, wires),
        usarts={device.name: device for device in devices if isinstance(device, Usart)},
        gpios=gpios,
        analog=analog,
        spis=spis,
        dmas=tuple(device for device in devices if isinstance(device, Dma)),
        rcc=rcc,
        exti=_only(board, devices, Exti),
        flash=flash,
        pwr=pwr,
        low_power=LowPower(by_name, pwr, rcc),
        memory_controller=next((device for device in devices if isinstance(device, Fsmc)), None),
        parts=AttachedParts(board.attached, wires),
    )


_SHARED_RESETS = {"ADC1": "ADC"}  # one bit resets all of them (RM0090 7.3.9)
_Device = TypeVar("_Device", bound=Peripheral)


def _only(board: Board, devices: Iterable[Peripheral], kind: type[_Device]) -> _Device:
    found = [device for device in devices if isinstance(device, kind)]
    if len(found) != 1:
        raise BoardError(f"{board.name}: found {len(found)} {kind.__name__}, expected one")
    return found[0]


def _reset_one(placed: Mapping[str, tuple[int, Peripheral]], name: str) -> None:
    name = _SHARED_RESETS.get(name, name)
    if name in placed:
        placed[name][1].reset()


def _wire_i2c(devices: Iterable[Peripheral], gpios: Mapping[str, Gpio], pins: Pins) -> None:
    masters = [device for device in devices if isinstance(device, I2c)]

    def is_held(name: str) -> bool:
        lines = (*pins.of(f"{name}_SCL"), *pins.of(f"{name}_SDA"))
        return any(gpio.is_held_low(pin) for gpio, pin in lines)

    def changed() -> None:
        for master in masters:
            master.lines_changed()

    for master in masters:
        master.held_low = partial(is_held, master.name)
    for gpio in gpios.values():
        gpio.on_outside = changed


def _wire_clocks(devices: Iterable[Peripheral], rcc: Rcc) -> None:
    """Clocks that are neither of the bus nor of a timer."""
    for device in devices:
        if isinstance(device, Rtc):
            device.unlocked, device.clock_hz = rcc.backup_unlocked, rcc.rtc_hz
        elif isinstance(device, Rng | Sdio):
            device.clock_hz = rcc.pll48_hz
        elif isinstance(device, Spi):
            device.i2s_hz = rcc.i2s_hz
        elif device.name == "LTDC":
            from boardless_sim.peripherals.graphics.ltdc import Ltdc  # here: few parts have one

            assert isinstance(device, Ltdc)
            device.clock_hz = rcc.lcd_hz


def _wire_timers(triggers: Mapping[str, tuple[str, ...]], devices: Iterable[Peripheral]) -> None:
    """Timers trigger each other and the converters."""
    timers = {device.name: device for device in devices if isinstance(device, Timer)}
    for name, timer in timers.items():
        timer.masters = tuple(timers.get(master) for master in triggers.get(name, ()))
    for device in devices:
        if isinstance(device, Adc | Dac):
            device.triggers = timers


def _wire_can(devices: Iterable[Peripheral]) -> None:
    """CAN2 has its filters in CAN1."""
    cans = {device.name: device for device in devices if isinstance(device, Can)}
    if "CAN2" in cans:
        cans["CAN2"].first = cans["CAN1"]


def _wire_analog(
    board: Board, devices: Iterable[Peripheral], pins: AnalogPins, rcc: Rcc
) -> AnalogPins:
    dac = next((device for device in devices if isinstance(device, Dac)), None)
    wire_analog(pins, _only(board, devices, Adc), dac, rcc.clock_enabled)
    return pins


def _wire_exti(gpios: Mapping[str, Gpio], syscfg: Syscfg) -> None:
    for gpio in gpios.values():
        syscfg.begin_with(gpio.number, gpio.levels)
        gpio.on_change = partial(syscfg.port_changed, gpio.number)
