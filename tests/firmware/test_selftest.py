"""Programs that check the core and the devices from inside, as they would on a board."""

import pytest

from boardless_sim.engines.engine import StopReason
from tests.firmware.conftest import Runner


@pytest.mark.parametrize(("name", "least"), [("selftest", 160), ("periph_test", 20)])
def test_every_check_of_the_program_passes(run_program: Runner, name: str, least: int) -> None:
    transcript = run_program(name, "t- done")
    checks = [line for line in transcript.lines if line.startswith("t- ") and "done" not in line]
    assert transcript.reason == StopReason.RESULT
    assert [line for line in checks if " fail " in line] == []
    assert transcript.lines[-1] == f"t- done pass={len(checks)} fail=0"
    assert len(checks) >= least
