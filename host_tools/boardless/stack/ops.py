"""Thumb-2 instructions as their effect on SP, on values that may reach SP or PC, and on control.

An operation depends on its halfwords only, never on where it stands, so each is read once a run.
What the core's decoder knows (lengths, SP deltas, plain destinations) is asked there.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from boardless_sim.elf.thumb import (
    LR,
    PC,
    SP,
    Branch,
    InstructionKind,
    decode,
    expand_immediate,
    is_wide,
)


class Action:
    """What a walk along the code has to do for an instruction. Plain numbers: it is asked often."""

    PLAIN: Final = 0  # only `kills`
    ADD: Final = 1  # x := y + z, y and z: register and number
    ADD_REGISTER: Final = 2  # x := y + register z
    SUBTRACT_REGISTER: Final = 3  # x := y - register z
    ALIGN: Final = 4  # x := y rounded down to a multiple of z
    CONSTANT: Final = 5  # x := y
    TOP: Final = 6  # upper half of x := y
    SHIFT_LEFT: Final = 7  # x := y << z
    SHIFT_RIGHT: Final = 8  # x := y >> z
    ADDRESS: Final = 9  # x := PC, aligned, + y
    LITERAL: Final = 10  # x := word at PC, aligned, + y
    LOAD: Final = 11  # x := word at y + z
    LOAD_INDEXED: Final = 12  # x := word at y + 4 * an index
    LOAD_TWO: Final = 13  # x := word at y + z, w := the word behind it
    STORE: Final = 14  # word at y + z := register x, the word behind it := register w
    STORE_SOME: Final = 15  # something from y on; x: register that is moved by it
    MOVE_SP: Final = 16  # SP += x
    PUSH: Final = 17  # SP -= x; registers of mask y from there up
    POP: Final = 18  # SP += x; registers of mask y
    CALL: Final = 19  # BL to PC + x
    JUMP: Final = 20  # B to PC + x
    BRANCH: Final = 21  # conditional, to PC + x
    CALL_REGISTER: Final = 22  # BLX x
    JUMP_REGISTER: Final = 23  # BX x, MOV pc
    TABLE: Final = 24  # TBB (x = 1) or TBH (x = 2) behind itself
    ADD_TO_PC: Final = 25
    STOP: Final = 26  # UDF: nothing follows
    IT: Final = 27  # x conditional instructions follow
    SP_UNKNOWN: Final = 28


class Operation(NamedTuple):
    """One instruction's effect; the meaning of x, y, z, w is its action's, -1 no register.

    `asks`: its effect on SP, on control or on which functions have their address taken is not
    known without the registers' values.
    """

    size: int
    action: int
    x: int = 0
    y: int = 0
    z: int = 0
    kills: tuple[int, ...] = ()
    asks: bool = False
    w: int = -1


_ALL_BUT_SP = (*range(13), LR)


def operation(first: int, second: int) -> Operation:
    """The operation of two halfwords; `second` is ignored for a 16-bit instruction."""
    if first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000:
        return _control(first, second)  # BL, of which nearly every one is another
    found = _wide(first, second) if is_wide(first) else _narrow(first)
    if found.action == Action.ADD and found.x == SP and found.y == SP:
        found = found._replace(action=Action.MOVE_SP, x=found.z)
    return found._replace(asks=True) if _asks(found) else found


def _asks(found: Operation) -> bool:
    if found.action in (Action.CALL_REGISTER, Action.ADD_TO_PC, Action.TOP):
        return True
    if found.action == Action.JUMP_REGISTER:
        return found.x != LR
    if found.action == Action.ADDRESS and found.y & 1:
        return True
    return Action.PLAIN < found.action <= Action.LOAD_INDEXED and found.x in (SP, PC)


def signed(value: int, bits: int) -> int:
    """Two's complement of a field."""
    return value - (1 << bits) if value >> (bits - 1) else value


def _plain(first: int, second: int, *kills: int) -> Operation:
    """What is left to the core's decoder, plus registers that it does not count as written."""
    known = decode(0, first, second)
    if known.kind == InstructionKind.UNDEFINED:
        return _unknown(known.size, first, second)
    if known.sp_delta is None:
        return Operation(known.size, Action.SP_UNKNOWN)
    written = (*kills, *_registers(known.writes & ~(1 << SP)))
    if known.branch == Branch.INDIRECT:
        return Operation(known.size, Action.JUMP_REGISTER, PC, kills=written)
    if known.sp_delta:
        return Operation(known.size, Action.ADD, SP, SP, known.sp_delta, written)
    return Operation(known.size, Action.PLAIN, kills=written)


def _unknown(size: int, first: int, second: int) -> Operation:
    """What ARMv7-M does not have: a trap, or an instruction of ARMv8-M or of a vector unit.

    Nothing follows a UDF (DDI 0403E, A7.7.194). After all else the way goes on and every register
    may be another, the loop counter of DLS, WLS and LE too (DDI 0553B, C2.4): a walk that stopped
    there would miss what the function takes behind it.
    """
    is_trap = size == 2 or (first & 0xFFF0 == 0xF7F0 and second & 0xF000 == 0xA000)
    if is_trap:
        return Operation(size, Action.STOP)
    return Operation(size, Action.PLAIN, kills=_ALL_BUT_SP)


def _registers(mask: int) -> tuple[int, ...]:
    return tuple(number for number in range(16) if mask >> number & 1)


# ---- 16-bit ----


def _narrow(op: int) -> Operation:
    top = op >> 12
    if top < 4:
        return _narrow_arithmetic(op)
    if top == 4:
        return _narrow_registers(op)
    if top < 0xA:
        return _narrow_memory(op)
    if top == 0xA:
        rd, amount = (op >> 8) & 7, (op & 0xFF) * 4
        if op & 0x800:
            return Operation(2, Action.ADD, rd, SP, amount)
        return Operation(2, Action.ADDRESS, rd, amount)
    if top == 0xB:
        return _narrow_misc(op)
    if top == 0xC:
        return _narrow_multiple(op)
    if top == 0xD:
        if (op >> 8) & 0xF < 14:
            return Operation(2, Action.BRANCH, 4 + signed((op & 0xFF) << 1, 9))
        return Operation(2, Action.STOP if (op >> 8) & 0xF == 14 else Action.PLAIN)
    return Operation(2, Action.JUMP, 4 + signed((op & 0x7FF) << 1, 12))


def _narrow_arithmetic(op: int) -> Operation:
    low, middle, number = op & 7, (op >> 3) & 7, (op >> 6) & 7
    kind = op >> 11
    if kind == 0:
        shift = (op >> 6) & 31
        if shift:
            return Operation(2, Action.SHIFT_LEFT, low, middle, shift)
        return Operation(2, Action.ADD, low, middle, 0)
    if kind == 3:
        if op & 0x400:
            return Operation(2, Action.ADD, low, middle, -number if op & 0x200 else number)
        subtracts = Action.SUBTRACT_REGISTER if op & 0x200 else Action.ADD_REGISTER
        return Operation(2, subtracts, low, middle, number)
    if kind == 1:
        return Operation(2, Action.SHIFT_RIGHT, low, middle, (op >> 6) & 31 or 32)
    target, byte = (op >> 8) & 7, op & 0xFF
    if kind == 4:
        return Operation(2, Action.CONSTANT, target, byte)
    if kind in (6, 7):
        return Operation(2, Action.ADD, target, target, byte if kind == 6 else -byte)
    return _plain(op, 0)


def _narrow_registers(op: int) -> Operation:
    source, target = (op >> 3) & 0xF, (op & 7) | (op >> 4 & 8)
    page = op >> 8
    if page == 0x44 and target == PC:
        return Operation(2, Action.ADD_TO_PC)
    if page == 0x44:
        return Operation(2, Action.ADD_REGISTER, target, target, source)
    if page == 0x46:
        if target == PC:
            return _jump(2, source)
        return Operation(2, Action.ADD, target, source, 0)
    if page == 0x47:
        if op & 0x80:
            return Operation(2, Action.CALL_REGISTER, source)
        return _jump(2, source)
    if op >= 0x4800:
        return Operation(2, Action.LITERAL, (op >> 8) & 7, (op & 0xFF) * 4)
    return _plain(op, 0)


def _jump(size: int, register: int) -> Operation:
    return Operation(size, Action.JUMP_REGISTER, register)


def _narrow_memory(op: int) -> Operation:
    low, base = op & 7, (op >> 3) & 7
    if op >> 9 == 0x2C:
        return Operation(2, Action.LOAD_INDEXED, low, base, (op >> 6) & 7)
    if op >> 11 == 0x0D:
        return Operation(2, Action.LOAD, low, base, ((op >> 6) & 31) * 4)
    if op >= 0x9000:
        action = Action.LOAD if op & 0x800 else Action.STORE
        return Operation(2, action, (op >> 8) & 7, SP, (op & 0xFF) * 4)
    if op >> 11 == 0x0C:
        return Operation(2, Action.STORE, low, base, ((op >> 6) & 31) * 4)
    is_load = (op >> 9) & 7 >= 3 if op < 0x6000 else bool(op & 0x800)
    if not is_load:
        return Operation(2, Action.STORE_SOME, -1, base)
    return Operation(2, Action.PLAIN, kills=(low,))


def _narrow_misc(op: int) -> Operation:
    group = (op >> 8) & 0xF
    if group in (0x1, 0x3, 0x9, 0xB):
        return Operation(2, Action.BRANCH, 4 + ((op >> 3) & 0x40 | (op >> 2) & 0x3E))
    if group in (4, 5):
        mask = op & 0xFF | (1 << LR if group == 5 else 0)
        return Operation(2, Action.PUSH, 4 * mask.bit_count(), mask)
    if group in (0xC, 0xD):
        mask = op & 0xFF | (1 << PC if group == 0xD else 0)
        return Operation(2, Action.POP, 4 * mask.bit_count(), mask)
    if group == 0xF and op & 0xF:
        after = op & 0xF
        return Operation(2, Action.IT, 4 - ((after & -after).bit_length() - 1))
    return _plain(op, 0)


def _narrow_multiple(op: int) -> Operation:
    base = (op >> 8) & 7
    if not op & 0x800:
        return Operation(2, Action.STORE_SOME, base, base)
    return Operation(2, Action.PLAIN, kills=(base, *_registers(op & 0xFF)))


# ---- 32-bit ----


def _wide(first: int, second: int) -> Operation:
    if first & 0xEC00 == 0xEC00:
        return _coprocessor(first, second)
    if first & 0xFE40 == 0xE800:
        return _multiple(first, second)
    if first & 0xFE40 == 0xE840:
        return _dual(first, second)
    if 0xEA00 <= first < 0xEC00:
        return _shifted_register(first, second)
    if 0xF000 <= first < 0xF800:
        return _control(first, second) if second & 0x8000 else _immediate(first, second)
    if first & 0xFE00 == 0xF800:
        return _single(first, second)
    return _plain(first, second)


def _control(first: int, second: int) -> Operation:
    sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
    low = (second & 0x7FF) << 1
    if second & 0x1000:
        upper = sign << 24 | (1 - (j1 ^ sign)) << 23 | (1 - (j2 ^ sign)) << 22
        distance = 4 + signed(upper | (first & 0x3FF) << 12 | low, 25)
        return Operation(4, Action.CALL if second & 0x4000 else Action.JUMP, distance)
    if not second & 0x4000 and (first >> 6) & 0xF < 14:
        upper = sign << 20 | j2 << 19 | j1 << 18
        return Operation(4, Action.BRANCH, 4 + signed(upper | (first & 0x3F) << 12 | low, 21))
    return _plain(first, second)


def _immediate(first: int, second: int) -> Operation:
    source, target = first & 0xF, (second >> 8) & 0xF
    field = (first & 0x400) << 1 | (second >> 4) & 0x700 | second & 0xFF
    setting, kind = bool(first & 0x10), (first >> 5) & 0xF
    if first & 0x200:
        return _plain_immediate(first, second, field)
    amount = expand_immediate(field)
    if target == PC and setting:
        return Operation(4, Action.PLAIN)
    if kind in (8, 13):
        return Operation(4, Action.ADD, target, source, amount if kind == 8 else -amount)
    if source == PC and kind in (2, 3):
        return Operation(4, Action.CONSTANT, target, amount if kind == 2 else amount ^ 0xFFFFFFFF)
    if kind in (0, 1):
        cleared = amount if kind == 1 else amount ^ 0xFFFFFFFF
        if cleared and not cleared & (cleared + 1):
            return Operation(4, Action.ALIGN, target, source, cleared + 1)
    return _plain(first, second)


def _plain_immediate(first: int, second: int, field: int) -> Operation:
    """MOVW, MOVT, ADDW, SUBW, ADR and BFC."""
    source, target = first & 0xF, (second >> 8) & 0xF
    kind = (first >> 4) & 0x1F
    if kind in (0, 10):
        amount = field if kind == 0 else -field
        if source == PC:
            return Operation(4, Action.ADDRESS, target, amount)
        return Operation(4, Action.ADD, target, source, amount)
    if kind in (4, 12):
        return Operation(
            4, Action.CONSTANT if kind == 4 else Action.TOP, target, source << 12 | field
        )
    if kind == 22 and source == PC and not second & 0x70C0:
        return Operation(4, Action.ALIGN, target, target, 2 << (second & 0x1F))
    return _plain(first, second)


def _shifted_register(first: int, second: int) -> Operation:
    source, target, other = first & 0xF, (second >> 8) & 0xF, second & 0xF
    shift, kind = (second >> 10) & 0x1C | (second >> 6) & 3, second >> 4 & 3
    code = (first >> 5) & 0xF
    if target == PC:
        return Operation(4, Action.PLAIN)
    if second & 0x8000:  # CSEL and its like, ARMv8.1-M
        return Operation(4, Action.PLAIN, kills=(target,))
    if code in (8, 13):
        if source == SP and target == SP and (shift or kind):
            return Operation(4, Action.SUBTRACT_REGISTER, SP, SP, PC)  # PC: of no known value
        if not shift and not kind:
            subtracts = Action.SUBTRACT_REGISTER if code == 13 else Action.ADD_REGISTER
            return Operation(4, subtracts, target, source, other)
    if code == 2 and source == PC and not kind:
        if shift:
            return Operation(4, Action.SHIFT_LEFT, target, other, shift)
        return Operation(4, Action.ADD, target, other, 0)
    return _plain(first, second)


def _multiple(first: int, second: int) -> Operation:
    base, is_load, writes_back = first & 0xF, bool(first & 0x10), bool(first & 0x20)
    bytes_moved = 4 * second.bit_count()
    if base == SP and writes_back:
        if not is_load:
            if not first & 0x100:
                return Operation(4, Action.ADD, SP, SP, bytes_moved)
            return Operation(4, Action.PUSH, bytes_moved, second)
        if not first & 0x100:
            return Operation(4, Action.POP, bytes_moved, second)
    if not is_load:
        return Operation(4, Action.STORE_SOME, base if writes_back else -1, base)
    kills = (*_registers(second & 0x7FFF), *((base,) if writes_back else ()))
    if second >> PC:
        return Operation(4, Action.JUMP_REGISTER, PC, kills=kills)
    return _plain(first, second, *kills)


def _dual(first: int, second: int) -> Operation:
    """LDRD, STRD, exclusives and table branches."""
    base, is_load = first & 0xF, bool(first & 0x10)
    if not first & 0x120:
        if is_load and first & 0x80 and second & 0xE0 == 0:
            if base == PC:
                return Operation(4, Action.TABLE, 1 + (second >> 4 & 1))
            return Operation(4, Action.JUMP_REGISTER, PC)
        result = second >> 12 if is_load else second & 0xF
        return _plain(first, second, result, *(() if is_load else ((second >> 8) & 0xF,)))
    low, high, writes_back = second >> 12, (second >> 8) & 0xF, bool(first & 0x20)
    if not writes_back and base != PC:
        offset = (second & 0xFF) * (4 if first & 0x80 else -4)
        return Operation(4, Action.LOAD_TWO if is_load else Action.STORE, low, base, offset, w=high)
    if not is_load and base != SP:
        return Operation(4, Action.STORE_SOME, base, base)
    loaded = (low, high) if is_load else ()
    return _plain(first, second, *loaded, *((base,) if writes_back and base != SP else ()))


def _single(first: int, second: int) -> Operation:
    base, target = first & 0xF, second >> 12
    is_load, is_word = bool(first & 0x10), first & 0x60 == 0x40
    writes_back = not first & 0x80 and second & 0x900 == 0x900
    if base == PC and is_load:
        offset = second & 0xFFF if first & 0x80 else -(second & 0xFFF)
        if is_word:
            return Operation(4, Action.LITERAL, target, offset)
        return _plain(first, second, target)
    if writes_back and base == SP and is_word:
        offset = second & 0xFF
        if is_load and second & 0x600 == 0x200:
            return Operation(4, Action.POP, offset, 1 << target)
        if not is_load and second & 0x600 == 0x400 and offset:
            return Operation(4, Action.PUSH, offset, 1 << target)
    if is_load or (writes_back and base == SP):
        return _load(first, second, writes_back)
    return _store(first, second, writes_back)


def _load(first: int, second: int, writes_back: bool) -> Operation:
    """LDR, LDRB, LDRH, and what moves SP without a word."""
    base, target = first & 0xF, second >> 12
    is_load, is_word = bool(first & 0x10), first & 0x60 == 0x40
    if is_load and is_word and not writes_back:
        if first & 0x80:
            return Operation(4, Action.LOAD, target, base, second & 0xFFF)
        if second & 0xFC0 == 0:
            return Operation(4, Action.LOAD_INDEXED, target, base, second & 0xF)
    written = (base,) if writes_back and base != SP else ()
    if is_load and target == SP:
        return Operation(4, Action.SP_UNKNOWN)
    return _plain(first, second, *((target,) if is_load and target != PC else ()), *written)


def _store(first: int, second: int, writes_back: bool) -> Operation:
    """STR, STRB, STRH, but for a push."""
    base = first & 0xF
    if _plain(first, second).action == Action.STOP:
        return Operation(4, Action.STOP)
    if first & 0x60 == 0x40 and not writes_back:
        if first & 0x80:
            return Operation(4, Action.STORE, second >> 12, base, second & 0xFFF)
        if second & 0x800:
            return Operation(4, Action.STORE, second >> 12, base, -(second & 0xFF))
    return Operation(4, Action.STORE_SOME, base if writes_back else -1, base)


def _coprocessor(first: int, second: int) -> Operation:
    """FPU: moves into core registers, and multiples that write their base back."""
    rt = second >> 12
    if first & 0xFF10 == 0xEE10 and second & 0x10 and rt != PC:
        return _plain(first, second, rt)
    if first & 0xFFE0 == 0xEC40:
        return _plain(first, second, *((rt, first & 0xF) if first & 0x10 else ()))
    base, writes_back = first & 0xF, first & 0xFE20 == 0xEC20
    if first & 0xFE10 == 0xEC00 and not (writes_back and base == SP):
        return Operation(4, Action.STORE_SOME, base if writes_back else -1, base)
    if writes_back and base != SP:
        return _plain(first, second, base)
    return _plain(first, second)
