"""How a wait for a frame ends: at its limit, after an error, at the interrupt's very cycle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pytest

from boardless_sim.engines.native import NativeEngine, snapshot
from boardless_sim.faults.sensor import DeadSensor, SensorFault, TruncatedFrame
from tests.firmware.conftest import BUILD
from tests.firmware.fingerprint import powered_board

ELF = BUILD / "boardless.elf"
LIMIT_MS, TICK_MS = 500, 10  # frame_capture.h, tick.h
DCMI_CR, CAPTURE = 0x5005_0000, 1
DMA2_S1CR, ENABLED = 0x4002_6428, 1
ICSR, PENDSTSET = 0xE000_ED04, 1 << 26
HCLK_HZ = 168_000_000
SWEPT_CYCLES = 240  # from SysTick's entry into the sleep behind both checks, and beyond
AT_ONCE_US = 5  # interrupt, loop and return


@pytest.fixture(name="engine")
def engine_fixture() -> Iterator[NativeEngine]:
    with closing(powered_board(ELF, 4)) as engine:
        yield engine


def error_times_us(engine: NativeEngine, word: str) -> list[float]:
    return [line.time_us for line in engine.uart_lines() if line.text.startswith(f"e- {word}")]


def test_a_sensor_that_sends_nothing_is_given_up_at_the_first_tick_past_the_limit(
    engine: NativeEngine,
) -> None:
    engine.set_camera_faults([DeadSensor()])
    engine.run(3.5 * (LIMIT_MS + TICK_MS) * 1000)
    times = error_times_us(engine, "capture timeout")
    assert len(times) == 3
    for before, after in pairwise(times):
        assert after - before == pytest.approx((LIMIT_MS + TICK_MS) * 1000, abs=10)


@pytest.mark.parametrize("fault", [DeadSensor(), TruncatedFrame(rows=60)])
def test_after_an_error_nothing_is_armed(engine: NativeEngine, fault: SensorFault) -> None:
    """frame_capture_wait(): "0, or an error: then there is no frame, and nothing is armed"."""
    armed: list[tuple[int, int]] = []

    def look() -> None:
        capture = engine.machine.device_read(DCMI_CR, 4) & CAPTURE
        armed.append((capture, engine.machine.device_read(DMA2_S1CR, 4) & ENABLED))

    engine.set_camera_faults([fault])
    engine.watch(engine.image.symbol("frame_capture_error_name").address, look)
    engine.run(2.5 * (LIMIT_MS + TICK_MS) * 1000)
    assert len(armed) >= 2
    assert set(armed) == {(0, 0)}


def test_an_end_is_never_slept_on_whatever_the_cycle_at_which_it_comes(
    engine: NativeEngine,
) -> None:
    """The loop is woken so that the frame ends at each of its cycles in turn.

    An interrupt between the check and WFI would be slept on until the next tick. With PRIMASK set
    it stays pending, and WFI does not wait for what is pending (DDI 0403E, B1.5.19).
    """
    taken = engine.image.symbol("preprocess_run").address
    cycle_ps = 10**12 / HCLK_HZ
    with closing(powered_board(ELF, 1)) as first:
        assert first.run_to(taken, 200_000)
        end_ps = first.captures()[0].time_us * 1e6
    engine.machine.run_until(round(end_ps - 2 * SWEPT_CYCLES * cycle_ps))
    assert engine.is_asleep()
    asleep = snapshot.take(engine)
    for cycles in range(SWEPT_CYCLES):
        snapshot.restore(engine, asleep)
        engine.machine.run_until(round(end_ps - cycles * cycle_ps))
        assert engine.machine.cpu.poke(ICSR, 4, PENDSTSET)
        assert engine.run_to(taken, 2 * TICK_MS * 1000)
        assert engine.time_us() - end_ps / 1e6 < AT_ONCE_US, f"slept on, {cycles} cycles before"
