"""What a call costs, in programs whose cycles and stack are known."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.probe import CallCost, CallProbe
from tests.unit.core.programs import NOP, RETURN, STACK_TOP
from tests.unit.elf.elf_bytes import FLASH, build_elf

RESET_AT = FLASH + 8
PUSH_R4_LR, POP_R4_PC, SUB_SP_16, ADD_SP_16 = 0xB510, 0xBD10, 0xB084, 0xB004
PUSH_LR, POP_PC = 0xB500, 0xBD00
MOV_SP_R4, MOV_R4_SP = 0x46A5, 0x466C


def call(at: int, target: int) -> list[int]:
    """BL from one halfword to another."""
    offset = target - at - 2
    return [0xF000 | offset >> 10 & 0x3FF if offset >= 0 else 0xF7FF, 0xF800 | offset & 0x7FF]


def branch(at: int, target: int) -> list[int]:
    return [0xE000 | target - at - 2 & 0x7FF]


@contextmanager
def powered(folder: Path, code: Sequence[int]) -> Iterator[NativeEngine]:
    """A board that starts at the first halfword."""
    path = folder / "app.elf"
    program = struct.pack("<2I", STACK_TOP, RESET_AT | 1) + struct.pack(f"<{len(code)}H", *code)
    path.write_bytes(build_elf(code=program, symbol_at=RESET_AT))
    with closing(NativeEngine()) as engine:
        engine.load(load_image(path))
        yield engine


def place(halfword: int) -> int:
    return RESET_AT + 2 * halfword


# An endless loop of calls to a function at 6, which calls a leaf at 12.
NESTED = [
    *call(0, 6), *branch(2, 0), NOP, NOP, NOP,
    PUSH_R4_LR, *call(7, 12), POP_R4_PC, NOP, NOP,
    SUB_SP_16, NOP, ADD_SP_16, *RETURN,
]  # fmt: skip


def test_a_call_costs_its_cycles_instructions_and_stack(tmp_path: Path) -> None:
    with powered(tmp_path, NESTED) as engine:
        outer: list[CallCost] = []
        inner: list[CallCost] = []
        CallProbe(engine, place(6), outer.append)
        CallProbe(engine, place(12), inner.append)
        engine.run(20)
        assert len(outer) > 3
        assert {(cost.instructions, cost.stack_bytes) for cost in outer} == {(7, 24)}
        assert {(cost.instructions, cost.stack_bytes) for cost in inner} == {(4, 16)}
        assert {cost.cycles for cost in inner} == {4 + 1}  # the refill before its first block
        for whole, part in zip(outer, inner, strict=False):
            assert whole.start_cycle < part.start_cycle
            assert part.cycles < whole.cycles
        assert {cost.sleep_cycles for cost in (*outer, *inner)} == {0}


def test_a_call_in_progress_has_a_cost_so_far(tmp_path: Path) -> None:
    with powered(tmp_path, NESTED) as engine:
        probe = CallProbe(engine, place(6), lambda cost: None)
        assert probe.so_far() is None
        found: list[CallCost | None] = []
        engine.watch(place(12), lambda: found.append(probe.so_far()))
        engine.run(10)
        assert {(cost.instructions, cost.stack_bytes) for cost in found if cost} == {(2, 8)}


def test_what_is_watched_is_visited_on_the_way_to_a_place(tmp_path: Path) -> None:
    with powered(tmp_path, NESTED) as engine:
        seen: list[int] = []
        for at in (6, 12):
            engine.watch(place(at), lambda: seen.append(engine.read_register("pc")))
        assert engine.run_to(place(12), 10)
        assert engine.read_register("pc") == place(12)
        assert engine.run_to(place(12), 10)
        assert seen == [place(6), place(12)] * 2


def test_a_probe_changes_nothing(tmp_path: Path) -> None:
    ends = []
    for probed in (False, True):
        with powered(tmp_path, NESTED) as engine:
            if probed:
                CallProbe(engine, place(6), lambda cost: None)
                engine.sample(7, lambda: None)
            engine.run(20)
            ends.append((engine.cycles(), engine.instructions(), engine.stack_mark()))
    assert ends[0] == ends[1]


def test_who_enters_sees_the_arguments_and_who_leaves_the_result(tmp_path: Path) -> None:
    seen: list[int] = []
    code = [0x2005, *call(1, 6), *branch(3, 0), NOP, NOP, 0x1D40, *RETURN]  # r0 = 5; r0 += 5
    with powered(tmp_path, code) as engine:

        def note() -> None:
            seen.append(engine.read_register("r0"))

        CallProbe(engine, place(6), lambda cost: note(), note)
        engine.run(5)
    assert seen[:4] == [5, 10, 5, 10]


def test_a_call_within_a_call_is_part_of_it(tmp_path: Path) -> None:
    # counts r0 down from 3 by calling itself
    code = [
        0x2003, *call(1, 6), *branch(3, 0), NOP, NOP,
        PUSH_LR, 0x3801, 0xD001, *call(9, 6), POP_PC,  # BEQ goes over the call
    ]  # fmt: skip
    with powered(tmp_path, code) as engine:
        found: list[CallCost] = []
        CallProbe(engine, place(6), found.append)
        engine.run(20)
        assert len(found) > 2
        assert {cost.stack_bytes for cost in found} == {12}


def test_a_call_that_never_returns_makes_room_for_the_next(tmp_path: Path) -> None:
    # the function takes the stack pointer of the loop and jumps back into it
    code = [
        MOV_R4_SP, *call(1, 6), NOP, *branch(4, 0), NOP,
        PUSH_LR, MOV_SP_R4, *branch(8, 0),
    ]  # fmt: skip
    with powered(tmp_path, code) as engine:
        entered, left = [0], list[CallCost]()
        CallProbe(engine, place(6), left.append, lambda: entered.__setitem__(0, entered[0] + 1))
        engine.run(20)
        assert entered[0] > 3
        assert left == []


def test_two_may_watch_one_place_and_one_may_leave(tmp_path: Path) -> None:
    with powered(tmp_path, NESTED) as engine:
        seen: list[str] = []

        def first() -> None:
            seen.append("first")
            engine.unwatch(place(12), first)

        def second() -> None:
            seen.append("second")
            if len(seen) == 4:
                engine.unwatch(place(12), second)

        engine.watch(place(12), first)
        engine.watch(place(12), second)
        engine.run(20)
        assert seen == ["first", "second", "second", "second"]


def test_samples_come_at_multiples_and_not_before(tmp_path: Path) -> None:
    longest_block = 6
    with powered(tmp_path, NESTED) as engine:
        start, cycles = engine.cycles(), list[int]()
        engine.sample(100, lambda: cycles.append(engine.cycles() - start))
        engine.run(101)
    assert len(cycles) == 16  # of 1,616 cycles
    for number, cycle in enumerate(cycles, start=1):
        assert 100 * number <= cycle < 100 * number + longest_block


def test_sleep_is_told_apart(tmp_path: Path) -> None:
    wfi = 0xBF30
    with powered(tmp_path, [NOP, wfi, *branch(2, 1)]) as engine:
        assert not engine.is_asleep()
        engine.run(10)
        assert engine.is_asleep()
        assert 150 < engine.sleep_cycles() < engine.cycles()
