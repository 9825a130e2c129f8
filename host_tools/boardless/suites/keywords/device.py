"""Keywords of the command device: commands, answers, pins, latency, power."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
from robot.api import logger
from robot.api.deco import keyword

from boardless.gateway.command import FIELDS, Command, CommandKind, Field, ResponseCode
from boardless.gateway.device_board import DeviceBoard
from boardless.gateway.packets import Packet, encode, new_key
from boardless.gateway.sender import WAKE, WAKE_S
from boardless.suites.keywords.arguments import microseconds, strict_arguments
from boardless_sim.errors import BoardlessError
from boardless_sim.parts.serial_line import NO_FAULTS, LinkFaults

_ANSWER_US, _BOOT_US = 60_000.0, 100_000.0
_WHY = ("none", "power", "watchdog", "brown-out", "link", "commands")
_HOURS_A_DAY = 24


class DeviceKeywords:
    """One device; its key is made when it is powered on, and its counter goes up by itself."""

    def __init__(self) -> None:
        self._board: DeviceBoard | None = None
        self._key = new_key()
        self._counter = 0
        self._sent = b""
        self._answer: dict[str, int] = {}
        self._latencies_ms: list[float] = []

    @property
    def _device(self) -> DeviceBoard:
        if self._board is None:
            raise BoardlessError("no device, expected `Power On Device` first")
        return self._board

    @keyword
    @strict_arguments
    def power_on_device(
        self,
        elf: Path,
        loss: float = 0.0,
        noise: float = 0.0,
        duplication: float = 0.0,
        seed: int = 1,
    ) -> None:
        """Power on a device with a key of its own, its display, servo and LED.

        loss, noise and duplication: what its line does to messages and bytes, by seed.
        """
        self.power_off_device()
        faults = LinkFaults(loss, noise, duplication, seed=seed)
        clean = not (loss or noise or duplication)
        self._board = DeviceBoard(elf, self._key, NO_FAULTS if clean else faults)
        self._counter, self._answer, self._latencies_ms = 0, {}, []
        self._board.run_us(_BOOT_US)

    @keyword
    def power_off_device(self) -> None:
        """Power off; harmless without a device."""
        if self._board is not None:
            self._board.close()
            self._board = None

    @keyword
    def send_command(self, kind: str, **fields: int) -> None:
        """Send a signed command and wait for its answer.

        | Send Command    anim    id=1    dur=500
        """
        self._counter += 1
        self._send(encode(Packet(self._counter, _command(kind, fields)), self._key))

    @keyword
    def send_command_with_another_key(self, kind: str, **fields: int) -> None:
        """The same, signed by somebody who does not have the device's key."""
        packet = Packet(self._counter + 1, _command(kind, fields))
        self._send(encode(packet, bytes(len(self._key))))

    @keyword
    def send_last_packet_again(self) -> None:
        """Replay what was sent last, to the byte."""
        self._send(self._sent)

    def _send(self, packet: bytes) -> None:
        device, self._sent = self._device, packet
        device.lines()
        device.write(WAKE)
        device.run_us(WAKE_S * 1e6)
        device.write(packet)
        device.run_us(_ANSWER_US, lambda line: line.text.startswith("r-"))
        said = device.lines()
        logger.info("\n".join(said))
        answers = [line for line in said if line.startswith("r-")]
        self._answer = _fields(answers[0]) if answers else {}
        last_us = device.line.last_byte_ns / 1000
        changes = [at for at in device.changes_us() if at > last_us]
        if self._answer.get("code") == ResponseCode.OK and changes:
            self._latencies_ms.append((changes[0] - last_us) / 1000)

    @keyword
    def run_device_for(self, duration: timedelta) -> None:
        """Let virtual time pass."""
        self._device.run_us(microseconds(duration))

    @keyword
    def answer_should_be(self, code: str) -> None:
        """Such as ok, repeated, old, unsigned, range."""
        name = _name_of(self._answer.get("code"))
        if name != code:
            raise AssertionError(f"answer is {name}, expected {code}")

    @keyword
    def device_should_be_safe(self, why: str) -> None:
        """In safe mode: motor off, LED off; why is power, watchdog, brown-out, link or commands."""
        said = [line for line in self._device.engine.uart_lines() if "m- safe" in line.text]
        number = _fields(said[-1].text).get("why", 0) if said else 0
        found = _WHY[number] if number < len(_WHY) else str(number)
        if found != why:
            raise AssertionError(f"last safe mode is for {found}, expected {why}")
        if self._device.servo.angle is not None or any(self._device.led.rgb):
            raise AssertionError(
                f"servo {self._device.servo.angle}, LED {self._device.led.rgb}, expected both off"
            )

    @keyword
    @strict_arguments
    def servo_should_be_at(self, angle: float, tolerance: float = 1.0) -> None:
        """Driven to this angle, in degrees."""
        found = self._device.servo.angle
        if found is None or abs(found - angle) > tolerance:
            raise AssertionError(f"servo is at {found}, expected {angle}")

    @keyword
    def led_should_be(self, red: int, green: int, blue: int) -> None:
        """This colour, 0 to 255 each."""
        if self._device.led.rgb != (red, green, blue):
            raise AssertionError(f"LED is {self._device.led.rgb}, expected {(red, green, blue)}")

    @keyword
    def display_should_show_something(self) -> None:
        """At least one pixel is bright."""
        if not any(self._device.display.pixels()):
            raise AssertionError("the display is dark, expected a picture")

    @keyword
    def latency_should_be_at_most(self, limit: timedelta) -> None:
        """From the last byte of each command to the first change at a pin: the longest of all."""
        if not self._latencies_ms:
            raise AssertionError("no latency: no command changed a pin, expected some")
        found = np.array(self._latencies_ms)
        logger.info(
            f"{found.size} commands: mean {found.mean():.3f} ms, "
            f"95 % {np.quantile(found, 0.95):.3f} ms, longest {found.max():.3f} ms"
        )
        if found.max() > limit.total_seconds() * 1000:
            raise AssertionError(
                f"latency is {found.max():.3f} ms, expected at most "
                f"{limit.total_seconds() * 1000:.3f} ms"
            )

    @keyword
    def average_current_should_be_at_most(
        self, limit_ma: float, run_ma: float, sleep_ma: float, stop_ma: float
    ) -> None:
        """The device's own account of its time in each mode, times the data sheet's currents.

        Run and Sleep at 168 MHz and Stop mode, in mA: the estimate is as good as these.
        """
        self.send_command("status")
        self._device.run_us(20_000)
        said = [line.text for line in self._device.engine.uart_lines() if "m- status" in line.text]
        times = _fields(said[-1]) if said else {}
        parts = {"run": run_ma, "sleep": sleep_ma, "stop": stop_ma}
        total = sum(times.get(f"{name}_ms", 0) for name in parts)
        if not total:
            raise AssertionError("the device does not say its times, expected `m- status`")
        average = sum(times[f"{name}_ms"] * current for name, current in parts.items()) / total
        shares = ", ".join(f"{name} {times[f'{name}_ms'] / total:.1%}" for name in parts)
        logger.info(f"{shares}: {average:.3f} mA, {average * _HOURS_A_DAY:.1f} mAh a day")
        if average > limit_ma:
            raise AssertionError(
                f"average current is {average:.3f} mA ({shares}), expected at most {limit_ma:g} mA"
            )


def _command(kind: str, fields: dict[str, int]) -> Command:
    known = {each.name.lower(): each for each in CommandKind}
    names = {each.name.lower(): each for each in Field}
    if kind not in known or not names.keys() >= fields.keys():
        kinds = ", ".join(f"{k.name.lower()}({len(FIELDS[k])})" for k in CommandKind)
        raise BoardlessError(f"command {kind} {fields}, expected one of {kinds}")
    values = {names[name]: int(value) for name, value in sorted(fields.items())}
    return Command(known[kind], values)


def _name_of(code: int | None) -> str:
    if code is None:
        return "none"
    return ResponseCode(code).name.lower() if code in set(ResponseCode) else str(code)


def _fields(line: str) -> dict[str, int]:
    return {
        name: int(value)
        for name, _, value in (part.partition("=") for part in line.split())
        if value.isdecimal()
    }
