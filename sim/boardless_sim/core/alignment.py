"""Which accesses of a block must be aligned, and what shows that they are.

"Non word-aligned LDREX, STREX, LDRD, STRD, LDM, STM, VLDR, VSTR, VLDM and VSTM always generate an
alignment fault" (DDI 0403E, A3.2.1). To look at each of them costs a third of the speed. But most
go by a register that the block began with, moved by whole words: a look at that register when the
block begins is enough, and an access gets a look of its own only where this one fails or tells
nothing. SP needs none, its bits 1:0 are always 0 (B1.4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from boardless_sim.core.timing import BlockFacts
from boardless_sim.elf.thumb import (
    LR,
    PC,
    SP,
    Access,
    Instruction,
    InstructionKind,
    expand_immediate,
    is_wide,
)

Literal = Callable[[int], int | None]  # the word at an address; None where it may change

_EVERY_REGISTER = 0xFFFF


class Remainder(NamedTuple):
    """What is known of a register, modulo 4: a remainder, added to what another one began with."""

    register: int | None
    remainder: int

    def plus(self, amount: int) -> Remainder:
        """Moved by a constant."""
        return Remainder(self.register, (self.remainder + amount) & 3)


ALIGNED = Remainder(None, 0)


class Alignment(NamedTuple):
    """What the core looks at to see that a block's accesses are aligned.

    `bases` is a mask of registers to look at when the block begins; `loop_keeps_it`: not again when
    the block follows on itself. `looks` are the offsets of accesses that need one of their own.
    `widths` has the bytes of each transfer and whether it must be aligned, by offset.
    """

    bases: int
    loop_keeps_it: bool
    looks: tuple[int, ...]
    widths: dict[int, tuple[int, bool]]


def alignment_of(code: bytes, facts: BlockFacts, literal: Literal) -> Alignment:
    """Of the block whose bytes are `code`."""
    widths = {timed.offset: _width(*_halfwords(code, timed.offset)) for timed in facts.accesses}
    if any(widths[timed.offset][1] and _is_telling(timed.access) for timed in facts.accesses):
        return _traced(code, facts.decoded, widths, literal)
    return Alignment(0, True, (), widths)


def _is_telling(access: Access) -> bool:
    """Literals and what lies on the stack are always aligned."""
    return access.base not in (None, SP)


def _halfwords(code: bytes, offset: int) -> tuple[int, int]:
    """Those of the instruction there; the second is 0 for a short one."""
    first = code[offset] | code[offset + 1] << 8
    return first, code[offset + 2] | code[offset + 3] << 8 if is_wide(first) else 0


def _width(first: int, second: int) -> tuple[int, bool]:
    """Bytes of each transfer, and whether the access must be aligned whatever CCR says."""
    if not is_wide(first):
        return _narrow_width(first)
    is_store = not first & 0x10
    if first & 0xFE00 == 0xF800:  # LDR, STR and their kin
        return 1 << (first >> 5 & 3), False
    if first & 0xFFE0 == 0xE840:  # Unicorn itself refuses a LDREX, but no STREX
        return 4, is_store
    if first & 0xFFE0 == 0xE8C0:
        is_table = not second & 0xE0 and not is_store  # TBB, TBH; else LDREXB, STREXH ...
        return 1 + (second >> 4 & 1), is_store and not is_table
    return 4, True


def _narrow_width(op: int) -> tuple[int, bool]:
    if op >> 12 == 5:  # STR, STRH, STRB, LDRSB, LDR, LDRH, LDRB, LDRSH by register
        return (4, 2, 1, 1, 4, 2, 1, 2)[op >> 9 & 7], False
    return {7: 1, 8: 2}.get(op >> 12, 4), op >> 12 in (0xB, 0xC)


def _traced(
    code: bytes,
    decoded: Sequence[tuple[int, Instruction]],
    widths: dict[int, tuple[int, bool]],
    literal: Literal,
) -> Alignment:
    known: list[Remainder | None] = [Remainder(register, 0) for register in range(16)]
    known[SP] = ALIGNED
    bases = conditional = 0
    looks: list[int] = []
    for offset, instruction in decoded:
        first, second = _halfwords(code, offset)
        access = instruction.access
        if access is not None and widths[offset][1] and access.base is not None:
            base = _moved(known[access.base], access.displacement)
            if base is None or base.remainder:
                looks.append(offset)
            elif base.register is not None:
                bases |= 1 << base.register
        after = list(known)
        _follow(after, first, second, instruction, literal)
        if conditional:  # it may be skipped
            after = [new if new == old else None for new, old in zip(after, known, strict=True)]
            conditional -= 1
        after[SP] = ALIGNED
        known = after
        if instruction.kind == InstructionKind.IT:
            conditional = 4 - ((first & -first).bit_length() - 1)
    kept = all(
        known[register] == Remainder(register, 0) for register in range(16) if bases >> register & 1
    )
    return Alignment(bases, kept, tuple(looks), widths)


def _follow(
    known: list[Remainder | None],
    first: int,
    second: int,
    instruction: Instruction,
    literal: Literal,
) -> None:
    """What is known behind an instruction."""
    access = instruction.access
    if access is None:
        result = _sum(known, first, second, instruction.size)
    elif instruction.kind == InstructionKind.LOAD and access.base is None and not instruction.is_fp:
        result = _loaded(first, second, access.displacement, literal)
    else:
        result = None
    if result is not None:
        register, known[register] = result
        return
    if _moves_base(first, second, instruction):
        base, amount = first & 0xF, second & 0xFF
        known[base] = _moved(known[base], amount if second & 0x200 else -amount)
    written = _written(first, second, instruction)
    for register in range(16):
        if written >> register & 1:
            known[register] = None


def _sum(
    known: list[Remainder | None], first: int, second: int, size: int
) -> tuple[int, Remainder | None] | None:
    """Destination and value of moves, additions and shifts; None: no such instruction."""
    return _narrow_sum(known, first) if size == 2 else _wide_sum(known, first, second)


def _add(one: Remainder | None, two: Remainder | None) -> Remainder | None:
    if one is None or two is None:
        return None
    if two.register is None:
        return one.plus(two.remainder)
    return two.plus(one.remainder) if one.register is None else None


def _moved(value: Remainder | None, amount: int) -> Remainder | None:
    return value and value.plus(amount)


def _narrow_sum(known: list[Remainder | None], op: int) -> tuple[int, Remainder | None] | None:
    low, high, middle = op & 7, op >> 8 & 7, known[op >> 3 & 7]
    any_low = op & 7 | op >> 4 & 8
    if op >> 11 == 0 and op >> 6 & 31 != 1:  # LSLS and MOVS
        return low, ALIGNED if op >> 6 & 31 else middle
    if op >> 9 == 0b0001100:  # ADDS Rd, Rn, Rm
        return low, _add(middle, known[op >> 6 & 7])
    if op >> 10 == 0b000111:  # ADDS, SUBS Rd, Rn, #imm3
        return low, _moved(middle, -(op >> 6 & 7) if op & 0x200 else op >> 6 & 7)
    if op >> 11 == 0b00100:  # MOVS Rd, #imm8
        return high, Remainder(None, op & 3)
    if op >> 12 == 0b0011:  # ADDS, SUBS Rd, #imm8
        return high, _moved(known[high], -(op & 0xFF) if op & 0x800 else op & 0xFF)
    if op >> 8 == 0x44 and any_low < PC:  # ADD Rd, Rm
        return any_low, _add(known[any_low], known[op >> 3 & 0xF])
    if op >> 8 == 0x46 and any_low < PC:  # MOV Rd, Rm
        return any_low, known[op >> 3 & 0xF]
    if op >> 12 == 0xA:  # ADR; ADD Rd, SP, #imm8
        return high, ALIGNED
    return None


def _wide_sum(
    known: list[Remainder | None], first: int, second: int
) -> tuple[int, Remainder | None] | None:
    target, source = second >> 8 & 0xF, first & 0xF
    if target >= PC or second & 0x8000:
        return None
    immediate = (first & 0x400) << 1 | second >> 4 & 0x700 | second & 0xFF
    shift = second >> 10 & 0x1C | second >> 6 & 3  # LSL where bits 5:4 are 0
    if first & 0xFBE0 in (0xF100, 0xF1A0):  # ADD, SUB Rd, Rn, #modified immediate
        amount = expand_immediate(immediate)
        return target, _moved(known[source], amount if first & 0x1E0 == 0x100 else -amount)
    if first & 0xFBF0 in (0xF200, 0xF2A0) and source != PC:  # ADDW, SUBW
        return target, _moved(known[source], immediate if first & 0xF0 == 0 else -immediate)
    if first & 0xFBEF == 0xF04F:  # MOV Rd, #modified immediate
        return target, Remainder(None, expand_immediate(immediate) & 3)
    if first & 0xFBF0 == 0xF240:  # MOVW
        return target, Remainder(None, second & 3)
    if first & 0xFBF0 == 0xF2C0:  # MOVT leaves the low half
        return target, known[target]
    if second & 0x30 or shift == 1:
        return None
    operand = ALIGNED if shift else known[second & 0xF]
    if first & 0xFFEF == 0xEA4F:  # MOV Rd, Rm, LSL #n
        return target, operand
    if first & 0xFFE0 == 0xEB00:  # ADD Rd, Rn, Rm, LSL #n
        return target, _add(known[source], operand)
    return None


def _loaded(
    first: int, second: int, address: int, literal: Literal
) -> tuple[int, Remainder | None] | None:
    """A literal; None where it is no word."""
    if is_narrow := first >> 11 == 0b01001:
        target = first >> 8 & 7
    else:
        target = second >> 12
    if not is_narrow and first & 0xFF7F != 0xF85F:
        return None
    word = literal(address)
    return target, None if word is None else Remainder(None, word & 3)


def _moves_base(first: int, second: int, instruction: Instruction) -> bool:
    """LDR and STR with write-back; the others move their base by whole words."""
    is_single = instruction.size == 4 and first & 0xFE80 == 0xF800 and first & 0xF != PC
    return is_single and second & 0x900 == 0x900


def _written(first: int, second: int, instruction: Instruction) -> int:
    """Core registers that an instruction writes, write-back left out, as a mask."""
    kind, access = instruction.kind, instruction.access
    is_load = access is not None and access.is_load
    if instruction.is_fp:
        moves_to_core = second & 0x10 and access is None
        return 1 << (second >> 12) | 1 << (first & 0xF) if moves_to_core else 0
    if kind == InstructionKind.MULTIPLE:
        registers = second if instruction.size == 4 else first & 0xFF
        return registers if is_load else 0
    if kind == InstructionKind.DUAL:
        return 1 << (second >> 12) | 1 << (second >> 8 & 0xF) if is_load else 0
    if kind == InstructionKind.LOAD_EXCLUSIVE:
        return 1 << (second >> 12)
    if kind == InstructionKind.STORE and first & 0xFF00 == 0xE800:  # STREX and its kin
        return 1 << (second >> 8 & 0xF) | 1 << (second & 0xF)
    if kind == InstructionKind.BRANCH:
        return 1 << LR
    if kind == InstructionKind.UNDEFINED:
        return _EVERY_REGISTER
    return instruction.writes
