"""The instruction that a core stopped at, in words, with the values of its operands.

No disassembler: what it does to memory, where it branches to, what it divides by; that is what a
fault is about (DDI 0403E, A5 to A7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from boardless_sim.elf.thumb import LR, SP, Access, Branch, InstructionKind, decode, is_wide
from boardless_sim.engines.engine import Engine, FaultInfo
from boardless_sim.errors import EngineError

_NAMES = {SP: "sp", LR: "lr", 15: "pc"}
_BLX = 1 << 7  # of BX and BLX (register): it links


def in_words(engine: Engine, fault: FaultInfo) -> str:
    """What faulted; where that is nowhere, the call or branch that led there."""
    registers = dict(enumerate(fault.registers))
    if fault.sp is not None and fault.lr is not None:
        registers.update({SP: fault.sp, LR: fault.lr})
    found = _at(engine, fault.pc, registers)
    if found and fault.function != "?":
        return found
    called_from = ((fault.lr or 0) & ~1) - 2
    if fault.caller == "?" or called_from <= 0:
        return found
    call = _at(engine, called_from, registers)
    if not call.startswith("call"):  # BL is wide
        call = _at(engine, called_from - 2, registers)
    words, _, values = call.partition(", ")
    return f"{words} in {fault.caller}, {values}" if words.startswith("call") else found


def _at(engine: Engine, address: int, registers: Mapping[int, int]) -> str:
    try:
        code = engine.read_memory(address & ~1, 4)
    except EngineError:
        return ""
    first, second = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:], "little")
    said, used = _described(address & ~1, first, second)
    values = [f"{_name(r)} = {registers[r]:#010x}" for r in used if r in registers]
    return ", ".join([said, *values])


def _described(address: int, first: int, second: int) -> tuple[str, list[int]]:
    """Words, and the registers in them."""
    instruction = decode(address, first, second)
    if instruction.access is not None:
        verb = "load from" if instruction.access.is_load else "store to"
        return f"{verb} [{_place(instruction.access)}]", list(_used(instruction.access))
    if instruction.kind is InstructionKind.DIVIDE:
        left, right = first & 0xF, second & 0xF
        return f"divide {_name(left)} by {_name(right)}", [left, right]
    if instruction.branch is Branch.INDIRECT and not is_wide(first) and first >> 8 == 0x47:
        target = first >> 3 & 0xF
        verb = "call" if first & _BLX else "branch to"
        return f"{verb} {_name(target)}", [target]
    if instruction.branch is Branch.DIRECT and is_wide(first) and second & 0x4000:
        return "call", []
    raw = f"{first:04x} {second:04x}" if is_wide(first) else f"{first:04x}"
    if first >> 8 == 0xBE:
        return f"BKPT {first & 0xFF}", []
    kind = (
        "undefined instruction" if instruction.kind is InstructionKind.UNDEFINED else "instruction"
    )
    return f"{kind} {raw}", []


def _place(access: Access) -> str:
    if access.base is None:
        return f"{access.displacement:#010x}"
    parts = [_name(access.base)]
    if access.index_register is not None:
        shifted = f" << {access.shift}" if access.shift else ""
        parts.append(f"+ {_name(access.index_register)}{shifted}")
    if access.displacement:
        parts.append(f"{'+' if access.displacement > 0 else '-'} {abs(access.displacement)}")
    if access.words > 1:
        parts.append(f"… {access.words} words")
    return " ".join(parts)


def _used(access: Access) -> Iterator[int]:
    if access.base is not None:
        yield access.base
    if access.index_register is not None:
        yield access.index_register


def _name(register: int) -> str:
    return _NAMES.get(register, f"r{register}")
