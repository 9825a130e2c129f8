"""The banks of the memory controller: on with MBKEN, a bus error without (RM0090 section 36.5)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from boardless_sim.engines.engine import StopReason
from tests.unit.core.programs import SLEEP_FOREVER, fault_of, poke, power_on

pytestmark = pytest.mark.fidelity(device="FSMC", source="RM0090 36.5")

AHB3ENR, BCR1, BANK_1, BANK_2 = 0x4002_3838, 0xA000_0000, 0x6000_0000, 0x6400_0000
CLOCK = poke(AHB3ENR, 1)


@pytest.mark.parametrize("setup", [[], poke(BCR1, 0x1059)])
def test_a_bank_takes_what_is_written(tmp_path: Path, setup: list[int]) -> None:
    """Bank 1 is on after reset (BCR1 is 0x30DB)."""
    code = [*CLOCK, *setup, *poke(BANK_1, 0x1234), *SLEEP_FOREVER]
    with closing(power_on(tmp_path, code)) as engine:
        assert engine.run(100) == StopReason.HALT
        assert engine.fault() is None


@pytest.mark.parametrize(
    ("setup", "address"),
    [([], BANK_1), ([*CLOCK, *poke(BCR1, 0x1058)], BANK_1), (CLOCK, BANK_2)],
)
def test_a_bank_that_is_off_is_a_bus_error(tmp_path: Path, setup: list[int], address: int) -> None:
    """Without its clock, with MBKEN 0, and bank 2, which is off after reset."""
    with closing(power_on(tmp_path, [*setup, *poke(address, 1), *SLEEP_FOREVER])) as engine:
        assert fault_of(engine).address == address
