"""Thumb-2 instructions as facts: length, class, memory accesses, effect on SP, branch.

Not a disassembler: it knows what timing, access matching and stack tracking need. The encodings are
those of the ARMv7-M Architecture Reference Manual (DDI 0403E), chapters A5 to A7.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

SP, LR, PC = 13, 14, 15


class InstructionKind(IntEnum):
    """Instruction classes that differ in time or in what the core must watch."""

    ALU = 0
    MULTIPLY = 1
    DIVIDE = 2
    LOAD = 3
    STORE = 4
    DUAL = 5
    MULTIPLE = 6
    TABLE_BRANCH = 7
    BRANCH = 8
    IT = 9
    HINT = 10
    SEND_EVENT = 11
    BARRIER = 12
    MASK = 13  # CPS and MSR
    READ_SPECIAL = 14
    FP = 15
    FP_MULTIPLY_ADD = 16
    FP_DIVIDE = 17
    UNDEFINED = 18
    LOAD_EXCLUSIVE = 19


class Branch(IntEnum):
    """How an instruction may leave the straight line."""

    NONE = 0
    DIRECT = 1
    CONDITIONAL = 2
    INDIRECT = 3
    TABLE = 4
    EXCEPTION = 5  # SVC, BKPT, UDF


class Access(NamedTuple):
    """One memory access: register `base` (None: `displacement` is the address) plus the rest."""

    base: int | None
    index_register: int | None
    shift: int
    displacement: int
    words: int
    is_load: bool


class Instruction(NamedTuple):
    """What one instruction is. `sp_delta` is None when SP changes by an unknown amount."""

    size: int
    kind: InstructionKind
    access: Access | None = None
    branch: Branch = Branch.NONE
    writes: int = 0  # registers that an ALU operation or a single load writes, as a mask
    words: int = 0  # words moved by a MULTIPLE
    sp_delta: int | None = 0
    is_fp: bool = False

    @property
    def addresses_with(self) -> int:
        """Registers that form the address, as a mask."""
        if self.access is None:
            return 0
        mask = 0 if self.access.base is None else 1 << self.access.base
        return mask | (0 if self.access.index_register is None else 1 << self.access.index_register)


def is_wide(halfword: int) -> bool:
    """Whether a first halfword starts a 32-bit instruction (A5.1)."""
    return halfword >= 0xE800


def decode(address: int, first: int, second: int) -> Instruction:
    """The instruction whose halfwords stand at `address`; `second` is ignored for 16-bit ones."""
    return _wide(address, first, second) if is_wide(first) else _narrow(address, first)


# ---- 16-bit (A5.2) ----


def _narrow(address: int, op: int) -> Instruction:
    top = op >> 12
    if top < 4:
        compare = op >> 11 == 0b00101
        destination = (op >> 8) & 7 if op >= 0x2000 else op & 7
        return _alu(2, None if compare else destination)
    if top == 4:
        return _narrow_4(address, op)
    if top < 0xA:
        return _narrow_memory(op)
    if top == 0xA:
        return _alu(2, (op >> 8) & 7)
    if top == 0xB:
        return _narrow_misc(op)
    if top == 0xC:
        registers = (op & 0xFF).bit_count()
        access = Access((op >> 8) & 7, None, 0, 0, registers, bool(op & 0x800))
        return Instruction(2, InstructionKind.MULTIPLE, access, words=registers)
    if top == 0xD:
        special = (op >> 8) & 0xF
        if special == 0xE:
            return Instruction(2, InstructionKind.UNDEFINED, branch=Branch.EXCEPTION)
        if special == 0xF:
            return Instruction(2, InstructionKind.BRANCH, branch=Branch.EXCEPTION)
        return Instruction(2, InstructionKind.BRANCH, branch=Branch.CONDITIONAL)
    return Instruction(2, InstructionKind.BRANCH, branch=Branch.DIRECT)


def _narrow_4(address: int, op: int) -> Instruction:
    if op < 0x4400:
        operation = (op >> 6) & 0xF
        if operation == 0b1101:
            return Instruction(2, InstructionKind.MULTIPLY, writes=1 << (op & 7))
        return _alu(2, None if operation in (0b1000, 0b1010, 0b1011) else op & 7)
    if op < 0x4700:
        destination = (op & 7) | (op >> 4 & 8)
        if op >> 8 == 0x45:
            return _alu(2, None)
        if destination == PC:
            return Instruction(2, InstructionKind.BRANCH, branch=Branch.INDIRECT)
        return _alu(2, destination)
    if op < 0x4800:
        return Instruction(2, InstructionKind.BRANCH, branch=Branch.INDIRECT)
    literal = ((address + 4) & ~3) + (op & 0xFF) * 4
    access = Access(None, None, 0, literal, 1, True)
    return Instruction(2, InstructionKind.LOAD, access, writes=1 << (op >> 8 & 7))


def _narrow_memory(op: int) -> Instruction:
    if op < 0x6000:
        operation = (op >> 9) & 7
        is_load = operation >= 3
        access = Access((op >> 3) & 7, (op >> 6) & 7, 0, 0, 1, is_load)
        target = op & 7
    elif op < 0x9000:
        scale = {0x6: 4, 0x7: 1, 0x8: 2}[op >> 12]
        is_load = bool(op & 0x800)
        access = Access((op >> 3) & 7, None, 0, ((op >> 6) & 31) * scale, 1, is_load)
        target = op & 7
    else:
        is_load = bool(op & 0x800)
        access = Access(SP, None, 0, (op & 0xFF) * 4, 1, is_load)
        target = (op >> 8) & 7
    if is_load:
        return Instruction(2, InstructionKind.LOAD, access, writes=1 << target)
    return Instruction(2, InstructionKind.STORE, access)


def _narrow_misc(op: int) -> Instruction:
    group = (op >> 8) & 0xF
    if group == 0x0:
        amount = (op & 0x7F) * 4
        return _alu(2, SP, sp_delta=-amount if op & 0x80 else amount)
    if group in (0x1, 0x3, 0x9, 0xB):
        return Instruction(2, InstructionKind.BRANCH, branch=Branch.CONDITIONAL)
    if group in (0x4, 0x5):
        registers = (op & 0x1FF).bit_count()
        access = Access(SP, None, 0, -4 * registers, registers, False)
        return Instruction(
            2, InstructionKind.MULTIPLE, access, words=registers, sp_delta=-4 * registers
        )
    if group in (0xC, 0xD):
        registers = (op & 0x1FF).bit_count()
        branch = Branch.INDIRECT if op & 0x100 else Branch.NONE
        access = Access(SP, None, 0, 0, registers, True)
        return Instruction(
            2, InstructionKind.MULTIPLE, access, branch, words=registers, sp_delta=4 * registers
        )
    if group == 0x6:
        return Instruction(
            2, InstructionKind.MASK if op & 0xFFE0 == 0xB660 else InstructionKind.UNDEFINED
        )
    if group == 0xE:
        return Instruction(2, InstructionKind.BRANCH, branch=Branch.EXCEPTION)
    if group == 0xF:
        if op & 0xF:
            return Instruction(2, InstructionKind.IT)
        return Instruction(2, InstructionKind.SEND_EVENT if op == 0xBF40 else InstructionKind.HINT)
    return _alu(2, op & 7)


# ---- 32-bit (A5.3) ----


def _wide(address: int, first: int, second: int) -> Instruction:
    if first & 0xEC00 == 0xEC00:
        return _coprocessor(address, first, second)
    if first & 0xFE40 == 0xE800:
        return _multiple(first, second)
    if first & 0xFE40 == 0xE840:
        return _dual(address, first, second)
    if first < 0xF800:
        is_control = first >= 0xF000 and second & 0x8000
        return _control(first, second) if is_control else _data_processing(first, second)
    if first & 0xFE00 == 0xF800:
        return _single(address, first, second)
    if first & 0xFF00 == 0xFA00:
        return _alu(4, (second >> 8) & 0xF)
    if first & 0xFF80 == 0xFB00:
        return Instruction(4, InstructionKind.MULTIPLY, writes=1 << ((second >> 8) & 0xF))
    if first & 0xFF80 == 0xFB80:
        if first & 0xFFD0 == 0xFB90:
            return Instruction(4, InstructionKind.DIVIDE, writes=1 << ((second >> 8) & 0xF))
        writes = 1 << ((second >> 8) & 0xF) | 1 << (second >> 12)
        return Instruction(4, InstructionKind.MULTIPLY, writes=writes)
    return Instruction(4, InstructionKind.UNDEFINED)


def _alu(size: int, destination: int | None, sp_delta: int | None = None) -> Instruction:
    """`sp_delta` counts only where the destination is SP."""
    if destination is None:
        return Instruction(size, InstructionKind.ALU)
    return Instruction(
        size,
        InstructionKind.ALU,
        writes=1 << destination,
        sp_delta=sp_delta if destination == SP else 0,
    )


def _data_processing(first: int, second: int) -> Instruction:
    destination = (second >> 8) & 0xF
    if destination == PC:  # CMP, CMN, TST, TEQ
        return _alu(4, None)
    if destination != SP or first & 0xF != SP or first & 0xF800 != 0xF000:
        return _alu(4, destination)
    immediate = (first & 0x400) << 1 | (second >> 4) & 0x700 | second & 0xFF
    operation = first & 0x3F0
    if operation & ~0x10 in (0x100, 0x1A0):  # ADD, SUB with a modified immediate
        amount = expand_immediate(immediate)
        return _alu(4, SP, amount if operation & ~0x10 == 0x100 else -amount)
    if operation in (0x200, 0x2A0):  # ADDW, SUBW
        return _alu(4, SP, immediate if operation == 0x200 else -immediate)
    return _alu(4, SP)


def expand_immediate(immediate: int) -> int:
    """ThumbExpandImm of a 12-bit field (A5.3.2)."""
    byte = immediate & 0xFF
    if immediate >> 10 == 0:
        return (byte, byte * 0x00010001, byte * 0x01000100, byte * 0x01010101)[immediate >> 8]
    rotation = immediate >> 7
    value = 0x80 | immediate & 0x7F
    return (value >> rotation | value << (32 - rotation)) & 0xFFFFFFFF


def _control(first: int, second: int) -> Instruction:
    if second & 0x1000:  # B.W, BL
        return Instruction(4, InstructionKind.BRANCH, branch=Branch.DIRECT)
    if second & 0x4000:  # UDF.W
        return Instruction(4, InstructionKind.UNDEFINED, branch=Branch.EXCEPTION)
    operation = (first >> 4) & 0x7F
    if operation & 0x38 != 0x38:
        return Instruction(4, InstructionKind.BRANCH, branch=Branch.CONDITIONAL)
    if operation in (0x38, 0x39):
        return Instruction(4, InstructionKind.MASK)
    if operation in (0x3E, 0x3F):
        return Instruction(4, InstructionKind.READ_SPECIAL, writes=1 << ((second >> 8) & 0xF))
    if operation == 0x3B:
        return Instruction(4, InstructionKind.BARRIER)
    if operation == 0x3A:
        return Instruction(
            4, InstructionKind.SEND_EVENT if second & 0xFF == 4 else InstructionKind.HINT
        )
    return Instruction(4, InstructionKind.UNDEFINED)


def _multiple(first: int, second: int) -> Instruction:
    base, is_load, writes_back = first & 0xF, bool(first & 0x10), bool(first & 0x20)
    words = second.bit_count()
    decrements = bool(first & 0x100)
    access = Access(base, None, 0, -4 * words if decrements else 0, words, is_load)
    branch = Branch.INDIRECT if is_load and second & 0x8000 else Branch.NONE
    moved = (-4 if decrements else 4) * words if base == SP and writes_back else 0
    return Instruction(4, InstructionKind.MULTIPLE, access, branch, words=words, sp_delta=moved)


def _dual(address: int, first: int, second: int) -> Instruction:
    base, is_load = first & 0xF, bool(first & 0x10)
    indexed, up, writes_back = bool(first & 0x100), bool(first & 0x80), bool(first & 0x20)
    offset = (second & 0xFF) * 4
    if not indexed and not writes_back:
        return _exclusive_or_table(address, first, second)
    signed = offset if up else -offset
    if base == PC:
        access = Access(None, None, 0, ((address + 4) & ~3) + signed, 2, is_load)
    else:
        access = Access(base, None, 0, signed if indexed else 0, 2, is_load)
    moved = signed if base == SP and writes_back else 0
    return Instruction(4, InstructionKind.DUAL, access, sp_delta=moved)


def _exclusive_or_table(address: int, first: int, second: int) -> Instruction:
    base, is_load, up = first & 0xF, bool(first & 0x10), bool(first & 0x80)
    kind = InstructionKind.LOAD_EXCLUSIVE if is_load else InstructionKind.STORE
    if not up:  # LDREX, STREX
        return Instruction(4, kind, Access(base, None, 0, (second & 0xFF) * 4, 1, is_load))
    operation = (second >> 4) & 0xF
    if operation in (0, 1) and is_load:  # TBB, TBH
        shift = operation
        if base == PC:
            access = Access(None, second & 0xF, shift, address + 4, 1, True)
        else:
            access = Access(base, second & 0xF, shift, 0, 1, True)
        return Instruction(4, InstructionKind.TABLE_BRANCH, access, Branch.TABLE)
    if operation in (4, 5):  # LDREXB, LDREXH, STREXB, STREXH
        return Instruction(4, kind, Access(base, None, 0, 0, 1, is_load))
    return Instruction(4, InstructionKind.UNDEFINED)


def _single(address: int, first: int, second: int) -> Instruction:
    """LDR/STR of a byte, halfword or word (A5.3.7 to A5.3.10)."""
    base, is_load, target = first & 0xF, bool(first & 0x10), second >> 12
    size_bits = (first >> 5) & 3
    if size_bits == 3 or (not is_load and (base == PC or first & 0x100)):
        return Instruction(4, InstructionKind.UNDEFINED)
    moved: int | None = 0
    if base == PC:
        offset = second & 0xFFF
        pc = (address + 4) & ~3
        access = Access(None, None, 0, pc + offset if first & 0x80 else pc - offset, 1, is_load)
    elif first & 0x80:
        access = Access(base, None, 0, second & 0xFFF, 1, is_load)
    elif second & 0x800:
        offset = second & 0xFF if second & 0x200 else -(second & 0xFF)
        indexed, writes_back = bool(second & 0x400), bool(second & 0x100)
        access = Access(base, None, 0, offset if indexed else 0, 1, is_load)
        moved = offset if base == SP and writes_back else 0
    else:
        access = Access(base, second & 0xF, (second >> 4) & 3, 0, 1, is_load)
    if is_load and target == PC:
        if size_bits != 2:  # PLD, PLI
            return Instruction(4, InstructionKind.HINT)
        return Instruction(4, InstructionKind.LOAD, access, Branch.INDIRECT, sp_delta=moved)
    if is_load and target == SP:
        moved = None
    if is_load:
        return Instruction(4, InstructionKind.LOAD, access, writes=1 << target, sp_delta=moved)
    return Instruction(4, InstructionKind.STORE, access, sp_delta=moved)


def _coprocessor(address: int, first: int, second: int) -> Instruction:
    """The FPU is coprocessor 10 and 11 (A6.4 to A6.8); no other exists on this core."""
    if second & 0xE00 != 0xA00 or first >> 8 not in (0xEC, 0xED, 0xEE):
        return Instruction(4, InstructionKind.UNDEFINED)
    if first & 0xFF00 != 0xEE00:
        return _fp_memory(address, first, second)
    if second & 0x10:  # VMOV between core and FPU, VMRS, VMSR
        return Instruction(4, InstructionKind.FP, is_fp=True)
    operation = (first >> 5) & 4 | (first >> 4) & 3
    if operation in (0, 1, 5, 6):  # VMLA, VNMLA, VFNMA, VFMA
        return Instruction(4, InstructionKind.FP_MULTIPLY_ADD, is_fp=True)
    is_root = operation == 7 and first & 0xF == 1 and second & 0xC0 == 0xC0
    if operation == 4 or is_root:
        return Instruction(4, InstructionKind.FP_DIVIDE, is_fp=True)
    return Instruction(4, InstructionKind.FP, is_fp=True)


def _fp_memory(address: int, first: int, second: int) -> Instruction:
    base, is_load = first & 0xF, bool(first & 0x10)
    indexed, up, writes_back = bool(first & 0x100), bool(first & 0x80), bool(first & 0x20)
    words = second & 0xFF
    if not indexed and not up and not writes_back:  # VMOV of a pair
        return Instruction(4, InstructionKind.FP, is_fp=True)
    if indexed and not writes_back:  # VLDR, VSTR
        offset = words * 4 if up else -words * 4
        width = 2 if second & 0x100 else 1
        literal = ((address + 4) & ~3) + offset
        access = (
            Access(None, None, 0, literal, width, is_load)
            if base == PC
            else Access(base, None, 0, offset, width, is_load)
        )
        return Instruction(
            4, InstructionKind.LOAD if is_load else InstructionKind.STORE, access, is_fp=True
        )
    access = Access(base, None, 0, 0 if up else -4 * words, words, is_load)
    moved = (4 if up else -4) * words if base == SP and writes_back else 0
    return Instruction(4, InstructionKind.MULTIPLE, access, words=words, sp_delta=moved, is_fp=True)
