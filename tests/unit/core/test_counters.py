"""SysTick to the cycle (DDI 0403E, B3.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.core.programs import (
    NOP,
    RETURN,
    SLEEP_FOREVER,
    STOP_HERE,
    constant,
    load,
    poke,
    power_on,
)

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0403E, B3.3 and C1.8")

SYST_CSR, SYST_RVR, SYST_CVR = 0xE000_E010, 0xE000_E014, 0xE000_E018
DEMCR, DWT_CTRL, DWT_CYCCNT = 0xE000_EDFC, 0xE000_1000, 0xE000_1004
SYSTICK = 15
ENABLE, TICKINT, CLKSOURCE = 1, 2, 4
RELOAD = 999
DIVIDER = 8  # of the reference clock (RM0090, 7.2: HCLK / 8)


@pytest.mark.parametrize(("source", "ticks"), [(CLKSOURCE, 1), (0, DIVIDER)])
@pytest.mark.parametrize("reload", [99, RELOAD])
def test_a_period_is_one_tick_longer_than_the_reload_value(
    tmp_path: Path, source: int, ticks: int, reload: int
) -> None:
    """ "To generate a timer with a period of N ... clocks, use a RELOAD value of N-1" (B3.3.4)."""
    count = poke(DEMCR, 1 << 24) + poke(DWT_CTRL, 1)
    start = poke(SYST_RVR, reload) + poke(SYST_CSR, source | TICKINT | ENABLE)
    note = [0x4625, *constant(0, DWT_CYCCNT), *load(4, 0), 0x3601, *RETURN]  # mov r5, r4; adds r6
    engine = power_on(tmp_path, count + start + SLEEP_FOREVER, handlers={SYSTICK: note})
    engine.run(5000)
    assert engine.read_register("r6") > 5
    assert engine.read_register("r4") - engine.read_register("r5") == (reload + 1) * ticks
    assert int.from_bytes(engine.machine.cpu.read(SYST_RVR, 4), "little") == reload


@pytest.mark.parametrize("nops", range(3 * DIVIDER))
def test_the_counter_counts_down_once_a_tick(tmp_path: Path, nops: int) -> None:
    """Enabled at 0 it is reloaded on the next tick (B3.3.5), of eight cycles here."""
    start = [*poke(SYST_RVR, RELOAD), *constant(3, SYST_CSR), *constant(1, ENABLE)]
    look = [0x6019, *[NOP] * nops, 0x689A]  # str r1, [r3]; ldr r2, [r3, #8]
    engine = power_on(tmp_path, start + look + STOP_HERE)
    engine.run(100)
    elapsed = nops + 1
    expected = -(elapsed // DIVIDER) % (RELOAD + 1)
    assert engine.read_register("r2") == expected


def test_a_write_to_the_counter_clears_it(tmp_path: Path) -> None:
    """ "Writing any value clears the register to zero", and COUNTFLAG with it (B3.3.5)."""
    start = poke(SYST_RVR, RELOAD) + poke(SYST_CSR, CLKSOURCE | ENABLE)
    wait = [*constant(3, RELOAD), 0x3B01, 0xD1FD]  # subs r3, #1; bne
    look = [*constant(0, SYST_CSR), 0x6081, 0x6882, 0x6803]  # str [r0, #8]; ldr r2; ldr r3, [r0]
    engine = power_on(tmp_path, start + wait + look + STOP_HERE)
    engine.run(1000)
    assert engine.read_register("r2") == RELOAD
    assert not engine.read_register("r3") & 1 << 16
