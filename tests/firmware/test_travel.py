"""Backwards on the reference firmware: every place is what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from boardless.debug.target import DebugTarget, Stop, Why
from boardless_sim.core.stops import Hit, WatchAccess, Watchpoint
from boardless_sim.elf.image import load_image
from tests.firmware.conftest import BUILD
from tests.firmware.fingerprint import fingerprint, powered_board

ELF = BUILD / "boardless.elf"
EVERY_PS = 20_000_000_000


@pytest.fixture(name="target")
def powered_target() -> Iterator[DebugTarget]:
    with closing(powered_board(ELF, 3)) as engine:
        yield DebugTarget(engine, load_image(ELF), EVERY_PS)


def run_to(target: DebugTarget, symbol: str) -> int:
    address = target.image.symbols[symbol].address & ~1
    target.stops.add(address)
    assert target.go_on() == Stop(Why.BREAKPOINT)
    return address


@pytest.mark.parametrize("place", ["preprocess_run", "nn_run", "result_print"])
@pytest.mark.parametrize("enters", [False, True])
def test_steps_back_undo_steps(target: DebugTarget, place: str, enters: bool) -> None:
    target.steps_enter_handlers = enters
    target.stops.remove(run_to(target, place))
    seen = []
    for _ in range(60):
        seen.append((target.stops.position(), fingerprint(target.engine)))
        target.step()
    for position, state in reversed(seen):
        assert target.step_back() == Stop(Why.STEP)
        if enters:
            assert target.stops.position() == position
            assert fingerprint(target.engine) == state


def test_the_way_back_leaves_the_way_forward(target: DebugTarget) -> None:
    run_to(target, "nn_run")
    target.go_on()
    second_frame = fingerprint(target.engine)
    for _ in range(3):
        target.step_back()
    target.step(3)
    assert fingerprint(target.engine) == second_frame


def test_back_to_the_last_breakpoint_and_to_the_start(target: DebugTarget) -> None:
    main = run_to(target, "main")
    at_main = fingerprint(target.engine)
    network = run_to(target, "nn_run")
    target.stops.remove(network)
    target.go_on(limit_ps=150_000_000_000)
    target.stops.add(network)
    assert target.run_back() == Stop(Why.BREAKPOINT)
    assert target.engine.read_register("pc") == network
    target.stops.remove(network)
    assert target.run_back() == Stop(Why.BREAKPOINT)
    assert target.engine.read_register("pc") == main
    assert fingerprint(target.engine) == at_main
    assert target.run_back() == Stop(Why.START)
    assert target.step_back() == Stop(Why.START)


def test_who_wrote_this(target: DebugTarget) -> None:
    """Backwards a watchpoint stops behind the store: a step back undoes it."""
    target.stops.remove(run_to(target, "result_print"))
    sp = target.engine.read_register("sp")
    while (stack := target.engine.read_register("sp")) == sp:
        target.step()
    before = target.stops.position()
    word = target.engine.read_memory(stack, 4)
    target.step(20)
    target.stops.watch(Watchpoint(stack, 4, WatchAccess.WRITE))
    assert target.run_back() == Stop(Why.WATCHPOINT, Hit(stack, WatchAccess.WRITE))
    assert target.stops.position() == before
    assert target.engine.read_memory(stack, 4) == word
    behind = target.stops.position()
    target.step_back()
    assert target.stops.position() < behind
    assert target.engine.read_register("sp") == sp


def test_an_input_comes_again_and_a_new_one_makes_a_new_future(target: DebugTarget) -> None:
    scratch = 0x1000_0000
    target.stops.remove(run_to(target, "main"))
    (filled,) = target.engine.read_memory(scratch, 1)
    written = bytes([filled ^ 0xFF])
    target.write(scratch, written)
    at_main = target.stops.position()
    target.go_on(limit_ps=30_000_000_000)
    later = fingerprint(target.engine)
    target.stops.add(target.image.symbols["main"].address)
    assert target.run_back().why is Why.BREAKPOINT
    target.step_back()
    assert target.engine.read_memory(scratch, 1) == bytes([filled])
    target.go_on()
    assert target.stops.position() == at_main
    assert target.engine.read_memory(scratch, 1) == written
    target.go_on(limit_ps=30_000_000_000)
    assert fingerprint(target.engine) == later
    target.run_back()
    target.step_back()
    target.write(scratch, bytes([filled ^ 1]))
    target.go_on()
    target.go_on(limit_ps=30_000_000_000)
    assert target.engine.read_memory(scratch, 1) == bytes([filled ^ 1])
