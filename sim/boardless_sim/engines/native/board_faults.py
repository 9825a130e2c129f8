"""Lets the faults of `faults/board.py` happen on a machine, each at its virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from boardless_sim.errors import FaultError
from boardless_sim.faults.board import (
    BoardFault,
    ChipReset,
    DmaError,
    DmaStall,
    LostInterrupt,
    MemoryBitFlip,
    RegisterBitFlip,
    SpuriousInterrupt,
    SupplyCut,
    UartLoss,
    UartNoise,
)

if TYPE_CHECKING:
    from boardless_sim.engines.native.machine import Machine

# NVIC_ISER0 and NVIC_ICER0 (DDI 0403E, B3.4.4 and B3.4.5).
_SET_ENABLE, _CLEAR_ENABLE = 0xE000_E100, 0xE000_E180
_FIRST_EXTERNAL = 16


def inject(machine: Machine, fault: BoardFault, at_us: float) -> None:
    """Let it happen at a virtual time. Raises `FaultError` where it cannot apply to this board."""
    begin = _prepared(machine, fault)
    delay_ns = round((at_us - machine.time_us()) * 1000)
    if not delay_ns >= 0:
        now = machine.time_us()
        raise FaultError(f"{type(fault).__name__} at {at_us:g} us, expected {now:g} us or later")

    def happen() -> None:
        machine.settle()  # what was foreseen, was foreseen without it
        begin()

    machine.schedule_ns(delay_ns, happen)


def _prepared(machine: Machine, fault: BoardFault) -> Callable[[], None]:
    """What happens; whatever the board lacks for it is found out now."""
    match fault:
        case MemoryBitFlip():
            return _flip_memory(machine, fault)
        case RegisterBitFlip():
            return _flip_register(machine, fault)
        case UartNoise() | UartLoss():
            return _disturb(machine, fault)
        case DmaError() | DmaStall():
            return lambda: _spoil_dma(machine, fault)
        case SpuriousInterrupt():
            return partial(_pulse, machine, fault.irq)
        case LostInterrupt():
            return partial(_mask, machine, fault)
        case SupplyCut():
            return partial(machine.request_reset, "POWER")
        case ChipReset():
            return partial(machine.request_reset, fault.cause)
    raise FaultError(f"{type(fault).__name__}, expected a fault of faults/board.py")


def _flip_memory(machine: Machine, fault: MemoryBitFlip) -> Callable[[], None]:
    areas = machine.board.chip.memories
    if not any(area.base <= fault.address < area.base + area.size for area in areas):
        raise FaultError(f"bit flip at {fault.address:#010x}, expected an address of a memory")

    def flip() -> None:
        (value,) = machine.peek(fault.address, 1)
        machine.poke(fault.address, bytes([value ^ 1 << fault.bit]))

    return flip


def _flip_register(machine: Machine, fault: RegisterBitFlip) -> Callable[[], None]:
    try:
        machine.cpu.register(fault.register)
    except LookupError as error:
        raise FaultError(f"register {fault.register!r}, expected one of the core's") from error

    def flip() -> None:
        value = machine.cpu.register(fault.register)
        machine.cpu.set_register(fault.register, value ^ 1 << fault.bit)

    return flip


def _spoil_dma(machine: Machine, fault: DmaError | DmaStall) -> None:
    if isinstance(fault, DmaStall):
        _stall_dma(machine, fault)
        return
    for controller in machine.devices.dmas:
        stream = controller.listening.get(fault.request)
        if stream is not None:
            stream.fail()
            controller.stall(False)  # who listens has changed
            return
    at = machine.time_us()
    raise FaultError(f"DMA error at {at:g} us: no stream serves {fault.request}, expected one")


def _stall_dma(machine: Machine, fault: DmaStall) -> None:
    for controller in machine.devices.dmas:
        controller.stall(True)

    def end() -> None:
        for controller in machine.devices.dmas:
            controller.stall(False)

    machine.schedule_ns(round(fault.for_us * 1000), end)


def _pulse(machine: Machine, irq: int) -> None:
    # It stays pending when the line falls again (DDI 0403E, B3.4.1).
    machine.cpu.set_line(irq + _FIRST_EXTERNAL, True)
    machine.cpu.set_line(irq + _FIRST_EXTERNAL, False)


def _mask(machine: Machine, fault: LostInterrupt) -> None:
    offset, bit = 4 * (fault.irq // 32), 1 << fault.irq % 32
    before = machine.cpu.peek(_SET_ENABLE + offset) or 0
    machine.cpu.poke(_CLEAR_ENABLE + offset, 4, bit)

    def end() -> None:
        machine.cpu.poke(_SET_ENABLE + offset, 4, before & bit)

    machine.schedule_ns(round(fault.for_us * 1000), end)


def _disturb(machine: Machine, fault: UartNoise | UartLoss) -> Callable[[], None]:
    """Between the transmitter and whoever listens, for a time."""
    usart = machine.devices.usarts.get(fault.port)
    if usart is None:
        ports = ", ".join(machine.devices.usarts)
        raise FaultError(f"port {fault.port!r}, expected one of {ports}")
    arrives, chance = usart.on_transmit, random.Random(fault.seed)

    def transmit(byte: int) -> None:
        if chance.random() >= fault.chance:
            arrives(byte)
        elif isinstance(fault, UartNoise):
            arrives(byte ^ 1 << chance.randrange(8))

    late_words = usart.late_words

    def end() -> None:
        usart.on_transmit, usart.late_words = arrives, late_words

    def begin() -> None:
        usart.on_transmit = transmit
        usart.late_words = lambda: 0  # each byte by itself
        machine.schedule_ns(round(fault.for_us * 1000), end)

    return begin
