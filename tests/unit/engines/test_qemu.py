"""Every way in which a QEMU can be wrong, by a script in its place."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from boardless.cli import main
from boardless_sim.elf.image import FirmwareImage, Symbol
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.gdb import qemu_machine
from boardless_sim.engines.gdb.qemu import QemuEngine
from boardless_sim.engines.gdb.remote import GdbRemote
from boardless_sim.errors import EngineError, EngineMissing
from tests.unit.elf.elf_bytes import build_elf

VERSION = "QEMU emulator version 7.2.22 (Debian 1:7.2)"
_FAKE = """#!{python}
import sys
if "--version" in sys.argv:
    print({version!r})
    sys.exit(0)
import os, re, signal, socket
gdb = next(a for a in sys.argv if a.startswith("socket,id=gdb"))
link = socket.socket(fileno=int(re.search(r"fd=(\\d+)", gdb)[1]))
{body}
"""
DIES = 'sys.exit("no such machine: netduinoplus2")'
HANGS = "signal.pause()"
GARBAGE = 'link.sendall(b"hello, this is no gdb port"); signal.pause()'

# QEMU's end of the gdb port ("stub" in gdb's words), which knows just enough to be loaded; what it
# does when told to run is put in.
_STUB = """
def answer(command):
    if command[:1] == "m":
        return "00" * int(command.split(",")[1], 16)
    return {{"?": "T05", "p": "00000000", "q": "l"}}.get(command[:1], "OK")
received = b""
def said_c():
    {on_run}
while True:
    received += link.recv(65536)
    while b"#" in received:
        command, received = received.split(b"#", 1)
        command, received = command.split(b"$")[-1].decode(), received[2:]
        if command == "c":
            said_c()
        else:
            reply = answer(command).encode()
            link.sendall(b"+$" + reply + b"#" + b"%02x" % (sum(reply) & 255))
"""


def gdb_stub(on_run: str) -> str:
    return _STUB.format(on_run=on_run)


def image() -> FirmwareImage:
    main = Symbol("main", 0x0800_0100, 4, "function", True)
    return FirmwareImage(
        Path("app.elf"), (), {"main": main}, 0x0800_0000, 0x2000_1000, 0x0800_0100, "", (main,)
    )


@pytest.fixture(autouse=True)
def _places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture(name="short_waits")
def short_waits_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu_machine, "_TIMEOUT_S", 3.0)


@pytest.fixture(name="short_stop")
def short_stop_fixture(short_waits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers has all its time, however busy the machine; what never stops has little."""
    monkeypatch.setattr(qemu_machine, "GdbRemote", lambda link, _: GdbRemote(link, 60.0))


def install(folder: Path, body: str = HANGS, version: str = VERSION) -> None:
    program = folder / "qemu-system-arm"
    program.write_text(_FAKE.format(python=sys.executable, version=version, body=body))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    qemu_machine.qemu_version.cache_clear()


def failure() -> str:
    with closing(QemuEngine()) as engine, pytest.raises(EngineError) as caught:
        engine.load(image())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def kept_log(folder: Path, message: str) -> str:
    (log,) = folder.glob("boardless-qemu-*.log")
    assert message.endswith(f"; log: {log}")
    return log.read_text()


def test_a_qemu_that_is_not_installed_is_missing() -> None:
    with pytest.raises(EngineMissing, match=r"engine qemu: qemu-system-arm is not on PATH"):
        QemuEngine()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("QEMU emulator version 6.2.0", "is version 6.2, expected 7.2 or newer"),
        ("7.2", "--version says '7.2', expected 'QEMU emulator version …'"),
    ],
)
def test_a_wrong_version_is_named(tmp_path: Path, version: str, message: str) -> None:
    install(tmp_path, version=version)
    with pytest.raises(EngineError) as caught:
        QemuEngine()
    assert str(caught.value).startswith("engine qemu: ")
    assert message in str(caught.value)


def test_a_qemu_that_dies_leaves_its_last_words(tmp_path: Path) -> None:
    install(tmp_path, DIES)
    message = failure()
    assert message.startswith(
        "engine qemu: QEMU ended with exit code 1 (no such machine: netduinoplus2)"
    )
    assert "no such machine" in kept_log(tmp_path, message)


@pytest.mark.usefixtures("short_waits")
def test_a_qemu_that_hangs_is_ended(tmp_path: Path) -> None:
    install(tmp_path, f'open("{tmp_path}/pid", "w").write(str(os.getpid())); {HANGS}')
    message = failure()
    assert "no answer on the gdb port to '?' within 3 s" in message
    kept_log(tmp_path, message)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_qemu_that_talks_nonsense_is_quoted(tmp_path: Path) -> None:
    install(tmp_path, GARBAGE)
    message = failure()
    assert "gdb port says b'hello, this is no gdb port', expected a packet" in message
    kept_log(tmp_path, message)


def failure_while_running() -> str:
    with closing(QemuEngine()) as engine:
        engine.load(image())
        with pytest.raises(EngineError) as caught:
            engine.run(1e6)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_qemu_that_dies_while_it_runs_leaves_its_last_words(tmp_path: Path) -> None:
    install(tmp_path, gdb_stub('sys.exit("Lockup: cannot escalate")'))
    message = failure_while_running()
    assert "engine qemu: QEMU ended with exit code 1 (Lockup: cannot escalate)" in message
    kept_log(tmp_path, message)


@pytest.mark.usefixtures("short_stop")
def test_a_qemu_that_never_stops_again_is_ended(tmp_path: Path) -> None:
    install(tmp_path, gdb_stub(HANGS))
    message = failure_while_running()
    assert "does not stop within 3 s of being told to" in message
    kept_log(tmp_path, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (DIES, "QEMU ended with exit code 1 (no such machine: netduinoplus2)"),
        (GARBAGE, "gdb port says b'hello, this is no gdb port', expected a packet"),
        (gdb_stub('sys.exit("Lockup: cannot escalate")'), "QEMU ended with exit code 1"),
    ],
)
def test_the_command_ends_with_2_and_the_log_stays(
    body: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, body)
    said = end_with_2(tmp_path, capsys)
    assert message in said
    kept_log(tmp_path, said)


@pytest.mark.parametrize(
    ("waits", "body", "message"),
    [
        ("short_waits", HANGS, "no answer on the gdb port to '?' within 3 s"),
        ("short_stop", gdb_stub(HANGS), "does not stop within 3 s of being told to"),
    ],
)
def test_the_command_ends_with_2_for_a_qemu_that_hangs(
    waits: str,
    body: str,
    message: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    request.getfixturevalue(waits)
    install(tmp_path, body)
    said = end_with_2(tmp_path, capsys)
    assert message in said
    kept_log(tmp_path, said)


def test_the_command_ends_with_2_for_another_qemu_or_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "qemu-system-arm is not on PATH" in end_with_2(tmp_path, capsys)
    install(tmp_path, version="QEMU emulator version 6.2.0")
    assert "is version 6.2, expected 7.2 or newer" in end_with_2(tmp_path, capsys)


def end_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    elf = folder / "app.elf"
    elf.write_bytes(build_elf(variable_at=0x2000_0000, variable="frame_mailbox"))
    assert main(["run", str(elf), "--engine", "qemu", "--frames", "pattern:bars"]) == 2
    said = capsys.readouterr().err.rstrip()
    assert said.startswith("boardless: engine qemu: ")
    return said


def test_bytes_that_are_no_text_become_a_line(tmp_path: Path) -> None:
    usart2 = 'next(a for a in sys.argv if a.startswith("socket,id=USART2"))'
    send = f'socket.socket(fileno=int({usart2}.split("fd=")[1])).sendall(bytes([255, 0, 10]))'
    install(tmp_path, gdb_stub(f'{send}; link.sendall(b"$T05#b9")'))
    with closing(QemuEngine()) as engine:
        engine.load(image())
        assert engine.run(1e6, lambda line: True) is StopReason.RESULT
        assert [(line.port, line.text) for line in engine.uart_lines()] == [("USART2", "\\xff\0")]


def test_a_good_end_leaves_no_log(tmp_path: Path) -> None:
    install(tmp_path, gdb_stub("pass"))
    with closing(QemuEngine()) as engine:
        engine.load(image())
        assert list(tmp_path.glob("boardless-qemu-*.log"))
    assert not list(tmp_path.glob("boardless-qemu-*.log"))


def test_without_an_image_there_is_no_machine(tmp_path: Path) -> None:
    install(tmp_path)
    with pytest.raises(EngineError, match="no image loaded"):
        QemuEngine().run(1.0)
