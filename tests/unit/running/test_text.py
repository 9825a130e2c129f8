"""Text that no line end follows can be waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless.running.rig import Rig
from boardless.running.session import BoardSetup
from boardless_sim.engines.engine import StopReason
from tests.unit.conftest import link

BUSY = 8  # it says "m- ready" and a line end, then "m- half a" and none


@pytest.fixture(name="rig", scope="module")
def rig_fixture(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    folder: Path = tmp_path_factory.mktemp("hangs")
    elf = link(folder, f"-DHANG={BUSY}", "-DSTACK_TOP=0x20020000", source="hangs.c")
    rig = Rig()
    rig.power_on(BoardSetup(elf))
    return rig


def test_a_prompt_is_waited_for(rig: Rig) -> None:
    assert rig.run_until_text(50_000, "half a")
    assert rig.stop_reason is StopReason.RESULT
    assert rig.engine.time_us() < 2_000


def test_text_that_never_comes_ends_at_the_limit(rig: Rig) -> None:
    before_us = rig.engine.time_us()
    assert not rig.run_until_text(5_000, "a whole")
    assert rig.stop_reason is StopReason.LIMIT
    assert rig.engine.time_us() - before_us == pytest.approx(5_000, abs=1)
