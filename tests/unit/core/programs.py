"""Programs of a few instructions, written as halfwords, in the smallest ELF that loads."""

from __future__ import annotations

import struct
from pathlib import Path

from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
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


def assemble(reset: list[int], hard_fault: list[int] | None = None) -> bytes:
    """Vector table, reset code, HardFault handler. Every other vector is zero."""
    handler = hard_fault if hard_fault is not None else STOP_HERE
    code_at = FLASH + 4 * VECTORS
    handler_at = code_at + 2 * len(reset)
    vectors = [0] * VECTORS
    vectors[0], vectors[1], vectors[HARD_FAULT] = STACK_TOP, code_at | 1, handler_at | 1
    return struct.pack(f"<{VECTORS}I", *vectors) + b"".join(
        halfword.to_bytes(2, "little") for halfword in reset + handler
    )


def power_on(tmp_path: Path, reset: list[int], hard_fault: list[int] | None = None) -> NativeEngine:
    """An engine with the program in Flash."""
    path = tmp_path / "program.elf"
    path.write_bytes(build_elf(code=assemble(reset, hard_fault)))
    engine = NativeEngine()
    engine.load(load_image(path))
    return engine
