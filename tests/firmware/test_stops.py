"""The run under a debugger's stops is the run without them."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from boardless_sim.core.stops import Stops, WatchAccess, Watchpoint
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Outcome
from tests.firmware.conftest import BUILD
from tests.firmware.fingerprint import fingerprint, powered_board

ELF = BUILD / "boardless.elf"
LIMIT_US = 60_000.0
STOPS = 2_000
STEPS = (1, 1, 2, 3, 7, 50, 501)


def run_under_stops(engine: NativeEngine, seed: int, *, step: bool, watch: bool) -> int:
    """Random breakpoints and steps until the limit; how many stops there were."""
    choose = random.Random(seed)
    stops = Stops(engine.machine.cpu)
    image = load_image(ELF)
    for function in image.functions:
        stops.add(function.address)
    if watch:
        stops.watch(Watchpoint(0x2000_0000, 256, WatchAccess.READ | WatchAccess.WRITE))
    limit_ps = round(LIMIT_US * 1e6)
    count = 0
    while True:
        if count == STOPS:
            stops.close()
        elif step and choose.random() < 0.97:
            stops.step(choose.choice(STEPS))
        else:
            stops.go_on()
        if engine.machine.run_until(limit_ps) is not Outcome.BREAK:
            return count
        count += 1


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("step", "watch"), [(False, False), (True, False), (True, True)], ids=str)
def test_the_run_under_stops_is_the_run_without(seed: int, step: bool, watch: bool) -> None:
    with closing(powered_board(ELF, 3)) as plain, closing(powered_board(ELF, 3)) as debugged:
        plain.machine.run_until(round(LIMIT_US * 1e6))
        stops = run_under_stops(debugged, seed, step=step, watch=watch)
        assert stops >= (STOPS if step else 20)
        assert fingerprint(debugged) == fingerprint(plain)
