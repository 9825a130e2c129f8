from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from boardless.cli import main
from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import FirmwareImage, Symbol
from boardless_sim.engines.engine import Capability, Capture, StopReason, UartLine
from boardless_sim.engines.renode import engine as renode_engine
from boardless_sim.engines.renode.engine import RenodeEngine
from boardless_sim.engines.renode.install import find_renode
from boardless_sim.engines.renode.monitor import RenodeMonitor
from boardless_sim.errors import EngineError, EngineMissing
from boardless_sim.faults.sensor import DeadSensor, SccbNack, TruncatedFrame
from tests.processes import Watched
from tests.unit.elf.elf_bytes import build_elf
from tests.unit.engines import fake_renode

FRAME = Frame("grey", np.full((28, 28), 7, dtype=np.uint8), label=3)


@pytest.fixture
def image(tmp_path: Path) -> FirmwareImage:
    elf = tmp_path / "app.elf"
    elf.write_bytes(b"\x7fELF")
    main = Symbol("main", 0x0800_0200, 64, "function", True)
    return FirmwareImage(elf, (), {}, 0x0800_0000, 0x2002_0000, 0x0800_0200, "", (main,))


@pytest.fixture(autouse=True)
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def engine(limit_s: float = 20.0) -> RenodeEngine:
    return RenodeEngine(start_limit_s=limit_s, answer_limit_s=limit_s)


def hurried(build: Callable[..., None]) -> Callable[..., None]:
    """Once the greeting is there, however long that took, the start has one second left."""

    def build_board(self: RenodeEngine, monitor: RenodeMonitor, image: FirmwareImage) -> None:
        self._start_limit_s = 1.0
        build(self, monitor, image)

    return build_board


def use(monkeypatch: pytest.MonkeyPatch, program: Path) -> None:
    monkeypatch.setenv("RENODE_PATH", str(program))


def test_lines_stop_a_run_one_by_one(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path))
    with closing(engine()) as renode:
        renode.load(image)
        assert renode.show(FRAME) == 0
        assert renode.run(5000, lambda line: line.text == "m- hi") is StopReason.RESULT
        assert renode.uart_lines() == [UartLine("USART2", "m- hi", 1.5)]
        assert renode.captured()[0] is FRAME
        assert renode.captures() == [Capture(1, 0.9), Capture(2, 1.2)]
        assert renode.run(5000, lambda line: line.text == "r-") is StopReason.RESULT
        assert renode.uart_lines()[-1] == UartLine("USART2", "r-", 2.5)


def test_a_run_without_its_line_ends_at_the_limit(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path))
    with closing(engine()) as renode:
        renode.load(image)
        assert renode.run(5000) is StopReason.LIMIT
        assert renode.time_us() == 5000
        assert renode.fault() is None


def test_state_is_asked_for(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path))
    with closing(engine()) as renode:
        renode.load(image)
        assert renode.version == "1.16.1"
        assert renode.read_memory(0x2000_0000, 2) == b"\x00\xff"
        assert renode.read_register("PC") == 3
        renode.uart_send("USART2", b"hi")
        renode.set_camera_faults([DeadSensor(), SccbNack(2), TruncatedFrame(60)])
        with pytest.raises(EngineError, match=r"^register 'x9', expected r0-r15, sp, lr, pc"):
            renode.read_register("x9")


def test_what_renode_lacks_is_said(image: FirmwareImage) -> None:
    assert Capability.STACK_MARK not in RenodeEngine.capabilities
    with pytest.raises(EngineError, match=r"^engine renode: no stack high-water mark, expected"):
        RenodeEngine().stack_mark()
    with pytest.raises(EngineError, match=r"^engine renode: no image loaded"):
        RenodeEngine().run(1)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("dies", "died with exit code 1, expected a greeting; it said 'Fatal error: no runtime'"),
        ("silent", "no greeting within 1 s; it said 'nothing'"),
        ("garbage", "died with exit code 0, expected a greeting"),
        ("floods", "greeting"),
        ("hangs at Begin", "no answer to Begin within 1 s"),
        ("dies at Begin", "died with exit code 3, expected an answer to Begin"),
    ],
)
def test_a_renode_that_does_not_start_is_one_line_with_its_log(
    how: str,
    message: str,
    tmp_path: Path,
    image: FirmwareImage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = tmp_path / "child"
    use(monkeypatch, fake_renode.write(tmp_path, how, child=child))
    if how == "hangs at Begin":
        monkeypatch.setattr(RenodeEngine, "_build_board", hurried(RenodeEngine._build_board))
    with pytest.raises(EngineError) as raised:
        engine(limit_s=1.0 if how in ("silent", "floods") else 20.0).load(image)
    text = str(raised.value)
    assert text.startswith("engine renode: ")
    assert message in text
    assert "\n" not in text
    assert Path(text.rpartition("log: ")[2]).is_file()
    assert Watched(int(child.read_text())).has_ended()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("dies", "died with exit code 1"),
        ("silent", "no greeting within 1 s"),
        ("garbage", "died with exit code 0"),
        ("1.15.3", "found version 1.15.3, expected 1.16 or later"),
        ("hangs at Run", "no answer to Run within 1 s"),
        ("dies at Run", "died with exit code 3"),
        ("stands still", "virtual time stands still at 0 us"),
        ("babbles", "answer to Run not understood"),
    ],
)
def test_the_command_ends_with_2_and_the_log_stays(
    how: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    version = how if how[0].isdecimal() else "1.16.1"
    use(monkeypatch, fake_renode.write(tmp_path, how, version))
    start_limit_s = 1.0 if how == "silent" else 20.0
    answer_limit_s = 1.0 if how == "hangs at Run" else 20.0
    short = RenodeEngine(start_limit_s=start_limit_s, answer_limit_s=answer_limit_s)
    monkeypatch.setattr(renode_engine, "RenodeEngine", lambda: short)
    monkeypatch.setattr(renode_engine, "_LIMIT_S_PER_VIRTUAL_SECOND", 0.0)
    elf = tmp_path / "app.elf"
    elf.write_bytes(build_elf())
    assert main(["run", str(elf), "--engine", "renode", "--frames", "pattern:bars"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("boardless: engine renode: ")
    assert message in said
    assert Path(said.rpartition("log: ")[2].strip()).is_file()


def test_the_command_ends_with_2_where_renode_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("RENODE_PATH", raising=False)
    elf = tmp_path / "app.elf"
    elf.write_bytes(build_elf())
    assert main(["run", str(elf), "--engine", "renode", "--frames", "pattern:bars"]) == 2
    assert capsys.readouterr().err.startswith("boardless: engine renode: not installed")


_RUNS = """
import signal, sys
from pathlib import Path
from boardless_sim.engines.renode.engine import RenodeEngine
from boardless_sim.elf.image import load_image
signal.signal(signal.SIGINT, signal.default_int_handler)
engine = RenodeEngine()
engine.load(load_image(Path(sys.argv[1])))
print("runs", flush=True)
engine.run(1e6)
"""


def test_nothing_runs_on_after_ctrl_c_in_a_run_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child"
    use(monkeypatch, fake_renode.write(tmp_path, "hangs at Run", child=child))
    elf = tmp_path / "app.elf"
    elf.write_bytes(build_elf())
    command = [sys.executable, "-c", _RUNS, str(elf)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "runs\n"
        started = Watched(int(child.read_text()))
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.stderr.read()
    assert started.has_ended()


def test_an_old_renode_is_named(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path, version="1.9.3"))
    with pytest.raises(EngineError, match=r"found version 1\.9\.3, expected 1\.16 or later; log: "):
        engine().load(image)


def test_a_run_that_hangs_ends_in_host_time(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path, "hangs at Run"))
    renode = RenodeEngine(start_limit_s=20, answer_limit_s=0.2)
    renode.load(image)  # within the start's limit; only the run is short of time
    with pytest.raises(EngineError, match=r"^engine renode: no answer to Run within 0\.\d+ s"):
        renode.run(100, lambda line: True)
    renode.close()


def test_a_core_that_gave_up_is_not_waited_for(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path, "aborts"))
    with closing(engine(limit_s=30)) as renode:
        renode.load(image)
        assert renode.run(100) is StopReason.FAULT
        fault = renode.fault()
        assert fault is not None
        assert (fault.kind, fault.pc) == ("CPU abort", 0x4000_0000)
        assert renode.run(100) is StopReason.FAULT
        with pytest.raises(EngineError, match=r"^engine renode: it stopped for good, expected"):
            renode.read_register("pc")


def test_a_board_whose_time_stands_still_is_an_error(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path, "stands still"))
    renode = engine()
    renode.load(image)
    with pytest.raises(EngineError, match=r"^engine renode: virtual time stands still at 0 us; "):
        renode.run(100)
    renode.close()


def test_an_answer_that_makes_no_sense_is_no_result(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path, "babbles"))
    renode = engine()
    renode.load(image)
    with pytest.raises(EngineError, match=r"^engine renode: answer to Run not understood; it said"):
        renode.run(100)
    renode.close()


def test_a_refusal_says_why_and_the_board_goes_on(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path, "refuses Read"))
    with closing(engine()) as renode:
        renode.load(image)
        with pytest.raises(EngineError, match=r"^engine renode: no memory at 0x30000000"):
            renode.read_memory(0x3000_0000, 4)
        assert renode.run(100) is StopReason.LIMIT


def test_nothing_is_left_behind(
    tmp_path: Path,
    image: FirmwareImage,
    monkeypatch: pytest.MonkeyPatch,
    temporary_files: Path,
) -> None:
    child = tmp_path / "child"
    use(monkeypatch, fake_renode.write(tmp_path, "answers", child=child))
    renode = engine()
    renode.load(image)
    started = Watched(int(child.read_text()))
    renode.close()
    renode.close()
    assert started.has_ended()
    assert not list(temporary_files.iterdir())


def test_two_at_once_do_not_disturb_each_other(
    tmp_path: Path, image: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, fake_renode.write(tmp_path))
    with closing(engine()) as first, closing(engine()) as second:
        first.load(image)
        second.load(image)
        assert first.run(1000) is second.run(1000) is StopReason.LIMIT
        first.close()
        assert second.run(1000) is StopReason.LIMIT


def test_renode_is_looked_for_in_three_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_renode.write(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RENODE_PATH", str(tmp_path))
    assert find_renode() == program
    monkeypatch.delenv("RENODE_PATH")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_renode() == program
    monkeypatch.setenv("PATH", "")
    renode_run = {"version": "2.0", "default": {"mono": "/nowhere", "dotnet": str(tmp_path)}}
    settings(tmp_path).write_text(json.dumps(renode_run))
    assert find_renode() == program


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"default": 7}',
        '{"default": {"dotnet": 7}}',
        '{"default": {}}',
        "\xff",
    ],
)
def test_settings_of_renode_run_that_make_no_sense_are_no_renode(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RENODE_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    settings(tmp_path).write_text(text, "latin-1")
    with pytest.raises(EngineMissing, match=r"^engine renode: not installed"):
        find_renode()


def settings(home: Path) -> Path:
    path = home / ".config/renode/renode-run.json"
    path.parent.mkdir(parents=True)
    return path


def test_a_missing_renode_is_named_with_the_way_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("RENODE_PATH", raising=False)
    with pytest.raises(
        EngineMissing, match=r"^engine renode: not installed .*, install it: pip install git\+https"
    ):
        find_renode()
    monkeypatch.setenv("RENODE_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(EngineMissing, match=r"RENODE_PATH '.*nowhere', expected an executable$"):
        find_renode()
