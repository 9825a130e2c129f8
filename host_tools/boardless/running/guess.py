"""What a firmware shows of its board: from its ELF, and from what it does in its first moments.

Each guess says what it rests on, so that a reader can tell a reading from a supposition.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from boardless.running.session import BoardSetup
from boardless_sim.boards.board import CameraWiring
from boardless_sim.boards.plan import CAMERA, DEFAULT_CHIP, BoardPlan
from boardless_sim.boards.wiring import require_possible
from boardless_sim.boards.xclk import Xclk
from boardless_sim.camera.source import open_frames
from boardless_sim.chips.catalog import load_facts
from boardless_sim.chips.families import fitting_parts
from boardless_sim.elf.image import FirmwareImage, load_image
from boardless_sim.engines.bounds import Bounds
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import BoardError, ImageError
from boardless_sim.peripherals import rcc
from boardless_sim.peripherals.rcc import Rcc
from boardless_sim.peripherals.usart import TOLERANCE, USUAL_BAUDS

FIRST_US = 500_000.0
_HOST_S = 60.0
_LINE = re.compile(rb"stm32f4\d\d", re.IGNORECASE)
_TIMER_OUTPUT = re.compile(r"TIM\d+_CH[1-4]N?")
_XCLK_HZ = range(6_000_000, 60_000_000)  # what sensors take, generously
_USUAL_CRYSTALS_MHZ = (8, 25, 12, 16, 26)
_SHOWN_PARTS = 3


@dataclass(frozen=True)
class Guess:
    """A value for `boardless.toml`, and what it rests on. `is_read`: seen, and not supposed."""

    key: str
    value: str
    basis: str
    is_read: bool = True


@dataclass(frozen=True)
class Guesses:
    """All of them, and the board that they make. `captured`: frames in the first moments."""

    guesses: tuple[Guess, ...]
    board: BoardPlan
    port: str | None
    baud: int | None
    captured: int
    lines: tuple[str, ...]
    has_results: bool


def guess(elf: Path) -> Guesses:
    """Look at an ELF, run it on what it seems to be for, and again on what it was seen to use."""
    image = load_image(elf)
    chip = _chip(image)
    plan = BoardPlan(chip=chip.value)
    first = _looked_at(elf, image, plan)
    found = [chip, *first.guesses]
    plan = _board(plan, found)
    again = _looked_at(elf, image, plan)
    return replace(again, guesses=(chip, *again.guesses, *_captures(plan, again)), board=plan)


def _captures(plan: BoardPlan, seen: Guesses) -> Iterator[Guess]:
    if plan.camera is not None:
        many = f"{seen.captured} frames captured in the first {FIRST_US / 1e6:g} s"
        yield Guess("camera.sensor", plan.camera.sensor, f"{many}; supposed", is_read=False)


def _chip(image: FirmwareImage) -> Guess:
    """By the names in its debug information, else by what it needs."""
    fits = fitting_parts(image)
    if not fits:
        raise ImageError(f"{image.path}: it fits no known STM32F4, expected one for [board] chip")
    named = Counter(name.decode().lower() for name in _LINE.findall(image.raw))
    for line, _ in named.most_common():
        parts = [part for part in fits if part.startswith(line)]
        if parts:
            best = DEFAULT_CHIP if DEFAULT_CHIP in parts else parts[0]
            return Guess("board.chip", best, f"the ELF names {line}, and it fits")
    best = DEFAULT_CHIP if DEFAULT_CHIP in fits else fits[0]
    others = ", ".join([part for part in fits if part != best][:_SHOWN_PARTS])
    return Guess("board.chip", best, f"it fits; so it does {others}", is_read=False)


def _looked_at(elf: Path, image: FirmwareImage, plan: BoardPlan) -> Guesses:
    """The pins, the clocks and the console after the first moments on a board."""
    setup = BoardSetup(elf, board=plan, bounds=Bounds(host_s=_HOST_S))
    with closing(setup.native()) as engine:
        engine.load(image)
        has_camera = engine.machine.devices.fitted is not None
        if has_camera:
            for frame in open_frames("pattern:bars"):
                engine.show(frame)
        engine.run(FIRST_US)
        lines = engine.uart_lines()
        port = lines[0].port if lines else None
        console = engine.machine.devices.usarts.get(port or "")
        return Guesses(
            guesses=tuple(_seen(engine, has_camera)),
            board=plan,
            port=port,
            baud=None if console is None else _usual(console.baud),
            captured=len(engine.captured()) if has_camera else 0,
            lines=tuple(line.text for line in lines),
            has_results=any(engine.contract.is_result(line.port, line.text) for line in lines),
        )


def _usual(baud: float) -> int:
    """The rate that terminals have, where a divider comes near to one."""
    nearest = min(USUAL_BAUDS, key=lambda rate: abs(rate - baud))
    return nearest if abs(nearest - baud) <= TOLERANCE * nearest else round(baud)


def _seen(engine: NativeEngine, has_camera: bool) -> Iterator[Guess]:
    yield from _crystal(engine)
    if has_camera and "DCMI" in engine.machine.touched():
        yield from _bus(engine)
        yield _xclk(engine)


def _crystal(engine: NativeEngine) -> Iterator[Guess]:
    """The PLL's input wants 1 to 2 MHz (RM0090 7.3.2): PLLM tells the crystal."""
    device = engine.machine.devices.by_name["RCC"][1]
    assert isinstance(device, Rcc)
    if not device.values[rcc.CR] & rcc.CR_HSEON:
        return
    divider = device.values[rcc.PLLCFGR] & 0x3F
    usual = [mhz for mhz in _USUAL_CRYSTALS_MHZ if mhz in (divider, 2 * divider)]
    mhz = usual[0] if usual else divider
    basis = f"HSE is on, and RCC_PLLCFGR.PLLM is {divider}: the PLL wants 1 or 2 MHz"
    yield Guess("board.crystal", f"{mhz}M", basis, is_read=False)


def _bus(engine: NativeEngine) -> Iterator[Guess]:
    pins = engine.machine.devices.pins
    for number in (1, 2, 3):
        wires = pins.of(f"I2C{number}_SCL")
        if wires:
            gpio, pin = wires[0]
            where = f"P{gpio.name[-1]}{pin} is I2C{number}_SCL"
            yield Guess("camera.bus", f"i2c{number}", where)
            return
    yield Guess("camera.bus", CAMERA.bus, "no pin is an I2C's; by hand it is gpio:PB8,PB9", False)


def _xclk(engine: NativeEngine) -> Guess:
    """The pin whose clock is one that a sensor takes."""
    devices, facts = engine.machine.devices, load_facts(engine.machine.board.chip.name)
    by_name = {name: device for name, (_, device) in devices.by_name.items()}
    outputs = {name for names in facts.alternates.values() for name in names}
    for signal in ("MCO1", "MCO2", *sorted(filter(_TIMER_OUTPUT.fullmatch, outputs))):
        wires = devices.pins.of(signal)
        if not wires:
            continue
        hertz = Xclk(signal, devices.rcc, devices.pins, by_name).hertz()
        if hertz in _XCLK_HZ:
            gpio, pin = wires[0]
            basis = f"P{gpio.name[-1]}{pin} is {signal}, at {hertz / 1e6:g} MHz"
            return Guess("camera.xclk", signal, basis)
    return Guess("camera.xclk", "24M", "no pin puts such a clock out: an oscillator", is_read=False)


def _board(plan: BoardPlan, found: list[Guess]) -> BoardPlan:
    """The plan with what was found, or without its camera where that cannot be."""
    values = {each.key: each.value for each in found}
    if "board.crystal" in values:
        plan = replace(plan, crystal_hz=int(values["board.crystal"][:-1]) * 1_000_000)
    if "camera.bus" in values:
        camera = CameraWiring(CAMERA.sensor, values["camera.bus"], values["camera.xclk"])
        plan = replace(plan, camera=camera)
    try:
        require_possible(plan)
    except BoardError:
        return replace(plan, camera=None)
    return plan
