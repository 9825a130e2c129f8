"""Cycles in emulation, exact: what DDI 0439 gives for code of a few halfwords, no wait states.

The measured code starts at a Flash line, ends in a branch to what follows it (1 cycle: nothing is
refilled where a branch leads to the next address), and is measured between two marks.
"""

from __future__ import annotations

import struct
from contextlib import closing
from pathlib import Path

import pytest

from boardless_sim.core.cpu import Cpu
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from tests.unit.core.programs import (
    NOP,
    RETURN,
    STACK_TOP,
    STOP_HERE,
    VECTORS,
    constant,
    load,
    poke,
    store,
)
from tests.unit.elf.elf_bytes import FLASH, build_elf

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0439, 3.3")

LINE = 16
B_NEXT, BRANCH = 0xE7FF, 1  # to the next halfword; its cycle
B_OVER_ONE, BEQ_OVER_ONE, BNE_OVER_ONE = 0xE000, 0xD000, 0xD100
BX_R3, SVC, CPSID, CPSIE = 0x4718, 0xDF00, 0xB672, 0xB662
WIDE_NOP = [0xF3AF, 0x8000]
SVCALL, PENDSV, SYSTICK = 11, 14, 15
ICSR, DWT_CYCCNT, DEMCR, DWT_CTRL = 0xE000_ED04, 0xE000_1004, 0xE000_EDFC, 0xE000_1000
PENDSVSET, PENDSTSET = 1 << 28, 1 << 26
RAM = 0x2000_0000
RESULTS = RAM + 0x100


def movs(register: int, value: int) -> list[int]:
    return [0x2000 | register << 8 | value]


def divide(quotient: int, dividend: int, divisor: int, *, signed: bool) -> list[int]:
    return [(0xFB90 if signed else 0xFBB0) | dividend, 0xF0F0 | quotient << 8 | divisor]


class Program:
    """Code between two marks in the Flash, at a line of it, and exception handlers behind it."""

    def __init__(
        self,
        folder: Path,
        code: list[int],
        *,
        setup: list[int] | None = None,
        handlers: dict[int, list[int]] | None = None,
        fast_forward: bool = True,
    ) -> None:
        before = [*(setup or []), B_NEXT]
        padding = -(4 * VECTORS + 2 * len(before)) % LINE
        flash = [NOP] * (padding // 2) + before
        self.start = FLASH + 4 * VECTORS + 2 * len(flash)
        flash += [*code, B_NEXT]
        self.end = FLASH + 4 * VECTORS + 2 * len(flash)
        flash += STOP_HERE
        vectors = [0] * VECTORS
        vectors[0], vectors[1] = STACK_TOP, FLASH + 4 * VECTORS + 1
        self.handlers: dict[int, int] = {}
        for number, handler in (handlers or {}).items():
            self.handlers[number] = FLASH + 4 * VECTORS + 2 * len(flash)
            vectors[number] = self.handlers[number] | 1
            flash += handler
        image = struct.pack(f"<{VECTORS}I{len(flash)}H", *vectors, *flash)
        elf = folder / "program.elf"
        elf.write_bytes(build_elf(code=image))
        self.engine = NativeEngine(fast_forward=fast_forward)
        self.engine.load(load_image(elf))

    def close(self) -> None:
        self.engine.close()

    def run_to(self, address: int) -> int:
        """The cycle at which the block there is about to run."""
        assert self.engine.run_to(address, 1e6)
        return self.engine.cycles()

    def cycles(self) -> int:
        """Of the measured code."""
        return -self.run_to(self.start) + self.run_to(self.end)

    def word(self, address: int) -> int:
        return int.from_bytes(self.engine.read_memory(address, 4), "little")


def cycles_of(folder: Path, code: list[int], setup: list[int] | None = None) -> int:
    with closing(Program(folder, code, setup=setup)) as program:
        return program.cycles() - BRANCH


# ---- branches ----


def test_a_branch_costs_its_refill_only_where_it_is_taken(tmp_path: Path) -> None:
    is_zero = movs(0, 0)
    assert cycles_of(tmp_path, [*is_zero, BNE_OVER_ONE, NOP]) == 1 + 1 + 1
    assert cycles_of(tmp_path, [*is_zero, BEQ_OVER_ONE, NOP, NOP]) == 1 + (1 + 2) + 1


def test_direct_and_indirect_branches(tmp_path: Path) -> None:
    assert cycles_of(tmp_path, [B_OVER_ONE, NOP, NOP]) == (1 + 1) + 1
    with closing(Program(tmp_path, [BX_R3, NOP, NOP])) as program:
        begin = program.run_to(program.start)
        program.engine.machine.cpu.set_register("r3", program.start + 5)
        assert program.run_to(program.end) - begin == (1 + 2) + 1 + BRANCH


@pytest.mark.parametrize(("leading", "more"), [(0, 0), (1, 1)], ids=["word", "halfword"])
def test_a_wide_target_that_straddles_a_word_costs_one_more(
    tmp_path: Path, leading: int, more: int
) -> None:
    code = [*[NOP] * leading, B_OVER_ONE, NOP, *WIDE_NOP]
    assert cycles_of(tmp_path, code) == leading + (1 + 1) + more + 1


# ---- one instruction each ----

CPACR = 0xE000_ED88
FPU_ON = poke(CPACR, 0xF << 20)


@pytest.mark.parametrize(
    ("code", "cycles"),
    [
        ([0x434A], 1),  # muls r2, r1
        ([0xFBC0, 0x2301], 1),  # smlal r2, r3, r0, r1
        ([0xFB20, 0x2201], 1),  # smlad r2, r0, r1, r2
        ([0xF302, 0x0207], 1),  # ssat r2, #8, r2
        ([0x5042], 2),  # str r2, [r0, r1]
        ([0xE9D0, 0x2300], 3),  # ldrd r2, r3, [r0]
        ([0xC81C], 1 + 3),  # ldmia r0!, {r2, r3, r4}
        ([0xB41C], 1 + 3),  # push {r2, r3, r4}
        ([0xEE31, 0x1A00], 1),  # vadd.f32 s2, s2, s0
        ([0xEEA0, 0x1A20], 3),  # vfma.f32 s2, s0, s1
        ([0xEE80, 0x1A20], 14),  # vdiv.f32 s2, s0, s1
        ([0xEEB1, 0x1AC0], 14),  # vsqrt.f32 s2, s0
        ([0xED90, 0x1A00], 2),  # vldr s2, [r0]
        ([0xEC90, 0x1A04], 1 + 4),  # vldmia r0, {s2-s5}
        ([NOP, 0xBF08, NOP], 1 + 0 + 1),  # it behind a narrow instruction
        ([*WIDE_NOP, 0xBF08, NOP], 1 + 1 + 1),
        ([0xE8DF, 0xF001, 0x0001, NOP], 6 + 1),  # tbb [pc, r1] to the nop behind its table
    ],
)  # fmt: skip
def test_one_instruction(tmp_path: Path, code: list[int], cycles: int) -> None:
    setup = [*FPU_ON, *constant(0, RAM), *movs(1, 0)]
    assert cycles_of(tmp_path, code, setup) == cycles


# ---- loads and stores ----


@pytest.mark.parametrize(
    ("code", "cycles"),
    [
        (load(2, 0), 2),
        ([*load(2, 0), *load(3, 0), *load(4, 0)], 2 + 1 + 1),
        ([*load(0, 0), *load(3, 0)], 2 + 2),  # the address is what was just loaded
        ([*load(2, 0), *store(3, 0)], 2 + 1),
        ([*store(2, 0), *load(3, 0)], 1 + 2),
        ([0x3000, *load(2, 0)], 1 + 1 + 2),  # adds r0, #0 makes the address
    ],
    ids=["load", "pipelined", "dependent", "load-store", "store-load", "fresh-address"],
)
def test_loads_are_pipelined(tmp_path: Path, code: list[int], cycles: int) -> None:
    setup = [*constant(0, RAM), *constant(1, RAM), *store(1, 0)]
    assert cycles_of(tmp_path, code, setup) == cycles


# ---- division ----

DIVISIONS = [
    (0, 5, 2), (5, 0, 2),  # an operand of 0
    (7, 8, 3), (1, 0x7FFF_FFFF, 3),  # shorter than the divisor
    (8, 8, 5), (8, 1, 5), (16, 1, 6), (100, 3, 6), (1 << 28, 1, 12),
]  # fmt: skip


@pytest.mark.parametrize(("dividend", "divisor", "cycles"), DIVISIONS)
@pytest.mark.parametrize("signed", [False, True], ids=["udiv", "sdiv"])
def test_a_division_takes_as_long_as_its_quotient(
    tmp_path: Path, dividend: int, divisor: int, cycles: int, signed: bool
) -> None:
    operands = [*constant(0, dividend), *constant(1, divisor)]
    assert cycles_of(tmp_path, divide(2, 0, 1, signed=signed), operands) == cycles


def test_the_sign_counts_as_no_bit_of_sdiv(tmp_path: Path) -> None:
    operands = [*constant(0, -100 & 0xFFFF_FFFF), *movs(1, 3)]
    assert cycles_of(tmp_path, divide(2, 0, 1, signed=True), operands) == 6
    assert cycles_of(tmp_path, divide(2, 0, 1, signed=False), operands) == 12


def test_operands_are_those_at_the_division(tmp_path: Path) -> None:
    code = [*movs(0, 200), *movs(1, 3), *divide(0, 0, 1, signed=False),
            *divide(0, 0, 1, signed=False), *divide(3, 0, 1, signed=False)]  # fmt: skip
    with closing(Program(tmp_path, code)) as program:
        assert program.cycles() - BRANCH == 1 + 1 + 6 + 6 + 5
        assert program.engine.read_register("r3") == 200 // 3 // 3 // 3


def test_an_access_behind_a_division_is_as_much_later(tmp_path: Path) -> None:
    count = [*constant(4, DWT_CYCCNT), *load(5, 4), *divide(2, 0, 1, signed=False), *load(6, 4)]
    for dividend, cycles in ((0, 2), (1 << 31, 12)):
        setup = [*poke(DEMCR, 1 << 24), *poke(DWT_CTRL, 1), *constant(0, dividend), *movs(1, 1)]
        with closing(Program(tmp_path, count, setup=setup)) as program:
            program.cycles()
            began, ended = (program.engine.read_register(name) for name in ("r5", "r6"))
        assert ended - began == 2 + cycles


@pytest.mark.parametrize(("flag", "quotient"), [(0, 33), (1, 77)], ids=["runs", "skipped"])
def test_a_conditional_division(tmp_path: Path, flag: int, quotient: int) -> None:
    it_eq, it_ne = 0xBF08, 0xBF18
    code = [*movs(3, flag), it_eq, *divide(2, 0, 1, signed=False), it_ne, 0x2463, *movs(5, 9)]
    setup = [*movs(0, 100), *movs(1, 3), *movs(2, 77), *movs(4, 1)]
    with closing(Program(tmp_path, code, setup=setup)) as program:
        program.cycles()
        registers = [program.engine.read_register(f"r{number}") for number in (2, 4, 5)]
    assert registers == [quotient, 0x63 if flag else 1, 9]


def test_a_division_in_a_polling_loop(tmp_path: Path) -> None:
    """Skipped or executed, the loop takes its time."""
    setup = [*constant(0, 1 << 31), *movs(1, 1), B_NEXT]
    loop = [*divide(2, 0, 1, signed=False), 0xE7FC]
    counts = []
    for fast_forward in (False, True):
        with closing(Program(tmp_path, loop, setup=setup, fast_forward=fast_forward)) as program:
            program.run_to(program.start)
            program.engine.run(1000.0)
            counts.append((program.engine.cycles(), program.engine.instructions()))
    assert counts[0] == counts[1]
    assert counts[0][0] >= 16_000
    assert counts[0][1] == pytest.approx(2 * counts[0][0] / (12 + 2), abs=20)


# ---- exceptions ----


def test_an_exception_is_entered_in_12_cycles_and_left_in_12(tmp_path: Path) -> None:
    with closing(Program(tmp_path, [SVC, NOP], handlers={SVCALL: RETURN})) as program:
        called = program.run_to(program.start)
        entered = program.run_to(program.handlers[SVCALL])
        assert entered - called == 1 + 12
        left = program.run_to(program.start + 2)
        assert left - entered == 1 + 12
        assert program.run_to(program.end) - left == 1 + BRANCH


def test_a_second_exception_is_tail_chained_in_6_cycles(tmp_path: Path) -> None:
    """Both pend while interrupts are masked; the lower number goes first."""
    pend = [CPSID, *poke(ICSR, PENDSVSET | PENDSTSET)]
    handlers = {PENDSV: RETURN, SYSTICK: RETURN}
    with closing(Program(tmp_path, [CPSIE, NOP], setup=pend, handlers=handlers)) as program:
        program.run_to(program.start)
        first = program.run_to(program.handlers[PENDSV])
        second = program.run_to(program.handlers[SYSTICK])
        assert second - first == 1 + 6
        assert program.run_to(program.start + 2) - second == 1 + 12


def test_code_at_the_alias_of_the_flash_is_analysed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Address 0 is the Flash too (RM0090 section 2.4); a table of its own remembers its blocks."""
    analysed: list[int] = []
    analyse = Cpu._analyse

    def counted(cpu: Cpu, address: int, code: bytes) -> int:
        analysed.append(address)
        return analyse(cpu, address, code)

    monkeypatch.setattr(Cpu, "_analyse", counted)
    jump = [*constant(0, 5 * LINE + 2 * 5 | 1), 0x4700]  # bx r0: to the alias of what follows
    loop = [*movs(1, 200), 0x3901, 0xD1FD]  # subs r1, #1; bne to it
    with closing(Program(tmp_path, [*jump, *loop])) as program:
        program.engine.run(100)
    at_alias = [address for address in analysed if address < 0x1000]
    assert at_alias
    assert len(at_alias) == len(set(at_alias))
