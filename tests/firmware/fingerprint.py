"""Everything that a run leaves behind on the native engine, in a form that can be compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

from boardless_sim.camera.source import open_frames
from boardless_sim.core.cpu import REGISTERS
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine

MEMORIES = ((0x1000_0000, 64 << 10), (0x2000_0000, 128 << 10))
COUNTERS = (
    "cycles", "instructions", "sleep_cycles", "exceptions_taken", "pc", "lowest_msp",
    "lowest_psp", "active_exception", "sleeping", "systick_at",
)  # fmt: skip


def powered_board(elf: Path, frames: int) -> NativeEngine:
    engine = NativeEngine()
    engine.load(load_image(elf))
    for frame in open_frames("pattern:noise:1", limit=frames):
        engine.show(frame)
    return engine


def fingerprint(engine: NativeEngine) -> dict[str, object]:
    cpu = engine.machine.cpu
    return {
        **{
            f"{base:#x}": hashlib.sha256(cpu.read(base, size)).hexdigest()
            for base, size in MEMORIES
        },
        **{name: cpu.register(name) for name in REGISTERS},
        **{f"d{number}": cpu.double(number) for number in range(16)},
        **{name: getattr(cpu.shared, name) for name in COUNTERS},
        "time": engine.time_us(),
        "lines": list(engine.uart_lines()),
        "captures": list(engine.captures()),
        "log": engine.log(),
        "stack": engine.stack_mark(),
    }
