"""The Renode engine with a real Renode.

Skipped where none is installed; with BOARDLESS_REQUIRE_ENGINE=renode that is a failure.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from boardless.compare.comparison import compare, setups_of
from boardless.compare.known_differences import KNOWN
from boardless.running.classify import classify
from boardless.running.latency import PRINT, frames_lost, time_us
from boardless.running.rig import Rig
from boardless.running.session import BoardSetup
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.renode.engine import PRECISE_QUANTUM_US
from boardless_sim.engines.renode.install import find_renode
from boardless_sim.errors import EngineError, EngineMissing
from boardless_sim.faults.sensor import TruncatedFrame
from tests.firmware.wrong import with_changed_weights
from tests.processes import Watched, group_of, listening_ports

FIRMWARE = Path(__file__).parents[2] / "build/firmware"
LINE_LIMIT_US = 500_000.0
FRAMES = [Frame(str(value), np.full((28, 28), value, np.uint8)) for value in (0, 90, 200)]
INTERRUPTS = 200  # instructions of the few ticks that may come in between
UART_BYTE_US = 10 / 115_200 * 1e6


@pytest.fixture
def rig() -> Iterator[Rig]:
    try:
        find_renode()
    except EngineMissing as missing:
        if os.environ.get("BOARDLESS_REQUIRE_ENGINE") == "renode":
            raise
        pytest.skip(str(missing))
    with Rig() as rig:
        rig.power_on(BoardSetup(FIRMWARE / "boardless.elf", engine="renode"))
        yield rig


@pytest.mark.fidelity(device="DCMI", source="second engine: Renode")
def test_classes_and_scores_are_those_of_the_native_engine(rig: Rig) -> None:
    frames = [*open_frames("pattern:bars")] * 3
    second = classify(rig.engine, frames)
    rig.power_on(BoardSetup(FIRMWARE / "boardless.elf"))
    first = classify(rig.engine, frames)
    assert first.is_complete
    assert [result.normalised_line for result in second.results] == [
        result.normalised_line for result in first.results
    ]
    assert str(second.timing_basis) == "instruction count"
    for one, two in zip(first.results, second.results, strict=True):
        assert time_us(two, PRINT) == pytest.approx(time_us(one, PRINT), abs=UART_BYTE_US)
    assert frames_lost(second.results) == 0


@pytest.mark.fidelity(device="OV7670", source="second engine: Renode")
def test_frames_come_at_the_pace_of_the_camera(rig: Rig) -> None:
    report = classify(rig.engine, [*open_frames("pattern:bars")] * 4)
    sent = [result.sent_us for result in report.results]
    apart = [after - before for before, after in pairwise(sent)]
    assert apart == [pytest.approx(33_320, abs=200)] * 3
    captures = [result.capture for result in report.results if result.capture is not None]
    assert [capture.number for capture in captures] == [1, 2, 3, 4]
    apart = [after.time_us - before.time_us for before, after in pairwise(captures)]
    assert apart == [pytest.approx(33_320, abs=1)] * 3


def test_memory_and_registers_are_read(rig: Rig) -> None:
    image = load_image(FIRMWARE / "boardless.elf")
    assert rig.run_until_line(LINE_LIMIT_US, lambda line: "camera" in line.text)
    engine = rig.engine
    assert engine.read_memory(0x0800_0000, 4) == image.initial_sp.to_bytes(4, "little")
    assert 0x0800_0000 <= engine.read_register("pc") < 0x0810_0000
    assert 0x2000_0000 < engine.read_register("msp") <= image.initial_sp
    engine.write_memory(0x2001_FFF0, b"probe")
    assert engine.read_memory(0x2001_FFF0, 5) == b"probe"
    with pytest.raises(EngineError, match=r"^engine renode: no memory at 0x30000000-0x30000003$"):
        engine.read_memory(0x3000_0000, 4)


def test_two_boards_at_once(rig: Rig) -> None:
    with Rig() as second:
        second.power_on(BoardSetup(FIRMWARE / "boardless.elf", engine="renode"))
        for each in (rig, second):
            assert each.run_until_line(LINE_LIMIT_US, lambda line: "camera" in line.text)


_RUNS = """
import signal, sys
from pathlib import Path
from boardless_sim.engines.renode.engine import RenodeEngine
from boardless_sim.elf.image import load_image
signal.signal(signal.SIGINT, signal.default_int_handler)
engine = RenodeEngine()
engine.load(load_image(Path(sys.argv[1])))
print(engine.process_group, flush=True)
engine.run(60e6)
"""


@pytest.mark.usefixtures("rig")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_and_no_port_is_left_or_open(how: signal.Signals, tmp_path: Path) -> None:
    """After Ctrl-C, and after a death without warning: Renode's input ends, and Renode with it."""
    command = [sys.executable, "-c", _RUNS, str(FIRMWARE / "boardless.elf")]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        group = group_of(int(process.stdout.readline()))
        watched = [Watched(process_id) for process_id in group]
        assert watched
        assert listening_ports(group) == []
        process.send_signal(how)
    assert process.returncode == -how
    assert all(each.has_ended() for each in watched)


def test_the_users_own_settings_and_history_are_left_alone(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    rig.restart()
    assert rig.engine.read_memory(0x0800_0000, 4) != bytes(4)
    assert not list(tmp_path.iterdir())


def test_a_short_frame_is_no_capture(rig: Rig) -> None:
    rig.break_camera(TruncatedFrame(60))
    line = rig.run_until_line(LINE_LIMIT_US, lambda line: line.text.startswith("e-"))
    assert line is not None
    assert line.text == "e- capture short code=-4"


@pytest.mark.fidelity(device="core", source="second engine: Renode, QEMU")
@pytest.mark.usefixtures("rig")
def test_three_engines_say_the_same_of_frames_and_core() -> None:
    """The mailbox firmware and the self-test; what Renode's core does its own way is known."""
    setups = setups_of(FIRMWARE / "boardless-mailbox.elf", "native,qemu,renode")
    found = compare(setups, FRAMES, 5e6, FIRMWARE / "selftest.elf")
    assert found.difference is None
    assert [len(opinion.answers) for opinion in found.opinions] == [3, 3, 3]
    assert found.gone == ()
    listed = [excuse.check for excuse in found.excuses if excuse.engine == "renode"]
    assert listed == [known.check for known in KNOWN["renode"]]
    native, _, renode = found.opinions
    for one, two in zip(native.answers, renode.answers, strict=True):
        assert one.instructions is not None
        assert two.instructions == pytest.approx(one.instructions, abs=INTERRUPTS)


@pytest.mark.usefixtures("rig")
def test_the_firmware_with_a_camera_is_compared_by_class_and_score(tmp_path: Path) -> None:
    """It cannot be asked for its layers; its instructions are counted all the same."""
    right, renode = setups_of(FIRMWARE / "boardless.elf", "native,renode")
    found = compare([right, renode], FRAMES, 5e6)
    assert found.difference is None
    for one, two in zip(*(opinion.answers for opinion in found.opinions), strict=True):
        assert one.instructions is not None
        assert two.instructions == pytest.approx(one.instructions, abs=INTERRUPTS)
        assert not one.layers
    broken = with_changed_weights(FIRMWARE / "boardless.elf", tmp_path)
    wrong = compare([right, replace(renode, elf=broken)], FRAMES[1:], 5e6)
    assert re.fullmatch(
        r"frame 0 \(90\), (class|score): native \d+, renode \d+", str(wrong.difference)
    )


@pytest.mark.usefixtures("rig")
def test_a_changed_weight_is_found_on_renode(tmp_path: Path) -> None:
    broken = with_changed_weights(FIRMWARE / "boardless-mailbox.elf", tmp_path)
    right, wrong = setups_of(FIRMWARE / "boardless-mailbox.elf", "native,renode")
    found = compare([right, replace(wrong, elf=broken)], FRAMES[1:], 5e6)
    assert found.difference is not None
    assert re.fullmatch(
        r"frame 0 \(90\), layer \d, index \d+: native -?\d+, renode -?\d+", str(found.difference)
    )


def test_precise_time_lets_systick_start_on_time(rig: Rig) -> None:
    first = rig.run_until_line(LINE_LIMIT_US, lambda line: "camera" in line.text)
    rig.restart()
    rig.ask_for_precise_time()
    precise = rig.run_until_line(LINE_LIMIT_US, lambda line: "camera" in line.text)
    assert first is not None
    assert precise is not None
    overrun_us = rig.engine.time_us() - precise.time_us
    assert 0 <= overrun_us <= PRECISE_QUANTUM_US
    assert first.time_us != precise.time_us
