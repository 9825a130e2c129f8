"""A debugger's stops, instruction by instruction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from boardless_sim.core.cpu import NEVER
from boardless_sim.core.stops import Hit, Position, Stops, WatchAccess, Watchpoint
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Outcome
from boardless_sim.errors import EngineError
from tests.unit.core.programs import (
    HARD_FAULT,
    NOP,
    RETURN,
    SLEEP_FOREVER,
    STOP_HERE,
    SUPERVISOR_CALL,
    UNDEFINED,
    constant,
    power_on,
    store,
)
from tests.unit.elf.elf_bytes import FLASH

CODE = FLASH + 64  # behind the vectors
RAM = 0x2000_0100
LIMIT_PS = 1_000_000_000
IT_EQ, ITE_EQ = 0xBF08, 0xBF0C
ADD_R3 = 0x3301  # ADDS r3, #1
UDIV_R0_R1_R2 = [0xFBB1, 0xF0F2]


@contextmanager
def stops_in(
    tmp_path: Path, reset: list[int], handlers: dict[int, list[int]] | None = None
) -> Iterator[tuple[NativeEngine, Stops, Callable[[], Outcome]]]:
    engine = power_on(tmp_path, reset, handlers=handlers)
    stops = Stops(engine.machine.cpu)
    try:
        yield engine, stops, lambda: engine.machine.run_until(LIMIT_PS)
    finally:
        stops.close()
        engine.close()


def walked(engine: NativeEngine, stops: Stops, run: Callable[[], Outcome], steps: int) -> list[int]:
    """Where each of some steps came to, from the start of the code."""
    places = []
    for _ in range(steps):
        stops.step()
        assert run() is Outcome.BREAK
        places.append(engine.read_register("pc") - CODE)
    return places


def test_a_step_is_an_instruction(tmp_path: Path) -> None:
    with stops_in(tmp_path, [*constant(3, 1), NOP, ADD_R3, *STOP_HERE]) as (engine, stops, run):
        assert walked(engine, stops, run, 4) == [4, 8, 10, 12]
        assert engine.read_register("r3") == 2


def test_an_it_block_is_one_step(tmp_path: Path) -> None:
    code = [0x2000, 0x2800, ITE_EQ, 0x2101, 0x2102, NOP, *STOP_HERE]  # MOVS r0; CMP r0, #0; ITE EQ
    with stops_in(tmp_path, code) as (engine, stops, run):
        assert walked(engine, stops, run, 4) == [2, 4, 10, 12]
        assert engine.read_register("r1") == 1


@pytest.mark.parametrize("step", [1, 3])
def test_a_stop_at_a_divide_times_it_once(tmp_path: Path, step: int) -> None:
    code = [*constant(1, 0xFFFF_FFFF), *constant(2, 3), *UDIV_R0_R1_R2, *UDIV_R0_R1_R2, *STOP_HERE]
    plain = power_on(tmp_path, [*code[:-1], *SLEEP_FOREVER])
    plain.run(10)
    plain_cycles = plain.cycles() - plain.sleep_cycles()
    with stops_in(tmp_path, [*code[:-1], *SLEEP_FOREVER]) as (engine, stops, run):
        for _ in range(7 // step):
            stops.step(step)
            run()
        stops.close()
        engine.run(10)
        assert engine.cycles() - engine.sleep_cycles() == plain_cycles


def test_a_breakpoint_at_a_divide_that_already_ran_times_it_once(tmp_path: Path) -> None:
    loop = [*UDIV_R0_R1_R2, ADD_R3, 0xE7FB]
    code = [*constant(1, 0xFFFF_FFFF), *constant(2, 3), *loop]
    plain = power_on(tmp_path, code, fast_forward=False)
    plain.machine.run_until(LIMIT_PS)
    with stops_in(tmp_path, code) as (engine, stops, run):
        stops.halt_at(100)
        stops.go_on()
        run()
        stops.halt_at()
        stops.add(CODE + 16)
        for _ in range(20):
            stops.go_on()
            assert run() is Outcome.BREAK
        stops.close()
        run()
        assert engine.instructions() == plain.instructions()
        assert engine.cycles() == plain.cycles()


@pytest.mark.parametrize("first", [1, 50, 99])
def test_the_rest_of_a_block_is_not_counted_again(tmp_path: Path, first: int) -> None:
    code = [*[ADD_R3] * 100, *SLEEP_FOREVER]
    plain = power_on(tmp_path, code)
    plain.run(20)
    with stops_in(tmp_path, code) as (engine, stops, run):
        stops.step(first)
        run()
        stops.close()
        engine.machine.run_until(plain.machine.time_ps())
        for figure in (NativeEngine.instructions, NativeEngine.cycles, NativeEngine.sleep_cycles):
            assert figure(engine) == figure(plain)


@pytest.mark.parametrize("length", [190, 250, 360])
@pytest.mark.parametrize("first", [1, 150])
def test_a_block_that_hooks_cut_short_is_counted_whole(
    tmp_path: Path, length: int, first: int
) -> None:
    code = [*[ADD_R3] * length, *SLEEP_FOREVER]
    plain = power_on(tmp_path, code)
    plain.run(100)
    with stops_in(tmp_path, code) as (engine, stops, run):
        stops.step(first)
        run()
        stops.close()
        engine.machine.run_until(plain.machine.time_ps())
        assert engine.instructions() == plain.instructions()
        assert engine.sleep_cycles() == plain.sleep_cycles()


def test_a_step_passes_through_a_handler_unless_asked(tmp_path: Path) -> None:
    program = [NOP, *SUPERVISOR_CALL, NOP, *STOP_HERE]
    with stops_in(tmp_path, program, {11: [NOP, NOP, *RETURN]}) as (engine, stops, run):
        assert walked(engine, stops, run, 1) == [2]
        stops.step(deepest=stops.depth())
        run()
        assert engine.read_register("pc") - CODE == 4
        assert not engine.is_in_handler()
    with stops_in(tmp_path, program, {11: [NOP, NOP, *RETURN]}) as (engine, stops, run):
        walked(engine, stops, run, 2)
        assert engine.is_in_handler()


def test_a_range_is_one_step(tmp_path: Path) -> None:
    with stops_in(tmp_path, [NOP, NOP, NOP, NOP, *STOP_HERE]) as (engine, stops, run):
        stops.step(within=(CODE, CODE + 6))
        run()
        assert engine.read_register("pc") == CODE + 6


def test_a_breakpoint_stops_each_time_and_no_longer_when_taken_away(tmp_path: Path) -> None:
    with stops_in(tmp_path, [NOP, ADD_R3, 0xE7FC]) as (engine, stops, run):  # B back to the first
        stops.add(CODE + 2)
        for turn in range(3):
            stops.go_on()
            assert run() is Outcome.BREAK
            assert engine.read_register("r3") == turn
        stops.remove(CODE + 2)
        stops.go_on()
        assert run() is Outcome.LIMIT


def test_a_write_watchpoint_stops_before_the_store(tmp_path: Path) -> None:
    code = [*constant(0, RAM), *constant(1, 7), *store(1, 0), *STOP_HERE]
    with stops_in(tmp_path, code) as (engine, stops, run):
        before = engine.read_memory(RAM, 4)
        stops.watch(Watchpoint(RAM, 4, WatchAccess.WRITE))
        stops.go_on()
        assert run() is Outcome.BREAK
        assert stops.hit() == Hit(RAM, WatchAccess.WRITE)
        assert engine.read_register("pc") == CODE + 16
        assert engine.read_memory(RAM, 4) == before != b"\x07\0\0\0"
        stops.go_on()
        assert run() is Outcome.LIMIT
        assert engine.read_memory(RAM, 4) == b"\x07\0\0\0"


def test_a_read_watchpoint_does_not_see_a_store(tmp_path: Path) -> None:
    with stops_in(tmp_path, [*constant(0, RAM), *store(1, 0), *STOP_HERE]) as (_, stops, run):
        stops.watch(Watchpoint(RAM, 4, WatchAccess.READ))
        stops.go_on()
        assert run() is Outcome.LIMIT


def test_watchpoints_beyond_the_last_are_refused(tmp_path: Path) -> None:
    with stops_in(tmp_path, STOP_HERE) as (_, stops, _run):
        for number in range(32):
            stops.watch(Watchpoint(RAM + 4 * number, 4, WatchAccess.WRITE))
        with pytest.raises(EngineError, match="watchpoint 33, expected at most 32"):
            stops.watch(Watchpoint(RAM - 4, 4, WatchAccess.WRITE))


def test_time_and_position_grow_with_each_step_by_what_the_table_says(tmp_path: Path) -> None:
    with stops_in(tmp_path, [NOP, *store(1, 0), NOP, *STOP_HERE]) as (engine, stops, run):
        engine.machine.cpu.set_register("r0", RAM)
        seen = []
        for _ in range(3):
            stops.step()
            run()
            seen.append((stops.position(), stops.cycles()))
        assert seen == [(Position(0, 0, NEVER, index), index) for index in (1, 2, 3)]


def test_halt_at_stops_before_the_block_of_an_instruction(tmp_path: Path) -> None:
    with stops_in(tmp_path, [NOP, ADD_R3, 0xE7FC]) as (engine, stops, run):
        stops.halt_at(3 * 1000)
        stops.go_on()
        assert run() is Outcome.BREAK
        assert stops.position() == Position(3000, 0, NEVER, 0)
        assert engine.read_register("r3") == 1000


def test_a_jump_takes_back_what_was_counted_beyond_it(tmp_path: Path) -> None:
    with stops_in(tmp_path, [NOP, NOP, NOP, NOP, *STOP_HERE]) as (engine, stops, run):
        stops.step(2)
        run()
        assert engine.instructions() == 5  # the block's
        stops.jump(CODE + 8)
        assert engine.instructions() == 2
        assert engine.cycles() == 2


def test_another_thread_may_ask_for_a_stop(tmp_path: Path) -> None:
    with stops_in(tmp_path, STOP_HERE) as (_, stops, run):
        stops.want_stop()
        assert run() is Outcome.BREAK
        stops.want_stop(False)
        assert run() is Outcome.LIMIT


def test_time_does_not_depend_on_what_stopped(tmp_path: Path) -> None:
    """A branch taken costs its refill before the next instruction, not after the stop at it."""
    code = [NOP, ADD_R3, 0xE7FC]
    times = []
    with stops_in(tmp_path, code) as (_, stops, run):
        stops.step(3)
        run()
        times.append(stops.cycles())
    with stops_in(tmp_path, code) as (_, stops, run):
        stops.halt_at(3)
        stops.go_on()
        run()
        stops.halt_at()
        stops.settle()
        run()
        times.append(stops.cycles())
    assert times == [4, 4]


def test_a_caught_exception_stops_at_its_handler(tmp_path: Path) -> None:
    with stops_in(tmp_path, [NOP, *UNDEFINED, *STOP_HERE]) as (engine, stops, run):
        stops.catch([HARD_FAULT])
        stops.go_on()
        assert run() is Outcome.BREAK
        assert stops.caught() == HARD_FAULT
        assert engine.is_in_handler()
        stops.go_on()
        assert run() is Outcome.LIMIT
        assert stops.caught() == 0


def test_muted_stops_do_not_stop(tmp_path: Path) -> None:
    with stops_in(tmp_path, [NOP, ADD_R3, 0xE7FC]) as (_, stops, run):
        stops.add(CODE + 2)
        with stops.muted():
            stops.go_on()
            assert run() is Outcome.LIMIT
