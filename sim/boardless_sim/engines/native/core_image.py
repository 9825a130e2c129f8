"""A native board as a core image: nothing is changed by the look at it."""

from __future__ import annotations

from collections.abc import Iterator

from boardless_sim.chips.chip import MemoryArea
from boardless_sim.core.cpu import Cpu
from boardless_sim.engines.core_image import CoreImage, KeptDevice, KeptMemory
from boardless_sim.engines.native.machine import Machine
from boardless_sim.errors import EngineError
from boardless_sim.peripherals.peripheral import Peripheral

_GENERAL = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc", "xpsr")
_SYSTEM = ("msp", "psp", "primask", "basepri", "faultmask", "control", "fpscr")
_DOUBLES = 16
# SysTick, the NVIC and the SCB (DDI 0403E, B3.2.2 and B3.4.3).
_OF_THE_CORE = (range(0xE000_E010, 0xE000_E020), range(0xE000_E100, 0xE000_E4F0))
_SCB = range(0xE000_ED00, 0xE000_EDA0)
_PLAIN = (int, str, bool, float, type(None))
_MOST_ITEMS, _MOST_TEXT = 64, 200


def core_image(machine: Machine) -> CoreImage:
    """Registers, what can be written of the memories, and every device."""
    cpu = machine.cpu
    doubles = {f"d{number}": cpu.double(number) for number in range(_DOUBLES)}
    named = {name: cpu.register(name) for name in (*_GENERAL, *_SYSTEM)}
    memories = [
        KeptMemory(area.name, area.base, _contents(cpu, area))
        for area in machine.board.chip.memories
        if area.writable or area.waits
    ]
    memories += [
        KeptMemory("core registers", area.start, machine.peek(area.start, len(area)))
        for area in (*_OF_THE_CORE, _SCB)
    ]
    devices = tuple(_device(base, device) for base, device in machine.mapped_devices())
    chip = machine.board.chip.name
    return CoreImage(chip, {**named, **doubles}, tuple(memories), devices)


def _contents(cpu: Cpu, area: MemoryArea) -> bytes:
    """All of it, but for the erased end of a Flash."""
    data = cpu.read(area.base, area.size)
    return data if area.writable else data.rstrip(b"\xff")


def _device(base: int, device: Peripheral) -> KeptDevice:
    registers = {
        device.register_name(offset): (base + offset, device.peek(offset, 4))
        for offset in sorted({offset & ~3 for offset in device.registers})
    }
    try:
        state = device.state().of(device)
    except EngineError as error:  # one of the user's own, which keeps what cannot be kept
        return KeptDevice(device.name, registers, {"not kept": str(error)})
    return KeptDevice(device.name, registers, dict(_shown(state)))


def _shown(state: dict[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in state.items():
        if isinstance(value, _PLAIN):
            yield name, value
        elif isinstance(value, dict):
            yield name, {str(key): _text(item) for key, item in list(value.items())[:_MOST_ITEMS]}
        elif isinstance(value, tuple | list):
            yield name, [_text(item) for item in value[:_MOST_ITEMS]]
        else:
            yield name, _text(value)


def _text(value: object) -> object:
    return value if isinstance(value, _PLAIN) else repr(value)[:_MOST_TEXT]
