"""A whole board kept in memory, to go back to: the CPU, the memories, every device, the time."""

from __future__ import annotations

from dataclasses import dataclass

from boardless_sim.core.cpu import Cpu, CpuSnapshot, HostMemory
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Machine
from boardless_sim.peripherals.state import Some, State, capture

_OUTSIDE = (Machine, Cpu, HostMemory, NativeEngine, FirmwareImage)
# Of a machine, what is kept by other means or never changes.
_NOT_OF_MACHINE = frozenset(
    {
        "cpu",
        "devices",
        "variables",
        "_board",
        "_look",
        "_memories",
        "_own",
        "_reads",
        "_shared",
        "_trains",
    }
)
_OF_ENGINE = ("_lines", "_consoles", "_captures")


@dataclass(frozen=True)
class Snapshot:
    """A board at one moment; only the engine that it was taken from can take it back."""

    cpu: CpuSnapshot
    devices: State


def take(engine: NativeEngine) -> Snapshot:
    """The board as it is. Raises `EngineError` where a device has a state that cannot be kept."""
    machine = engine.machine
    machine.settle()
    roots = [
        Some(engine, _OF_ENGINE),
        Some(machine, tuple(vars(machine).keys() - _NOT_OF_MACHINE)),
        *([machine.devices.fitted] if machine.devices.fitted is not None else []),
        *machine.devices.parts.by_name.values(),
        *(device for _, device in machine.mapped_devices()),
    ]
    return Snapshot(
        cpu=machine.cpu.snapshot(),
        devices=capture(roots, lambda thing: isinstance(thing, _OUTSIDE)),
    )


def restore(engine: NativeEngine, snapshot: Snapshot) -> None:
    """The board of the snapshot; what ran on it since never happened."""
    engine.machine.settle()
    snapshot.devices.restore()
    engine.machine.cpu.restore(snapshot.cpu)
