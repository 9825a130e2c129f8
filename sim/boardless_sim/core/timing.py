"""Cycles of a basic block on a Cortex-M4 with zero-wait-state memory: an estimate.

The table follows the Cortex-M4 Technical Reference Manual (Arm DDI 0439, 3.3.1) and its notes on
loads and stores (3.3.2): a load overlaps with the load or store that follows it, unless that one
needs the loaded value for its address; nothing overlaps with a store. Where the manual gives a
range, the value that agreed best with 19 programs measured on a real STM32F407 (Embench-IoT 2.0,
`baseline-data/speed.json`) was taken: see `Refill`.

What depends on more than the code is added by the core: a division's operands (`core/divide.c`),
the wait states and caches of the Flash (`core/art.h`), exceptions (`core/exceptions.c`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from boardless_sim.elf.thumb import Access, Branch, Instruction, InstructionKind, decode, is_wide

_FIXED_CYCLES = {
    InstructionKind.DIVIDE: 2,  # at least: the core adds what the operands ask for
    InstructionKind.LOAD_EXCLUSIVE: 2,
    InstructionKind.DUAL: 3,
    InstructionKind.TABLE_BRANCH: 2,
    InstructionKind.MASK: 2,
    InstructionKind.READ_SPECIAL: 2,
    InstructionKind.BARRIER: 3,
    InstructionKind.FP_MULTIPLY_ADD: 3,
    InstructionKind.FP_DIVIDE: 14,
}
_TABLE_REFILL_CYCLES = 4
_FLASH_LINE_BYTES = 16
_NOTHING = Instruction(
    0, InstructionKind.HINT
)  # what stands before the first instruction of a block


class Refill(NamedTuple):
    """Cycles that a taken branch costs beyond its own: chosen from the manual's ranges.

    The manual has a refill "range from 1 to 3 depending on the alignment and width of the target
    instruction, and whether the processor manages to speculate the address early". `straddle` is
    added for a 32-bit target that straddles a word.
    """

    direct: int = 1
    conditional: int = 2
    indirect: int = 2
    straddle: int = 1

    def of(self, branch: Branch) -> int:
        """Cycles behind a taken branch of that kind."""
        return {
            Branch.DIRECT: self.direct,
            Branch.CONDITIONAL: self.conditional,
            Branch.INDIRECT: self.indirect,
            Branch.TABLE: _TABLE_REFILL_CYCLES,
        }.get(branch, 0)


REFILL = Refill()


class TimedAccess(NamedTuple):
    """A memory access of a block: the instruction's byte offset, and the cycles before it."""

    access: Access
    offset: int
    cycles_before: int


class BlockFacts(NamedTuple):
    """What the core needs to know of one basic block.

    `last_line_cycles` come before the first instruction that lies in the last Flash line of the
    block, be it in part; `divides` are the byte offsets of divisions, `decoded` the
    instructions by theirs.
    """

    size: int
    instructions: int
    cycles: int
    last_line_cycles: int
    taken_cycles: int
    target_cycles: int
    sp_drop: int
    moves_sp: bool
    sets_mask: bool
    sends_event: bool
    has_fp: bool
    is_exclusive: bool
    accesses: tuple[TimedAccess, ...]
    divides: tuple[int, ...]
    decoded: tuple[tuple[int, Instruction], ...]


def instructions_of(address: int, code: bytes) -> Iterator[tuple[int, Instruction]]:
    """Each instruction of a straight piece of code with its byte offset."""
    offset = 0
    while offset + 2 <= len(code):
        first = code[offset] | code[offset + 1] << 8
        wide = is_wide(first) and offset + 4 <= len(code)
        second = code[offset + 2] | code[offset + 3] << 8 if wide else 0
        instruction = decode(address + offset, first, second)
        yield offset, instruction
        offset += instruction.size


def analyse_block(address: int, code: bytes, refill: Refill = REFILL) -> BlockFacts:
    """Facts of the block at `address` whose bytes are `code`."""
    count = cycles = depth = sp_drop = 0
    moves_sp = sets_mask = sends_event = has_fp = is_exclusive = False
    previous = _NOTHING
    branch = Branch.NONE
    accesses: list[TimedAccess] = []
    divides: list[int] = []
    last_line = (address + len(code) - 1) // _FLASH_LINE_BYTES * _FLASH_LINE_BYTES
    last_line_cycles: int | None = None
    decoded = tuple(instructions_of(address, code))
    for offset, instruction in decoded:
        if last_line_cycles is None and address + offset + instruction.size > last_line:
            last_line_cycles = cycles
        if instruction.kind == InstructionKind.DIVIDE:
            divides.append(offset)
        if instruction.access is not None:
            cycles += _address_stall(previous, instruction)
            accesses.append(TimedAccess(instruction.access, offset, cycles))
        cycles += _cycles(previous, instruction)
        previous = instruction
        count += 1
        if instruction.sp_delta is None:
            moves_sp = True
        elif not moves_sp:
            depth -= instruction.sp_delta
            sp_drop = max(sp_drop, depth)
        sets_mask |= instruction.kind in (InstructionKind.MASK, InstructionKind.BARRIER)
        sends_event |= instruction.kind == InstructionKind.SEND_EVENT
        has_fp |= instruction.is_fp
        is_exclusive |= instruction.kind == InstructionKind.LOAD_EXCLUSIVE
        branch = instruction.branch
    first = code[0] | code[1] << 8
    return BlockFacts(
        size=len(code),
        instructions=count,
        cycles=cycles,
        last_line_cycles=last_line_cycles or 0,
        taken_cycles=refill.of(branch),
        target_cycles=refill.straddle if is_wide(first) and address & 2 else 0,
        sp_drop=sp_drop,
        moves_sp=moves_sp,
        sets_mask=sets_mask,
        sends_event=sends_event,
        has_fp=has_fp,
        is_exclusive=is_exclusive,
        accesses=tuple(accesses),
        divides=tuple(divides),
        decoded=decoded,
    )


def _address_stall(previous: Instruction, instruction: Instruction) -> int:
    """An address register that comes straight from the operation before costs a cycle."""
    computed = previous.kind in (InstructionKind.ALU, InstructionKind.MULTIPLY)
    return 1 if computed and previous.writes & instruction.addresses_with else 0


def _cycles(previous: Instruction, instruction: Instruction) -> int:
    kind = instruction.kind
    if kind == InstructionKind.LOAD:
        return 2 - _overlap(previous, instruction) + (1 if instruction.branch else 0)
    if kind == InstructionKind.STORE:
        by_register = instruction.access is not None and instruction.access.index_register
        return 2 - _overlap(previous, instruction) if by_register is not None else 1
    if kind == InstructionKind.MULTIPLE:
        return 1 + max(1, instruction.words)
    if kind == InstructionKind.IT:
        return 0 if previous.size == 2 else 1  # folded into a 16-bit instruction before it
    return _FIXED_CYCLES.get(kind, 1)


def _overlap(previous: Instruction, instruction: Instruction) -> int:
    """1 where the access runs while a load before it ends."""
    is_load = previous.kind in (InstructionKind.LOAD, InstructionKind.LOAD_EXCLUSIVE)
    return 1 if is_load and not previous.writes & instruction.addresses_with else 0
