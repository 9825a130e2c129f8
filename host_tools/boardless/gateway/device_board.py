"""The command device on the virtual board: chip, display, servo, LED and the line to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boardless.gateway.carrier import BAUD
from boardless.gateway.packets import KEY_BYTES
from boardless_sim.boards.board import Board
from boardless_sim.chips.stm32f4 import stm32f4
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason, UartLine
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import EngineError
from boardless_sim.parts.serial_line import NO_FAULTS, LinkFaults, SerialLine
from boardless_sim.parts.servo import RgbLed, Servo
from boardless_sim.parts.ssd1306 import Ssd1306
from boardless_sim.peripherals.i2c import I2c
from boardless_sim.peripherals.timer import Timer

# As firmware/apps/command has it: RX is PA3, the servo TIM3 channel 1, the LED TIM4 1 to 3.
_PORT, _RX_PORT, _RX_PIN = "USART2", "GPIOA", 3
BOARD = Board(name="command device", chip=stm32f4("stm32f407vg"), crystal_hz=8_000_000)


class DeviceBoard:
    """One powered device with its parts. `engine` is the board below it."""

    def __init__(
        self, elf: Path, key: bytes | None, faults: LinkFaults = NO_FAULTS, strict: bool = False
    ) -> None:
        self.engine = NativeEngine(board=BOARD, strict=strict)
        self.engine.load(load_image(elf))
        machine = self.engine.machine
        devices = machine.devices
        i2c, servo, led = (devices.by_name[name][1] for name in ("I2C1", "TIM3", "TIM4"))
        if not isinstance(i2c, I2c) or not isinstance(servo, Timer) or not isinstance(led, Timer):
            raise EngineError(f"{BOARD.name}: its chip lacks I2C1, TIM3 or TIM4")
        self.display = Ssd1306(machine.time_us)
        i2c.connect(self.display)
        self.servo = Servo(machine.time_us, servo, 1)
        self.led = RgbLed(machine.time_us, led, (1, 2, 3))
        self.line = SerialLine(
            machine, devices.usarts[_PORT], devices.gpios[_RX_PORT], _RX_PIN, BAUD, faults
        )
        if key is not None:
            if len(key) != KEY_BYTES:
                raise EngineError(f"a key of {len(key)} bytes, expected {KEY_BYTES}")
            self.engine.write_memory(BOARD.chip.otp, key)
        self._seen = 0

    def run_us(
        self, limit_us: float, until: Callable[[UartLine], bool] | None = None
    ) -> StopReason:
        """Let virtual time pass."""
        return self.engine.run(limit_us, until)

    def time_us(self) -> float:
        """Virtual time since power-on."""
        return self.engine.time_us()

    def changes_us(self) -> list[float]:
        """When a pin showed something: a transfer to the display, the servo, the LED."""
        found = [drawing.begin_us for drawing in self.display.drawings]
        found += [move.time_us for move in self.servo.moves[1:]]
        found += [colour.time_us for colour in self.led.colours[1:]]
        return sorted(found)

    # Carrier: the gateway's seam

    def open(self) -> None:
        """The line is always there."""

    def write(self, data: bytes) -> None:
        """Put bytes on the line."""
        self.line.send(data)

    def lines(self) -> list[str]:
        """What the device said since."""
        said = self.engine.uart_lines()
        found, self._seen = said[self._seen :], len(said)
        return [line.text for line in found]

    def close(self) -> None:
        """Power off."""
        self.engine.close()
