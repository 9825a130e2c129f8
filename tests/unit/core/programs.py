"""Programs of a few instructions, written as halfwords, in the smallest ELF that loads."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import FaultInfo, StopReason
from boardless_sim.engines.native import NativeEngine
from tests.unit.elf.elf_bytes import FLASH, build_elf

STACK_TOP = 0x2000_2000
HARD_FAULT = 3
VECTORS = 16
NOP, WFI, WFE, SEV = 0xBF00, 0xBF30, 0xBF20, 0xBF40
SLEEP_FOREVER = [WFI, 0xE7FD]
STOP_HERE = [0xE7FE]
UNDEFINED = [0xDE00]
BREAKPOINT = [0xBE00]
MASK_INTERRUPTS = [0xB672]
RETURN = [0x4770]
SUPERVISOR_CALL = [0xDF00]
BARRIER = [0xF3BF, 0x8F6F]  # isb


def constant(register: int, value: int) -> list[int]:
    """MOVW and MOVT."""

    def move(opcode: int, half: int) -> list[int]:
        first = opcode | (half >> 11 & 1) << 10 | half >> 12
        return [first, (half >> 8 & 7) << 12 | register << 8 | half & 0xFF]

    return move(0xF240, value & 0xFFFF) + move(0xF2C0, value >> 16)


def load(target: int, base: int) -> list[int]:
    """LDR target, [base]."""
    return [0x6800 | base << 3 | target]


def store(source: int, base: int) -> list[int]:
    """STR source, [base]."""
    return [0x6000 | base << 3 | source]


def poke(address: int, value: int) -> list[int]:
    """Store a constant, by way of r0 and r1."""
    return constant(0, address) + constant(1, value) + store(1, 0)


def assemble(
    reset: list[int],
    hard_fault: list[int] | None = None,
    handlers: Mapping[int, list[int]] | None = None,
) -> bytes:
    """Vector table, reset code, handlers by exception number. Every other vector is zero."""
    vectors = [0] * VECTORS
    vectors[0] = STACK_TOP
    code: list[int] = []
    pieces = {1: reset, HARD_FAULT: STOP_HERE if hard_fault is None else hard_fault}
    for exception, piece in {**pieces, **(handlers or {})}.items():
        vectors[exception] = FLASH + 4 * VECTORS + 2 * len(code) | 1
        code += piece
    return struct.pack(f"<{VECTORS}I", *vectors) + b"".join(
        halfword.to_bytes(2, "little") for halfword in code
    )


def power_on(
    tmp_path: Path,
    reset: list[int],
    hard_fault: list[int] | None = None,
    handlers: Mapping[int, list[int]] | None = None,
    *,
    fast_forward: bool = True,
) -> NativeEngine:
    """An engine with the program in Flash."""
    path = tmp_path / "program.elf"
    path.write_bytes(build_elf(code=assemble(reset, hard_fault, handlers)))
    engine = NativeEngine(fast_forward=fast_forward)
    engine.load(load_image(path))
    return engine


def fault_of(engine: NativeEngine) -> FaultInfo:
    """Run until the first fault."""
    assert engine.run(1000) == StopReason.FAULT
    fault = engine.fault()
    assert fault is not None
    return fault
