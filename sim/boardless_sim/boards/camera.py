"""The sensor on the board: its bus, its clock, its power-down and reset pins, its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from boardless_sim.boards.attached import BoardWires
from boardless_sim.boards.board import Board, CameraWiring
from boardless_sim.boards.camera_port import CameraPort
from boardless_sim.boards.pins import Pin, Pins
from boardless_sim.boards.xclk import Xclk
from boardless_sim.camera.sensor import Sensor
from boardless_sim.camera.sensors.catalog import make_sensor
from boardless_sim.errors import BoardError
from boardless_sim.finding import Check
from boardless_sim.peripherals.dcmi import Dcmi
from boardless_sim.peripherals.exti import Exti
from boardless_sim.peripherals.gpio import MODE_OUTPUT
from boardless_sim.peripherals.peripheral import Bus, Peripheral
from boardless_sim.peripherals.rcc import Rcc
from boardless_sim.peripherals.syscfg import Syscfg
from boardless_sim.peripherals.timer import Timer

_Device = TypeVar("_Device", bound=Peripheral)


class CameraOnBoard:
    """Follows what the firmware does to the wires of the sensor."""

    fixed_fields: ClassVar[frozenset[str]] = frozenset(["_devices"])

    def __init__(
        self,
        board: Board,
        wiring: CameraWiring,
        devices: Mapping[str, Peripheral],
        pins: Pins,
        bus: Bus,
        wires: BoardWires,
    ) -> None:
        self._board, self._devices, self._bus = board, devices, bus
        self.sensor: Sensor = make_sensor(wiring.sensor)
        self._part = wiring.sensor
        self._pins = pins
        rcc = self._device("RCC", Rcc)
        self._xclk = Xclk(wiring.xclk, rcc, pins, devices)
        self._powerdown, self._reset = (
            None if name is None else wires.port_of(name)
            for name in (wiring.powerdown, wiring.reset)
        )
        self._in_reset = False
        port = CameraPort(bus, self._device("DCMI", Dcmi), pins, self._interrupts_on)
        self._port = port
        wires.two_wire(wiring.bus, self.sensor)
        self.sensor.on_dead = self._report_dead
        self.sensor.connect(bus, port)
        pins.on_change = self._rewire
        rcc.clock_watchers.append(self._follow_clock)
        for device in devices.values():
            if isinstance(device, Timer) and wiring.xclk.startswith(f"{device.name}_"):
                device.on_output = self._follow_clock
        for gpio, _ in filter(None, (self._powerdown, self._reset)):
            gpio.watchers.append(self._follow_pins)
        self._follow_clock()

    def reset(self) -> None:
        """The chip was reset, and its NRST is wired to the sensor's reset pin."""
        self.sensor.reset()

    def _rewire(self) -> None:
        self._port.pins_changed()
        self._follow_pins()
        self._follow_clock()

    def _follow_clock(self) -> None:
        self.sensor.clock_in(self._xclk.hertz())

    def _follow_pins(self) -> None:
        """Both pins have a resistor on the module: a pin that is no output leaves it running."""
        in_reset = self._reset is not None and _drives(self._reset) is False
        if self._in_reset and not in_reset:
            self.sensor.reset()
        self._in_reset = in_reset
        powered_down = self._powerdown is not None and _drives(self._powerdown) is True
        self.sensor.power_down(powered_down or in_reset)

    def _report_dead(self) -> None:
        if self._xclk.hertz():
            return  # powered down, or in reset, as the firmware asked for
        text = f"{self._part} was addressed without XCLK: {self._xclk.why_dead()}"
        self._bus.report(Check.XCLK, self._part, text)

    def _interrupts_on(self, pin: Pin) -> bool:
        gpio, number = pin
        syscfg, exti = self._device("SYSCFG", Syscfg), self._device("EXTI", Exti)
        return syscfg.port_of(number) == gpio.number and exti.watches(number)

    def _device(self, name: str, kind: type[_Device]) -> _Device:
        device = self._devices.get(name)
        if not isinstance(device, kind):
            raise BoardError(
                f"{self._board.name}: the chip has no {name}, expected one for the camera"
            )
        return device


def _drives(pin: Pin) -> bool | None:
    """The level that an output drives; None for a pin that is none."""
    gpio, number = pin
    return gpio.level(number) if gpio.mode(number) == MODE_OUTPUT else None
