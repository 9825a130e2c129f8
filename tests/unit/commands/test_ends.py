"""How a command ends, as the process that started it sees it."""

from __future__ import annotations

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
from boardless.commands.options import Finite

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


def commands(group: click.Group, path: str = "") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append((f"{path} {name}".strip(), command))
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}".strip())
    return found


@pytest.mark.parametrize(("name", "command"), commands(cli.cli))
def test_no_command_takes_a_number_that_cannot_be_compared(
    name: str, command: click.Command
) -> None:
    for parameter in command.params:
        kind = parameter.type
        is_float = isinstance(kind, click.FloatRange) or kind is click.FLOAT
        assert not is_float or isinstance(kind, Finite), f"{name} {parameter.name}: use Finite"


@pytest.mark.parametrize("words", [["test"], ["compare"], ["gateway", "--dry-run"], ["coverage"]])
def test_a_name_that_the_system_refuses_is_no_fault_of_ours(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--frames", "pattern:bars"] if words[0] in ("compare", "coverage") else []
    assert cli.main([*words, "a/" * 3000, *options]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"boardless: (a/)+.*: (File name too long|not found), expected .*\n", said)
    assert len(said) < 2100
