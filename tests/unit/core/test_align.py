"""UsageFaults of the operands: accesses that must be aligned, a division by zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.engines.engine import StopReason
from tests.unit.core.programs import (
    BARRIER,
    RETURN,
    STACK_TOP,
    STOP_HERE,
    SUPERVISOR_CALL,
    constant,
    fault_of,
    poke,
    power_on,
)
from tests.unit.elf.elf_bytes import FLASH

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0403E, A3.2.1")

CODE = FLASH + 0x40
RAM = 0x2000_0100
SVCALL = 11
UNALIGNED, DIVBYZERO = 1 << 24, 1 << 25
FORCED = 1 << 30
SCB_CCR, SCB_CPACR = 0xE000_ED14, 0xE000_ED88
STKALIGN, UNALIGN_TRP, DIV_0_TRP = 1 << 9, 1 << 3, 1 << 4
FPU_ON = poke(SCB_CPACR, 0xF << 20) + BARRIER
ALWAYS = {
    "ldrd r2, r3, [r6]": [0xE9D6, 0x2300],
    "strd r2, r3, [r6]": [0xE9C6, 0x2300],
    "ldmia.w r6, {r2, r3}": [0xE896, 0x000C],
    "stmia.w r6, {r2, r3}": [0xE886, 0x000C],
    "stmdb r6!, {r2, r3}": [0xE926, 0x000C],
    "ldmia r6!, {r2, r3}": [0xCE0C],
    "stmia r6!, {r2, r3}": [0xC60C],
    "vldr s0, [r6]": [0xED96, 0x0A00],
    "vstr s0, [r6]": [0xED86, 0x0A00],
    "vldmia r6!, {s0, s1}": [0xECB6, 0x0A02],
    "vstmia r6, {s0, s1}": [0xEC86, 0x0A02],
    "ldrex r2, [r6]": [0xE856, 0x2F00],
    "strex r3, r2, [r6]": [0xE846, 0x2300],
}
BY_HALFWORD = {
    "ldrexh r2, [r6]": [0xE8D6, 0x2F5F],
    "strexh r3, r2, [r6]": [0xE8C6, 0x2F53],
}
WHEN_TRAPPED = {
    "ldr r2, [r6]": ([0x6832], 4),
    "str r2, [r6]": ([0x6032], 4),
    "ldr.w r2, [r6, r7, lsl #2]": ([0xF856, 0x2027], 4),
    "ldrh r2, [r6]": ([0x8832], 2),
    "strh r2, [r6]": ([0x8032], 2),
    "ldrsh r2, [r6, r7]": ([0x5FF2], 2),
    "ldrb r2, [r6]": ([0x7832], 1),
    "ldr r2, [r6], #1": ([0xF856, 0x2B01], 4),
}
LDRD = ALWAYS["ldrd r2, r3, [r6]"]
UDIV = [0xFBB2, 0xF3F3]  # r3 = r2 / r3
EQUAL, NOT_EQUAL = [0x42A4], [0x2C63]  # cmp r4, r4; cmp r4, #99
IT_EQ, ITT_EQ = [0xBF08], [0xBF04]


# "The following data accesses always generate an alignment fault" (DDI 0403E, A3.2.1).


@pytest.mark.parametrize("odd", [1, 2, 3])
@pytest.mark.parametrize("instruction", ALWAYS)
def test_what_must_be_aligned_faults_and_changes_nothing(
    tmp_path: Path, instruction: str, odd: int
) -> None:
    before = FPU_ON + constant(6, RAM + odd) + constant(2, 5) + constant(3, 6)
    engine = power_on(tmp_path, before + ALWAYS[instruction] + STOP_HERE)
    fault = fault_of(engine)
    assert (fault.kind, fault.cfsr, fault.hfsr) == ("HardFault", UNALIGNED, FORCED)
    assert fault.pc == CODE + 2 * len(before)
    assert [engine.read_register(f"r{number}") for number in (2, 3, 6)] == [5, 6, RAM + odd]


@pytest.mark.parametrize(("instruction", "odd"), [(name, 1) for name in BY_HALFWORD])
def test_exclusive_halfwords_must_be_aligned_to_two(
    tmp_path: Path, instruction: str, odd: int
) -> None:
    for at, faults in ((odd, True), (odd + 1, False)):
        engine = power_on(tmp_path, constant(6, RAM + at) + BY_HALFWORD[instruction] + STOP_HERE)
        assert (engine.run(100) == StopReason.FAULT) is faults


@pytest.mark.parametrize("instruction", ALWAYS)
def test_the_same_at_a_multiple_of_four_is_none(tmp_path: Path, instruction: str) -> None:
    engine = power_on(tmp_path, FPU_ON + constant(6, RAM) + ALWAYS[instruction] + STOP_HERE)
    assert engine.run(100) == StopReason.LIMIT


@pytest.mark.parametrize(
    ("base", "before", "faults"),
    [
        (RAM, [0x3601], True),  # adds r6, #1
        (RAM + 1, [0x3603], False),
        (RAM + 1, [0x4637, 0x3703, 0x463E], False),  # by way of r7
        (RAM + 2, [0xF106, 0x0602], False),  # add.w r6, #2
        (RAM, [0xF5A6, 0x7680], False),  # sub.w r6, #256
        (RAM, [*constant(7, RAM + 0x40), 0x603E, 0x683E], False),  # through memory
        (RAM + 1, [*constant(7, RAM + 0x40), 0x603E, 0x683E], True),
        (RAM, [0xF816, 0x7B01], True),  # ldrb r7, [r6], #1
    ],
)
def test_the_base_is_what_the_block_makes_of_it(
    tmp_path: Path, base: int, before: list[int], faults: bool
) -> None:
    program = [*constant(6, base), 0xE7FF, *before, *LDRD, *STOP_HERE]  # b to a block of its own
    assert (power_on(tmp_path, program).run(100) == StopReason.FAULT) is faults


@pytest.mark.parametrize("fast_forward", [True, False])
def test_a_base_that_becomes_odd_in_a_later_round_faults(
    tmp_path: Path, fast_forward: bool
) -> None:
    """The block was translated when it was aligned."""
    rounds = [*LDRD, 0x3401, 0x2C20, 0xBF08, 0x3602, 0xE7F8]  # count; it eq: adds r6, #2; b back
    engine = power_on(tmp_path, constant(6, RAM) + rounds, fast_forward=fast_forward)
    fault = fault_of(engine)
    assert (fault.pc, fault.cfsr) == (CODE + 8, UNALIGNED)
    assert engine.read_register("r4") == 32


@pytest.mark.parametrize(
    ("flags", "it", "faults"), [(EQUAL, IT_EQ, True), (NOT_EQUAL, IT_EQ, False)]
)
def test_an_instruction_that_is_skipped_does_not_fault(
    tmp_path: Path, flags: list[int], it: list[int], faults: bool
) -> None:
    program = [*constant(6, RAM + 1), *flags, *it, *LDRD, *STOP_HERE]
    assert (power_on(tmp_path, program).run(100) == StopReason.FAULT) is faults


def test_a_skipped_addition_does_not_align(tmp_path: Path) -> None:
    program = [*constant(6, RAM + 1), 0xE7FF, *NOT_EQUAL, *IT_EQ, 0x3603, *LDRD, *STOP_HERE]
    assert fault_of(power_on(tmp_path, program)).cfsr == UNALIGNED


def test_within_an_it_block_the_fault_is_that_instruction_s(tmp_path: Path) -> None:
    """ITSTATE is stacked with xPSR (DDI 0403E, B1.4.2, A7.3.2): what is left of ITT EQ."""
    program = [*constant(6, RAM + 1), *EQUAL, *ITT_EQ, *LDRD, 0x2509, *STOP_HERE]  # moveq r5, #9
    engine = power_on(tmp_path, program)
    assert fault_of(engine).pc == CODE + 12
    assert engine.read_register("r5") == 0
    xpsr = int.from_bytes(engine.read_memory(STACK_TOP - 4, 4), "little")
    assert xpsr & 0x0600_FC00 == 0x400


def test_a_table_of_both_kinds_in_a_loop_faults_once_a_time(tmp_path: Path) -> None:
    skip = [0x9B06, 0x3304, 0x9306, *RETURN]  # ldr r3, [sp, #24]; adds r3, #4; str
    rounds = [*LDRD, 0x3401, 0x2C0A, 0xD1FA, *STOP_HERE]  # ten rounds
    engine = power_on(tmp_path, constant(6, RAM + 2) + rounds, hard_fault=skip)
    engine.run(100)
    assert engine.machine.cpu.shared.exceptions_taken == 10
    assert engine.read_register("r4") == 10


# CCR.UNALIGN_TRP: "unaligned word and halfword accesses generate a UsageFault" (B3.2.8, A3.2.1).


@pytest.mark.parametrize("instruction", WHEN_TRAPPED)
@pytest.mark.parametrize("odd", [1, 2, 4])
def test_everything_must_be_aligned_while_it_is_trapped(
    tmp_path: Path, instruction: str, odd: int
) -> None:
    halfwords, width = WHEN_TRAPPED[instruction]
    trap = poke(SCB_CCR, STKALIGN | UNALIGN_TRP) + BARRIER
    program = constant(6, RAM + odd) + trap + halfwords + STOP_HERE
    engine = power_on(tmp_path, program)
    assert (engine.run(100) == StopReason.FAULT) is bool(odd % width)
    fault = engine.fault()
    assert fault is None or fault.cfsr == UNALIGNED


def test_the_trap_can_be_switched_off_again(tmp_path: Path) -> None:
    """Also for code that ran while it was on."""
    access = [0x8837, *RETURN]  # ldrh r7, [r6]
    call = [*constant(5, CODE | 1), 0x47A8]  # blx r5
    on, off = (poke(SCB_CCR, value) for value in (STKALIGN | UNALIGN_TRP, STKALIGN))
    first, again = constant(6, RAM), constant(6, RAM + 1)
    calls = [*on, *BARRIER, *first, *call, *off, *BARRIER, *again, *call, 0x2407, *STOP_HERE]
    engine = power_on(tmp_path, [*access, *calls])
    engine.machine.cpu.set_register("pc", CODE + 2 * len(access))
    assert engine.run(100) == StopReason.LIMIT
    assert engine.read_register("r4") == 7


# CCR.DIV_0_TRP: "a division by 0 generates a DIVBYZERO UsageFault", else it gives 0 (B3.2.8).


@pytest.mark.parametrize("divide", [UDIV, [0xFB92, 0xF3F3]])
@pytest.mark.parametrize(
    ("ccr", "divisor", "quotient"),
    [(STKALIGN, 0, 0), (STKALIGN | DIV_0_TRP, 0, None), (STKALIGN | DIV_0_TRP, 7, 6)],
)
def test_a_division_by_zero(
    tmp_path: Path, divide: list[int], ccr: int, divisor: int, quotient: int | None
) -> None:
    before = poke(SCB_CCR, ccr) + constant(2, 42) + constant(3, divisor)
    engine = power_on(tmp_path, before + divide + STOP_HERE)
    if quotient is None:
        fault = fault_of(engine)
        assert (fault.cfsr, fault.pc) == (DIVBYZERO, CODE + 2 * len(before))
        assert engine.read_register("r3") == divisor
    else:
        assert engine.run(100) == StopReason.LIMIT
        assert engine.read_register("r3") == quotient


@pytest.mark.parametrize(("flags", "faults"), [(EQUAL, True), (NOT_EQUAL, False)])
def test_a_division_by_zero_within_an_it_block(
    tmp_path: Path, flags: list[int], faults: bool
) -> None:
    trap = poke(SCB_CCR, STKALIGN | DIV_0_TRP) + constant(2, 42) + constant(3, 0)
    program = [*trap, *flags, *ITT_EQ, *UDIV, 0x2509, *STOP_HERE]
    engine = power_on(tmp_path, program)
    assert (engine.run(100) == StopReason.FAULT) is faults
    assert engine.read_register("r5") == 0
    if faults:
        xpsr = int.from_bytes(engine.read_memory(STACK_TOP - 4, 4), "little")
        assert xpsr & 0x0600_FC00 == 0x400


def test_the_stack_pointer_has_no_odd_bits(tmp_path: Path) -> None:
    """ "SP[1:0] is RAZ/WI" (DDI 0403E, B1.4.1), and so at reset: no access by SP is unaligned."""
    engine = power_on(tmp_path, SUPERVISOR_CALL + STOP_HERE, handlers={SVCALL: RETURN})
    engine.write_memory(FLASH, (0x2001_FFFF).to_bytes(4, "little"))
    engine.machine.cpu.power_on(FLASH)
    assert engine.read_register("sp") == 0x2001_FFFC
    engine.run(10)
    assert (engine.fault(), engine.read_register("sp")) == (None, 0x2001_FFFC)
