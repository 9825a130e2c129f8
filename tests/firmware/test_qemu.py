"""The real QEMU beside the native engine: frames, layers, the self-test, and no process left."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import zlib
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from boardless.cli import main
from boardless.compare.comparison import Comparison, compare, setups_of
from boardless.compare.known_differences import KNOWN
from boardless.report.compare import summary
from boardless.running.session import BoardSetup
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.reference import run_graph
from boardless_models.int8.score import decide
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.gdb.qemu import QemuEngine
from boardless_sim.errors import EngineError
from boardless_sim.result import is_result, parse_result
from tests.firmware.conftest import BUILD, REPO
from tests.firmware.wrong import with_changed_weights
from tests.processes import Watched, listening_ports

ARTIFACT = REPO / "models" / "artifacts" / "fashion_mnist_8k.npz"
FRAMES = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
MAILBOX = BUILD / "boardless-mailbox.elf"
COUNT = 20
BLACK = Frame("black", np.zeros((28, 28), np.uint8))
LIMIT_US = 5e6
INTERRUPTS = 200  # instructions of the few ticks that may come in between


@pytest.fixture(name="frames", scope="module")
def frames_fixture() -> list[Frame]:
    return list(open_frames(str(FRAMES), limit=COUNT))


@pytest.fixture(name="comparison", scope="module")
def comparison_fixture(frames: list[Frame]) -> Comparison:
    return compare(setups_of(MAILBOX, "native,qemu"), frames, LIMIT_US, BUILD / "selftest.elf")


@pytest.mark.fidelity(device="core", source="second engine: QEMU")
def test_native_and_qemu_say_the_same(comparison: Comparison) -> None:
    assert comparison.difference is None
    assert [len(opinion.answers) for opinion in comparison.opinions] == [COUNT, COUNT]


def test_both_agree_with_the_reference_in_every_layer(
    comparison: Comparison, frames: list[Frame]
) -> None:
    network = load_artifact(ARTIFACT).graph
    outputs = run_graph(network, np.stack([frame.luma for frame in frames]))
    for opinion in comparison.opinions:
        for number, answer in enumerate(opinion.answers):
            decision = decide(outputs[-1][number].reshape(-1), network.score_step)
            expected = [f"{zlib.crc32(output[number].tobytes()):08x}" for output in outputs]
            assert [layer.crc32 for layer in answer.layers] == expected
            assert (answer.class_index, answer.score) == (decision.class_index, decision.score)


@pytest.mark.fidelity(device="core", source="second engine: QEMU")
def test_the_self_test_has_every_check_and_only_known_failures(comparison: Comparison) -> None:
    native, qemu = (opinion.transcript for opinion in comparison.opinions)
    assert native is not None
    assert qemu is not None
    assert [check.name for check in qemu.checks] == [check.name for check in native.checks]
    assert all(check.passed for check in native.checks)
    assert [excuse.check for excuse in comparison.excuses] == [k.check for k in KNOWN["qemu"]]
    assert comparison.gone == ()


def test_the_network_costs_the_same_on_both(comparison: Comparison) -> None:
    """Without the UART and the waits; QEMU's clock may run on a little at a stop, never back."""
    native, qemu = (
        [answer.instructions for answer in opinion.answers] for opinion in comparison.opinions
    )
    for one, two in zip(native, qemu, strict=True):
        assert one is not None
        assert two is not None
        assert 100_000 < one < 2_000_000
        assert one - INTERRUPTS < two < 2_000_000


def test_a_changed_weight_is_found_with_its_layer_and_index(tmp_path: Path) -> None:
    frames = [Frame(str(value), np.full((28, 28), value, np.uint8)) for value in (90, 200)]
    right, qemu = setups_of(MAILBOX, "native,qemu")
    wrong = replace(qemu, elf=with_changed_weights(MAILBOX, tmp_path))
    found = compare([right, wrong], frames, LIMIT_US).difference
    assert found is not None
    assert re.fullmatch(r"frame 0 \(90\), layer \d+, index \d+", found.where)
    (first, one), (second, two) = found.first, found.second
    assert (first, second) == ("native", "qemu")
    assert int(one) != int(two)


def test_a_firmware_with_a_camera_is_held_by_class_and_score(tmp_path: Path) -> None:
    """Two native boards: QEMU has no camera, and Renode is not everywhere."""
    frames = [Frame(str(value), np.full((28, 28), value, np.uint8)) for value in (90, 200)]
    right = BoardSetup(BUILD / "boardless.elf")
    same = compare([right, right], frames, LIMIT_US)
    assert same.difference is None
    assert [len(opinion.answers) for opinion in same.opinions] == [2, 2]
    assert "layers     not compared: the firmware printed none" in summary(same)
    wrong = replace(right, elf=with_changed_weights(right.elf, tmp_path))
    found = compare([right, wrong], frames, LIMIT_US).difference
    assert found is not None
    assert re.fullmatch(r"frame \d \((90|200)\), (class|score)", found.where)


def test_a_large_frame_and_its_small_one_are_the_same_to_the_firmware() -> None:
    small = np.arange(28 * 28, dtype=np.uint32).astype(np.uint8).reshape(28, 28)
    frames = [Frame("28", small), Frame("112", small.repeat(4, 0).repeat(4, 1))]
    found = compare(setups_of(MAILBOX, "native,qemu"), frames, LIMIT_US)
    assert found.difference is None
    for opinion in found.opinions:
        assert opinion.answers[0].layers == opinion.answers[1].layers


def test_a_firmware_with_a_camera_is_refused() -> None:
    with closing(QemuEngine()) as engine:
        engine.load(load_image(BUILD / "boardless.elf"))
        with pytest.raises(EngineError, match="no variable frame_mailbox"):
            engine.show(BLACK)
    with pytest.raises(EngineError, match=r"^engine qemu: .* has no variable frame_mailbox"):
        compare(setups_of(BUILD / "boardless.elf", "native,qemu"), [BLACK], LIMIT_US)


def test_a_fault_is_named_with_its_function() -> None:
    with closing(QemuEngine()) as engine:
        engine.load(load_image(BUILD / "selftest.elf"))
        assert engine.run(LIMIT_US, lambda line: "ccm" in line.text) is StopReason.RESULT
        fault = engine.fault()
        assert fault is not None
        assert (fault.kind, fault.function, fault.address) == (
            "HardFault",
            "test_memory",
            0x1000_0000,
        )


def test_a_program_that_ends_halts() -> None:
    with closing(QemuEngine()) as engine:
        engine.load(load_image(BUILD / "selftest.elf"))
        assert engine.run(LIMIT_US) is StopReason.HALT
        assert engine.uart_lines()[-1].text.startswith("t- done")


def test_a_program_that_sleeps_for_ever_halts_too() -> None:
    """Its last place has no name that the engine knows: its time stands still."""
    image = load_image(BUILD / "selftest.elf")
    symbols = {name: symbol for name, symbol in image.symbols.items() if name != "cpu_stop"}
    with closing(QemuEngine()) as engine:
        engine.load(replace(image, symbols=symbols))
        assert engine.run(LIMIT_US) is StopReason.HALT


def test_no_frame_ends_the_wait_and_the_run_at_its_limit() -> None:
    with closing(QemuEngine()) as engine:
        engine.load(load_image(MAILBOX))
        assert engine.run(2e6) is StopReason.LIMIT
        assert "e- capture timeout code=-1" in [line.text for line in engine.uart_lines()]


@pytest.mark.parametrize("name", ["native", "qemu"])
def test_two_boards_at_once_do_not_meet(name: str) -> None:
    """Each takes a turn, with the frames in another order."""
    frames = [Frame(str(value), np.full((28, 28), value, np.uint8)) for value in (10, 200)]
    setup = BoardSetup(MAILBOX, engine=name)
    with closing(setup.power_on()) as one, closing(setup.power_on()) as two:
        for frame, other in zip(frames, reversed(frames), strict=True):
            one.show(frame)
            two.show(other)
        for engine in (one, two) * len(frames):
            assert engine.run(LIMIT_US, lambda line: is_result(line.text)) is StopReason.RESULT
        first, second = (
            [parse_result(line.text) for line in engine.uart_lines() if is_result(line.text)]
            for engine in (one, two)
        )
    answers = [(result.class_index, result.score) for result in first]
    assert answers[0] != answers[1]
    assert [(result.class_index, result.score) for result in second] == answers[::-1]


def test_lines_come_in_order_of_time() -> None:
    with closing(QemuEngine()) as engine:
        engine.load(load_image(MAILBOX))
        engine.run(2e6)
        times = [line.time_us for line in engine.uart_lines()]
    assert all(earlier <= later for earlier, later in pairwise(times))


_PROGRAM = """
import signal, sys
from pathlib import Path
from boardless_sim.engines.gdb.qemu import QemuEngine
from boardless_sim.elf.image import load_image
from boardless_sim.result import is_result, parse_result
signal.signal(signal.SIGINT, signal.default_int_handler)
engine = QemuEngine()
engine.load(load_image(Path(sys.argv[1])))
print(engine.machine.child.pid, engine.machine.child.log_path, flush=True)
engine.run(60e6)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_and_no_port_was_open(how: signal.Signals) -> None:
    """After Ctrl-C in a run, and when this process is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(MAILBOX)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid, log = process.stdout.readline().split()
        emulator = Watched(int(pid))
        assert listening_ports([int(pid)]) == []
        process.send_signal(how)
    assert process.returncode == -how
    assert emulator.has_ended()
    Path(log).unlink(missing_ok=True)


def test_the_command_passes_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", str(MAILBOX), "--frames", str(FRAMES), "--limit", "2"]
    assert main([*command, "--json", str(tmp_path / "compare.json")]) == 0
    assert "equal      2 frames" in capsys.readouterr().out
    assert "equal" in (tmp_path / "compare.json").read_text()

    monkeypatch.setattr(QemuEngine, "write_memory", _write_with_a_speck)
    assert main(command) == 1
    out = capsys.readouterr().out
    assert "FAILED     frame " in out
    assert "layer 0, index " in " ".join(out.split())

    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(command) == 2
    assert "engine qemu: qemu-system-arm is not on PATH" in capsys.readouterr().err


def _write_with_a_speck(engine: QemuEngine, address: int, data: bytes) -> None:
    if len(data) > 28 * 28:
        data = data[:16] + b"\xff" + data[17:]
    engine.machine.gdb.write_memory(address, data)
