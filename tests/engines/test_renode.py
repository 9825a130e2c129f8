"""The Renode engine with a real Renode.

Skipped where none is installed; with BOARDLESS_REQUIRE_ENGINE=renode that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from boardless.bench import Bench
from boardless.run import classify
from boardless.session import BoardSetup
from boardless_sim.camera.faults import TruncatedFrame
from boardless_sim.camera.source import open_frames
from boardless_sim.engines.renode_install import find_renode
from boardless_sim.errors import EngineError, EngineMissing
from boardless_sim.image import load_image

FIRMWARE = Path(__file__).parents[2] / "build/firmware"
LINE_LIMIT_US = 500_000.0


@pytest.fixture
def bench() -> Iterator[Bench]:
    try:
        find_renode()
    except EngineMissing as missing:
        if os.environ.get("BOARDLESS_REQUIRE_ENGINE") == "renode":
            raise
        pytest.skip(str(missing))
    with Bench() as bench:
        bench.power_on(BoardSetup(FIRMWARE / "boardless.elf", engine="renode"))
        yield bench


def test_classes_and_scores_are_those_of_the_native_engine(bench: Bench) -> None:
    frames = [*open_frames("pattern:bars")] * 3
    second = classify(bench.engine, frames)
    bench.power_on(BoardSetup(FIRMWARE / "boardless.elf"))
    first = classify(bench.engine, frames)
    assert first.is_complete
    assert [result.normalised_line for result in second.results] == [
        result.normalised_line for result in first.results
    ]
    assert str(second.timing_basis) == "instruction count"


def test_frames_come_at_the_pace_of_the_camera(bench: Bench) -> None:
    report = classify(bench.engine, [*open_frames("pattern:bars")] * 4)
    sent = [result.sent_us for result in report.results]
    apart = [after - before for before, after in pairwise(sent)]
    assert apart == [pytest.approx(33_320, abs=200)] * 3


def test_memory_and_registers_are_read(bench: Bench) -> None:
    image = load_image(FIRMWARE / "boardless.elf")
    assert bench.run_until_line(LINE_LIMIT_US, lambda line: "camera" in line.text)
    engine = bench.engine
    assert engine.read_memory(0x0800_0000, 4) == image.initial_sp.to_bytes(4, "little")
    assert 0x0800_0000 <= engine.read_register("pc") < 0x0810_0000
    assert 0x2000_0000 < engine.read_register("msp") <= image.initial_sp
    engine.write_memory(0x2001_FFF0, b"probe")
    assert engine.read_memory(0x2001_FFF0, 5) == b"probe"
    with pytest.raises(EngineError, match=r"^engine renode: no memory at 0x30000000-0x30000003$"):
        engine.read_memory(0x3000_0000, 4)


def test_two_boards_at_once(bench: Bench) -> None:
    with Bench() as second:
        second.power_on(BoardSetup(FIRMWARE / "boardless.elf", engine="renode"))
        for each in (bench, second):
            assert each.run_until_line(LINE_LIMIT_US, lambda line: "camera" in line.text)


def test_a_short_frame_is_no_capture(bench: Bench) -> None:
    bench.break_camera(TruncatedFrame(60))
    line = bench.run_until_line(LINE_LIMIT_US, lambda line: line.text.startswith("e-"))
    assert line is not None
    assert line.text == "e- capture short code=-4"
