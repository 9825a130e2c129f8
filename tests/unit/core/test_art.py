"""Flash wait states and the ART accelerator (RM0090, 3.5.1 and 3.5.2), exact on small programs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from boardless_sim.peripherals.flash_interface import SR, SR_PGSERR
from tests.unit.core.programs import NOP, STOP_HERE, constant, load, poke, store
from tests.unit.core.test_cycles import (
    B_NEXT,
    BRANCH,
    DEMCR,
    DWT_CTRL,
    DWT_CYCCNT,
    RAM,
    WIDE_NOP,
    Program,
    movs,
)
from tests.unit.elf.elf_bytes import FLASH

pytestmark = pytest.mark.fidelity(device="core", source="RM0090 3.5")

ACR = 0x4002_3C00
PRFTEN, ICEN, DCEN, ICRST, DCRST = (1 << bit for bit in range(8, 13))
WAIT = 5
LINE_OF_NOPS = [NOP] * 8
LINE_OF_WIDE_NOPS = WIDE_NOP * 4
LDR_R3 = 0x4B00  # relative to PC
EQ, NE, MI = 0, 1, 4


def flash(acr: int) -> list[int]:
    """Set FLASH_ACR; takes effect before the measured code."""
    return poke(ACR, acr)


def waited(folder: Path, code: list[int], acr: int) -> int:
    """What the same code takes more than from a Flash without wait states."""
    cycles = []
    for value in (0, acr):
        with closing(Program(folder, code, setup=flash(value))) as program:
            cycles.append(program.cycles())
    return cycles[1] - cycles[0]


def loop(body: list[int], turns: int) -> list[int]:
    """`body` and three halfwords, so many times, by r7."""
    head = movs(7, turns)
    back = -(len(body) + 2 + 1)  # from the branch's PC, two halfwords on
    return [*head, *body, 0x3F01, 0xD100 | back & 0xFF]  # subs r7, #1; bne


def test_a_reset_leaves_no_wait_states(tmp_path: Path) -> None:
    with closing(Program(tmp_path, LINE_OF_NOPS * 4)) as program:
        assert program.cycles() == 8 * 4 + BRANCH


@pytest.mark.parametrize("states", [1, 5, 7])
def test_every_line_costs_the_wait_states(tmp_path: Path, states: int) -> None:
    """The code and, in a line of its own, the branch behind it."""
    assert waited(tmp_path, LINE_OF_NOPS * 4, states) == (4 + 1) * states


def test_a_line_at_hand_costs_nothing(tmp_path: Path) -> None:
    two_turns_in_a_line = loop([NOP] * 4, 2)
    assert waited(tmp_path, two_turns_in_a_line, WAIT) == WAIT


def test_a_loop_over_two_lines_misses_in_every_turn_without_a_cache(tmp_path: Path) -> None:
    two_lines = loop([NOP] * 12, 10)
    assert waited(tmp_path, two_lines, WAIT) == 2 * 10 * WAIT
    assert waited(tmp_path, two_lines, WAIT | ICEN) == 2 * WAIT


@pytest.mark.parametrize(("lines", "turns_that_miss"), [(64, 1), (65, 10)])
def test_64_lines_are_kept_and_the_least_recently_used_goes_first(
    tmp_path: Path, lines: int, turns_that_miss: int
) -> None:
    wide_loop = [*movs(7, 10), *[NOP] * 7]  # a line of its own
    body = [NOP] * (8 * lines - 3)
    wide_loop += [*body, 0x3F01, *branch_wide(NE, -(len(body) + 1 + 2))]
    assert waited(tmp_path, wide_loop, WAIT | ICEN) == (1 + lines * turns_that_miss + 1) * WAIT


def test_a_line_that_is_used_again_is_not_the_least_recently_used(tmp_path: Path) -> None:
    """64 lines twice, the first, a 65th, which takes the place of the second, the first again."""
    first = [0x3F01, *branch_wide(EQ, 64 * 8 - 3), *branch_wide(MI, 64 * 8 + 1 - 5), *[NOP] * 3]
    others = [*[NOP] * (62 * 8 + 7), 0xE000 | -(64 * 8 + 1) & 0x7FF]
    last = [0xE000 | -(64 * 8 + 2) & 0x7FF, *[NOP] * 7]
    code = [*first, *others, *last]
    cycles = []
    for acr in (0, WAIT | ICEN):
        with closing(Program(tmp_path, code, setup=[*flash(acr), *movs(7, 3)])) as program:
            cycles.append(program.cycles())
    assert cycles[1] - cycles[0] == (64 + 1 + 1) * WAIT


@pytest.mark.parametrize(("lines", "turns_that_miss"), [(64, 1), (65, 3)])
def test_a_block_that_was_seen_in_the_cache_waits_again_when_its_line_is_gone(
    tmp_path: Path, lines: int, turns_that_miss: int
) -> None:
    """A loop over some lines, whose first runs twice in every turn, by r6."""
    twice = [0x3E01, 0xD1FD]  # subs r6, #1; bne to it
    body = [*twice, *[NOP] * (8 * lines - 6), *movs(6, 2)]
    code = [*movs(7, 3), *movs(6, 2), *[NOP] * 5, B_NEXT]  # a line of its own
    code += [*body, 0x3F01, *branch_wide(NE, -(len(body) + 1 + 2))]
    assert waited(tmp_path, code, WAIT | ICEN) == (1 + lines * turns_that_miss + 1) * WAIT


def branch_wide(condition: int, halfwords: int) -> list[int]:
    """B<c>.W (encoding T3): from the branch's PC, two halfwords on."""
    sign, high = (1, 0x3F) if halfwords < 0 else (0, 0)
    assert -0x800 <= halfwords < 0x800
    return [0xF000 | sign << 10 | condition << 6 | high, 0x8000 | 0x2800 * sign | halfwords & 0x7FF]


@pytest.mark.parametrize(
    ("line", "each"), [(LINE_OF_NOPS, 0), (LINE_OF_WIDE_NOPS, 2)], ids=["8 cycles", "4 cycles"]
)
def test_the_prefetch_has_the_next_line_after_six_cycles(
    tmp_path: Path, line: list[int], each: int
) -> None:
    """The first line was fetched while the branch before it ran, 1 cycle."""
    first = WAIT
    assert waited(tmp_path, line * 4, WAIT | PRFTEN) == first + 4 * each


def test_a_prefetched_line_stays_in_the_cache(tmp_path: Path) -> None:
    two_lines = loop(WIDE_NOP * 6, 10)
    assert waited(tmp_path, two_lines, WAIT | PRFTEN | ICEN) == WAIT + 2


def test_a_line_that_was_prefetched_in_time_stays_in_the_cache(tmp_path: Path) -> None:
    code = [*movs(7, 2), *[NOP] * 7, *LINE_OF_NOPS, 0x3F01, 0xD1F5]  # subs r7, #1; bne line 2
    assert waited(tmp_path, code, WAIT | PRFTEN | ICEN) == WAIT


@pytest.mark.parametrize(
    ("first_line", "second_line_waits"),
    [(WIDE_NOP * 4, 2), ([NOP, NOP, NOP, B_NEXT, *WIDE_NOP * 2], 0), ([NOP] * 7 + [B_NEXT], 0)],
    ids=["one block", "a block from within a line", "a block a line"],
)
def test_the_prefetch_starts_when_cached_code_enters_its_line(
    tmp_path: Path, first_line: list[int], second_line_waits: int
) -> None:
    """Two lines, the second 5 cycles long; after the second turn comes the line behind them."""
    before = [*movs(7, 2), *[NOP] * 6, B_NEXT]
    code = [*before, *first_line, *WIDE_NOP * 3, 0x3F01, 0xD1EF]  # subs r7, #1; bne first_line
    behind = 1
    assert waited(tmp_path, code, WAIT | PRFTEN | ICEN) == WAIT + second_line_waits + behind


def test_a_branch_to_another_line_is_a_miss_whatever_is_prefetched(tmp_path: Path) -> None:
    over_two_lines = [0xE000 + 22, *[NOP] * 23]
    assert waited(tmp_path, over_two_lines, WAIT | PRFTEN) == WAIT + WAIT


def literals(lines: int, turns: int) -> list[int]:
    """Load a word from each of some lines behind the code, in every turn."""
    code = [*movs(7, turns), *[LDR_R3] * lines, 0x3F01, 0xD100 | -(lines + 3) & 0xFF, 0xE000]
    data_at = -(-len(code) // 8) * 8
    for index in range(lines):
        pc = (1 + index + 2) & ~1  # in halfwords, from a word boundary
        code[1 + index] = LDR_R3 | (data_at + 8 * index - pc) // 2
    code[-1] = 0xE000 | data_at + 8 * lines - len(code) - 1
    return [*code, *[NOP] * (data_at + 8 * lines - len(code))]


@pytest.mark.parametrize(
    ("lines", "acr", "misses"),
    [(1, 0, 10), (1, DCEN, 1), (8, 0, 80), (8, DCEN, 8), (9, DCEN, 90)],
)
def test_8_lines_of_literals_are_kept(tmp_path: Path, lines: int, acr: int, misses: int) -> None:
    code = literals(lines, 10)
    without_loads = [NOP if op >> 8 == LDR_R3 >> 8 else op for op in code]
    acr |= WAIT | ICEN
    fetches = waited(tmp_path, without_loads, acr)
    assert waited(tmp_path, code, acr) - fetches == misses * WAIT


TABLE = FLASH + 0x2000  # in a page without code


def table_loads(accesses: list[list[int]], base: int = TABLE) -> list[int]:
    return [*constant(0, base), *[halfword for access in accesses for halfword in access]]


LDR, LDRB, LDRH, LDR_16, LDR_UNALIGNED = [0x6802], [0x7842], [0x8842], [0x6902], [0xF8D0, 0x200E]


@pytest.mark.parametrize(
    ("accesses", "acr", "misses"),
    [
        ([LDR], DCEN, 1),
        ([LDR, LDRB, LDRH], DCEN, 1),
        ([LDR, LDRB, LDRH], 0, 3),
        ([LDR, LDR_16, LDR], DCEN, 2),
        ([LDR_UNALIGNED], DCEN, 2),  # its bytes lie in two lines
        ([[0xE9D0, 0x2303]], DCEN, 2),  # ldrd r2, r3, [r0, #12]
        ([[0xE890, 0x007C]], DCEN, 2),  # ldmia r0, {r2-r6}
    ],
)
def test_a_table_in_the_flash_is_read_through_the_data_cache(
    tmp_path: Path, accesses: list[list[int]], acr: int, misses: int
) -> None:
    acr |= WAIT | ICEN
    in_flash = waited(tmp_path, table_loads(accesses), acr)
    in_ram = waited(tmp_path, table_loads(accesses, RAM), acr)
    assert in_flash - in_ram == misses * WAIT


def test_what_follows_a_load_that_waited_is_as_much_later(tmp_path: Path) -> None:
    setup = [*poke(DEMCR, 1 << 24), *poke(DWT_CTRL, 1), *flash(WAIT | ICEN)]
    counted = []
    for base in (RAM, TABLE):
        code = [*constant(4, DWT_CYCCNT), *constant(0, base), *load(5, 4), *LDR, *load(6, 4)]
        with closing(Program(tmp_path, code, setup=setup)) as program:
            program.run_to(program.end)
            before, after = (program.engine.read_register(name) for name in ("r5", "r6"))
        counted.append(after - before)
    assert counted[1] - counted[0] == WAIT


def test_a_page_that_was_read_without_wait_states_waits_when_there_are_some(tmp_path: Path) -> None:
    setup = [*table_loads([LDR]), *flash(WAIT | ICEN)]
    cycles = []
    for base in (RAM, TABLE):
        with closing(Program(tmp_path, table_loads([LDR], base), setup=setup)) as program:
            cycles.append(program.cycles())
    assert cycles[1] - cycles[0] == WAIT


def test_what_is_read_from_a_slow_flash_is_what_is_there(tmp_path: Path) -> None:
    accesses = [LDR, [0x7843], [0x8844], [0xF8D0, 0x5001], [0xF990, 0x6003]]
    with closing(Program(tmp_path, table_loads(accesses), setup=flash(WAIT | DCEN))) as program:
        program.run_to(program.start)
        program.engine.machine.cpu.write(TABLE, bytes.fromhex("01020384 05"))
        program.run_to(program.end)
        read = [program.engine.read_register(f"r{number}") for number in range(2, 7)]
    assert read == [0x8403_0201, 0x02, 0x8403, 0x0584_0302, 0xFFFF_FF84]


def test_a_literal_in_a_page_without_code_is_counted_once(tmp_path: Path) -> None:
    its_page_is_the_next = [LDR_R3 | 0xFF, NOP]
    code, literal = WAIT, WAIT
    assert waited(tmp_path, its_page_is_the_next, WAIT | ICEN) == code + literal


def test_a_write_to_the_slow_flash_goes_to_its_interface(tmp_path: Path) -> None:
    """Without FLASH_CR.PG it only sets PGSERR (RM0090, 3.9.4)."""
    code = [*constant(0, TABLE), *LDR, 0x6002]
    with closing(Program(tmp_path, code, setup=flash(WAIT))) as program:
        program.run_to(program.end)
        flash_interface = program.engine.machine.devices.flash
        assert flash_interface.read(SR, 4) == SR_PGSERR


def test_a_page_of_tables_that_turns_out_to_hold_code_still_runs(tmp_path: Path) -> None:
    code = [*constant(0, TABLE), *LDR, *constant(3, TABLE | 1), 0x4798, NOP]
    with closing(Program(tmp_path, code, setup=flash(WAIT | DCEN))) as program:
        program.run_to(program.start)
        program.engine.machine.cpu.write(TABLE, bytes.fromhex("2a25 7047"))
        program.run_to(program.end)
        assert program.engine.read_register("r5") == 0x2A


@pytest.mark.parametrize(("reset", "misses"), [(0, 0), (ICRST | DCRST, 3)])
def test_a_cache_forgets_when_it_is_reset_and_only_while_it_is_off(
    tmp_path: Path, reset: int, misses: int
) -> None:
    """Two lines of code, and a literal in one of them."""
    on = WAIT | ICEN | DCEN
    with closing(Program(tmp_path, [LDR_R3 | 1, *[NOP] * 8], setup=flash(on))) as program:
        assert program.cycles() == 2 + 8 + BRANCH + 3 * WAIT
        for acr in (on | ICRST | DCRST, WAIT | reset, on):
            program.engine.machine.devices.flash.write(0, 4, acr)
        program.engine.machine.cpu.set_register("pc", program.start)
        refill = 1
        assert program.cycles() == refill + 2 + 8 + BRANCH + misses * WAIT


def test_code_in_ram_waits_for_nothing(tmp_path: Path) -> None:
    nops, stay = NOP << 16 | NOP, STOP_HERE[0] << 16 | NOP
    code = [*constant(0, RAM), *constant(1, nops), *store(1, 0), *constant(0, RAM + 4),
            *constant(1, stay), *store(1, 0), *constant(0, RAM + 1), 0x4700]  # fmt: skip
    with closing(Program(tmp_path, code, setup=flash(WAIT))) as program:
        begun = program.run_to(RAM)
        bx_refill, three_nops = 2, 3
        assert program.run_to(RAM + 6) - begun == bx_refill + three_nops + BRANCH


def test_time_in_the_flash_is_the_same_skipped_or_executed(tmp_path: Path) -> None:
    """The skipped loop takes its first line anew in every turn, before its head.

    From the head it goes to the next line, which the prefetch does not have yet.
    """
    first_line = [0xE006, NOP, NOP, NOP, 0xE7FA, NOP, NOP, NOP]  # head: b 8; 4: b head
    second_line = [*load(2, 0), 0x428A, 0xD100, 0xE7F7]  # until [r0] != r1; b 4
    code = [0xE00A, *[NOP] * 7, *first_line, *second_line]
    setup = [*flash(WAIT | PRFTEN), *constant(0, RAM), *load(1, 0)]
    ends = []
    for fast_forward in (False, True):
        with closing(Program(tmp_path, code, setup=setup, fast_forward=fast_forward)) as program:
            program.run_to(program.start)
            program.engine.run(1000.0)
            program.engine.machine.cpu.write(RAM, b"\1")
            ends.append(program.run_to(program.end))
            assert bool(program.engine.machine.cpu.shared.skipped_cycles) == fast_forward
    assert ends[0] == ends[1]


def test_a_reset_empties_the_caches_and_takes_the_wait_states_away(tmp_path: Path) -> None:
    on = WAIT | ICEN | DCEN
    with closing(Program(tmp_path, [LDR_R3 | 1, *[NOP] * 8], setup=flash(on))) as program:
        taken = [program.cycles()]
        program.engine.machine.request_reset("SFT")
        taken.append(program.cycles())
        flash_device = program.engine.machine.devices.flash
        assert flash_device.read(0, 4) == on
    assert taken[0] == taken[1] == 2 + 8 + BRANCH + 3 * WAIT
