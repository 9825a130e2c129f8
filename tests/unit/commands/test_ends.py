"""How a command ends, as the process that started it sees it."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from boardless_sim.errors import EngineError

BOARDLESS = [sys.executable, "-m", "boardless"]
# A command that says that it runs, then waits to be ended.
WAITING = """
import signal, sys
import boardless.cli as cli
import click
@click.command("wait")
def wait():
    print("runs", flush=True)
    signal.pause()
cli.cli.add_command(wait)
cli.Commands.get_command = lambda self, context, name: wait
sys.exit(cli.main(["wait"]))
"""
END_S = 60


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED, "boardless: interrupted\n"),
        (signal.SIGTERM, ExitCode.TERMINATED, "boardless: terminated\n"),
    ],
)
def test_a_signal_is_one_line_and_its_code(number: signal.Signals, code: int, said: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "runs\n"
        process.send_signal(number)
        assert process.wait(END_S) == code
        assert process.stderr.read() == said


def test_a_signal_that_c_code_swallows_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ctypes prints what a callback raises and goes on: the run had ended with exit code 2."""

    called_back = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGTERM))

    @click.command("calls")
    def calls() -> None:
        called_back()
        raise EngineError("the CPU stopped for a reason it does not know")

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: calls)
    assert cli.main(["calls"]) == ExitCode.TERMINATED
    assert capsys.readouterr().err == "boardless: terminated\n"


def test_a_swallowed_signal_comes_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called_back = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))

    @click.command("waits")
    def waits() -> None:
        called_back()
        signal.sigtimedwait([], END_S)
        raise AssertionError("nothing came")

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: waits)
    assert cli.main(["waits"]) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "boardless: interrupted\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_the_imports_is_one_line(number: signal.Signals, code: int) -> None:
    script = (
        "import signal, sys\nfrom boardless.__main__ import main\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == 'boardless.cli': signal.raise_signal({int(number)})\n"
        "sys.meta_path.insert(0, Finder())\nsys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=END_S
    )
    assert done.returncode == code
    assert done.stderr in ("boardless: interrupted\n", "boardless: terminated\n")


def test_an_exception_that_nobody_expected_is_no_failed_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    @click.command("odd")
    def odd() -> None:
        raise IndexError("pop from\nempty list")

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: odd)
    assert cli.main(["odd"]) == ExitCode.NOT_RUN
    said = capsys.readouterr().err
    assert said.startswith("boardless: IndexError: pop from empty list: not expected, ")
    assert said.count("\n") == 1
    (kept,) = tmp_path.iterdir()
    assert str(kept) in said
    assert "IndexError: pop from" in kept.read_text()


@pytest.mark.parametrize("redirection", ["| true", ">/dev/full", ">&-"])
def test_output_that_nobody_takes_is_no_error(redirection: str) -> None:
    """A verdict is not changed by who reads it: `boardless … | head` ends as without it."""
    script = f'"$0" -m boardless --help {redirection}; echo "${{PIPESTATUS[0]}}" >&2'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable], capture_output=True, text=True, timeout=END_S
    )
    assert done.stderr == "0\n"


@pytest.mark.parametrize(
    "terminal",
    [{"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "40"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}],
)
def test_every_terminal_gets_its_table(terminal: dict[str, str]) -> None:
    done = subprocess.run(
        [*BOARDLESS, "doctor"],
        capture_output=True,
        timeout=END_S,
        env={**os.environ, **terminal},
    )
    assert done.returncode in (ExitCode.PASSED, ExitCode.FAILED)
    assert b"unicorn" in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_what_cannot_be_compared_is_no_number(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "x.elf", "--frames", "pattern:bars", "--min-accuracy", number]
    assert cli.main(arguments) == ExitCode.NOT_RUN
    assert "--min-accuracy" in capsys.readouterr().err


def test_a_number_of_5000_digits_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "x.elf", "--frames", "pattern:bars", "--limit", "9" * 5000]
    assert cli.main(arguments) == ExitCode.NOT_RUN
    said = capsys.readouterr().err.splitlines()
    assert len(said[-1]) < 2_200


@pytest.mark.parametrize("words", [["test"], ["compare"], ["gateway", "--dry-run"], ["coverage"]])
def test_a_name_that_the_system_refuses_is_no_fault_of_ours(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--frames", "pattern:bars"] if words[0] in ("compare", "coverage") else []
    assert cli.main([*words, "a/" * 3000, *options]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"boardless: (a/)+.*: (File name too long|not found), expected .*\n", said)
    assert len(said) < 2100
