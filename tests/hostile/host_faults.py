"""Faults of the host at seeded moments: `python -m tests.hostile.host_faults --moments 200`.

Each command is ended by SIGINT, SIGTERM or SIGKILL at some share of the time that it takes when
nobody disturbs it. What is asked: its own exit code or the signal's, one line, no process left, and
an output that is the one from before or a whole new one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tests.hostile.file_trials import ARTIFACTS, ELF, REPO
from tests.processes import group_of

BOARDLESS = [sys.executable, "-m", "boardless"]
LONGEST_S = 120
_BEFORE = '{"before": true}\n'
_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
_BARS = ("--frames", "pattern:noise:7", "--limit", "5")
_CONFIG = str(REPO / "boardless.toml")
# Every command that takes its time and writes something; OUT was there before.
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", str(ELF), *_BARS, "--json", "OUT"),
    "run --jobs": ("run", str(ELF), *_BARS, "--jobs", "2", "--json", "OUT"),
    "test": ("test", str(REPO / "robot/suites/camera.robot"), "--elf", str(ELF), "--out", "FOLDER"),
    "test --jobs": ("test", str(REPO / "robot/suites"), "--elf", str(ELF), "--out", "FOLDER",
                    "--include", "smoke", "--jobs", "2"),
    "budget": ("budget", str(ELF), "--config", _CONFIG, "--json", "OUT"),
    "profile": ("profile", str(ELF), *_BARS, "--json", "OUT"),
    "coverage": ("coverage", str(ELF), "--for-us", "100000", "--lcov", "OUT"),
    "trace": ("trace", str(ELF), "--for-us", "50000", "--json-lines", "OUT"),
    "compare": ("compare", str(ELF.with_name("boardless-mailbox.elf")), "--frames", "pattern:bars",
                "--json", "OUT"),
    "model export": ("model", "export", str(ARTIFACTS / "fashion_mnist_8k.npz"), "OUT.tflite"),
    "model table": ("model", "table", str(ARTIFACTS), "--json", "OUT"),
    "fit": ("fit", "--parameters", "1000000", "--any", "--json", "OUT"),
    "debug": ("debug", str(ELF)),
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """How a command ended that was or was not disturbed."""

    code: int
    err: str
    seconds: float
    left: tuple[int, ...]


def words(name: str, folder: Path) -> list[str]:
    """The command line, with its output in the folder."""
    named = {"OUT": folder / "out.json", "OUT.tflite": folder / "out.tflite"}
    named["FOLDER"] = folder / "robot"
    return [str(named.get(word, word)) for word in COMMANDS[name]]


def disturbed(name: str, folder: Path, number: signal.Signals | None, after_s: float) -> Done:
    """Run it in a group of its own, and send the signal to the command when the moment comes."""
    started = time.monotonic()
    with subprocess.Popen(
        [*BOARDLESS, *words(name, folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=folder,
    ) as process:
        try:
            err = process.communicate(timeout=after_s)[1]
        except subprocess.TimeoutExpired:
            process.send_signal(number or signal.SIGKILL)
            err = process.communicate(timeout=LONGEST_S)[1]
        seconds = time.monotonic() - started
        return Done(process.returncode, err, seconds, _left(process.pid))


def _left(leader: int) -> tuple[int, ...]:
    """Processes of its group that are there a while after it."""
    until_s = time.monotonic() + 30
    while group_of(leader) and time.monotonic() < until_s:
        os.sched_yield()
    return tuple(group_of(leader))


def complaint(done: Done, number: signal.Signals, folder: Path) -> str:
    """What is wrong with how it ended; empty where nothing is."""
    if done.code == -number and "boardless" not in done.err:
        return ""  # Python itself was not up yet
    if done.code not in (0, 1, _CODES[number]):
        return f"exit code {done.code}: {done.err[-300:]}"
    if done.left:
        return f"processes {done.left} are left"
    if number is not signal.SIGKILL and done.code == _CODES[number]:
        lines = [line for line in done.err.splitlines() if "listening on" not in line]
        if lines not in (["boardless: interrupted"], ["boardless: terminated"]):
            return f"said {done.err[-300:]!r}"
    if number is not signal.SIGKILL and any(folder.glob(".boardless-*")):
        return "a temporary file is left"
    return _half(folder)


def _half(folder: Path) -> str:
    for path in folder.glob("out.*"):
        content = path.read_bytes()
        if path.suffix == ".tflite" or content == _BEFORE.encode():
            continue
        if not content:
            return f"{path.name} is empty"
        if content.startswith(b"{"):
            try:
                for line in content.decode().splitlines() if b'}\n{"' in content else [content]:
                    json.loads(line)
            except ValueError:
                return f"{path.name} is half of a document"
    return ""


def faults(moments: int, seed: int, names: list[str]) -> Iterator[tuple[str, int, str]]:
    """Each command's name, how many moments were tried, and what was wrong."""
    for name in names:
        draw = random.Random(f"{seed} {name}")
        with tempfile.TemporaryDirectory(prefix="boardless-fault-") as place:
            whole = _undisturbed(name, Path(place))
            for count in range(1, moments + 1):
                number = draw.choice(list(_CODES))
                after_s = whole * draw.random()
                folder = Path(tempfile.mkdtemp(dir=place))
                (folder / "out.json").write_text(_BEFORE)
                done = disturbed(name, folder, number, after_s)
                found = complaint(done, number, folder)
                if found:
                    yield name, count, f"{number.name} after {after_s:.3f} s: {found}"
            yield name, moments, ""


def _undisturbed(name: str, place: Path) -> float:
    """How long it takes; a server is ended after a second."""
    if name == "debug":
        return 1.0
    folder = Path(tempfile.mkdtemp(dir=place))
    done = disturbed(name, folder, None, LONGEST_S)
    if done.code not in (0, 1):
        raise AssertionError(f"{name}: exit code {done.code} undisturbed: {done.err}")
    return done.seconds


def main() -> int:
    """Exit code 0 where every command ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", default=list(COMMANDS), metavar="COMMAND")
    given = parser.parse_args()
    wrong = 0
    for name, count, found in faults(given.moments, given.seed, given.names):
        wrong += bool(found)
        click.echo(f"{name}: {found or f'{count} moments'}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
