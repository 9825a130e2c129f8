"""The camera's frames, one after the other: captured while the one before is inferred."""

from __future__ import annotations

from contextlib import closing

import pytest

from boardless.running.classify import RunReport, classify
from boardless.running.latency import END_TO_END, TOTAL, frame_rate, frames_lost, latencies
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from tests.firmware.conftest import BUILD

FRAMES = 1_000
SENSOR_HZ = 24e6 / (510 * 784 * 2)  # 30.01: lines, pixels of a line, clocks of a pixel
DCMI_CR, CAPTURE = 0x5005_0000, 1


def run(engine: NativeEngine, frames: int) -> RunReport:
    return classify(engine, open_frames("pattern:noise:1", limit=frames))


@pytest.fixture(name="engine")
def engine_fixture() -> NativeEngine:
    engine = NativeEngine()
    engine.load(load_image(BUILD / "boardless.elf"))
    return engine


def test_a_thousand_frames_at_thirty_a_second_and_none_is_lost(engine: NativeEngine) -> None:
    with closing(engine):
        report = run(engine, FRAMES)
    assert (report.is_complete, len(report.results)) == (True, FRAMES)
    assert not report.firmware_errors
    assert frames_lost(report.results) == 0
    first, last = (report.results[at].capture for at in (0, -1))
    assert first is not None
    assert last is not None
    assert (FRAMES - 1) * 1e6 / (last.time_us - first.time_us) == pytest.approx(SENSOR_HZ, rel=1e-5)
    assert frame_rate(report.results) == pytest.approx(SENSOR_HZ, rel=1e-4)  # lines grow longer
    times = latencies(report.results)
    assert times[TOTAL].p95_us < times[END_TO_END].p95_us < 1e6 / SENSOR_HZ


def test_the_next_capture_is_armed_while_a_frame_is_inferred(engine: NativeEngine) -> None:
    armed: list[int] = []

    def look() -> None:
        armed.append(engine.machine.device_read(DCMI_CR, 4) & CAPTURE)

    with closing(engine):
        engine.watch(load_image(BUILD / "boardless.elf").symbol("nn_run").address, look)
        run(engine, 4)
    assert len(armed) >= 4
    assert set(armed) == {CAPTURE}


def test_a_firmware_that_is_too_slow_for_the_camera_is_seen_to_lose_frames(
    engine: NativeEngine,
) -> None:
    lagged: set[int] = set()

    def lag() -> None:
        """10 ms before the next capture is armed, once a frame."""
        if len(engine.captures()) not in lagged:
            lagged.add(len(engine.captures()))
            engine.machine.cpu.shared.cycles += engine.machine.clocks().hclk_hz // 100

    with closing(engine):
        engine.watch(load_image(BUILD / "boardless.elf").symbol("preprocess_run").address, lag)
        report = run(engine, 6)
    assert frames_lost(report.results) == 5
    assert frame_rate(report.results) == pytest.approx(SENSOR_HZ / 2, rel=1e-3)
