"""A board that went back runs as it would have run."""

from __future__ import annotations

from contextlib import closing

import pytest

from boardless_sim.core.stops import Stops
from boardless_sim.engines.native import snapshot
from boardless_sim.engines.native.machine import Outcome
from tests.firmware.conftest import BUILD
from tests.firmware.fingerprint import fingerprint, powered_board

ELF = BUILD / "boardless.elf"
END_PS = 150_000_000_000


@pytest.mark.parametrize("at_us", [3_000, 20_000, 37_123, 64_321, 101_010])
@pytest.mark.parametrize("steps", [0, 7, 1234])
def test_a_board_that_went_back_runs_as_it_would_have(at_us: int, steps: int) -> None:
    with closing(powered_board(ELF, 3)) as engine:
        engine.machine.run_until(at_us * 1_000_000)
        stops = Stops(engine.machine.cpu)
        if steps:
            stops.step(steps)
            assert engine.machine.run_until(END_PS) is Outcome.BREAK
        kept, before = snapshot.take(engine), fingerprint(engine)
        stops.close()
        engine.machine.run_until(END_PS)
        after = fingerprint(engine)
        assert after != before
        for _ in range(2):
            snapshot.restore(engine, kept)
            assert fingerprint(engine) == before
            engine.machine.run_until(END_PS)
            assert fingerprint(engine) == after


def test_snapshots_on_the_way_change_nothing() -> None:
    with closing(powered_board(ELF, 3)) as plain, closing(powered_board(ELF, 3)) as kept:
        plain.machine.run_until(END_PS)
        for end_ps in range(5_000_000_000, END_PS + 1, 5_000_000_000):
            kept.machine.run_until(end_ps)
            snapshot.take(kept)
        assert fingerprint(kept) == fingerprint(plain)
