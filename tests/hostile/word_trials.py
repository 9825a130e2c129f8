"""Every command, with a word or an option's value at its worst."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import click

from boardless import cli
from boardless.commands.budget import trend
from tests.hostile.damage import NO_NUMBERS, WORDS
from tests.hostile.ending import ending
from tests.hostile.file_trials import ELF, REPO, SHORT

_BARS = ("--frames", "pattern:bars")
# A line of each that comes to an end soon, and mostly without a run.
_LINES: dict[str, tuple[str, ...]] = {
    "run": (str(ELF), *SHORT, *_BARS),
    "budget": ("nope.elf",),
    "profile": (str(ELF), *SHORT, *_BARS),
    "compare": (str(ELF), *SHORT, *_BARS, "--engines", "native,native"),
    "coverage": (str(ELF), "--for-us", "500"),
    "trace": (str(ELF), "--for-us", "500"),
    "debug": ("nope.elf",),
    "init": ("nope.elf",),
    "mcp": ("--root", "nope"),
    "report": ("--run", "nope.json"),
    "bisect": ("--good", "nope", "--", "run", "nope.elf"),
    "sweep": ("nope.toml",),
    "optics": ("nope.elf", *_BARS),
    "view": ("nope.elf",),
    "doctor": ("--board", "nope.elf"),
    "fit": ("--parameters", "1000", "--any"),
    "gateway": ("nope", "--dry-run"),
    "test": ("nope.robot",),
    "bench cycles": ("--elfs", "nope", "--baseline", "nope.json"),
    "device key": ("key",),
    "device animation": ("nope.gif", "--out", "out.c"),
    "model import": ("nope.tflite", "out.npz"),
    "model export": ("nope.npz", "out.tflite"),
    "model verify": ("nope.npz",),
    "model quantize": ("nope.npz", "out.npz"),
    "model table": (str(REPO / "tests"),),
    "budget trend": ("--config", "nope.toml"),
}
_RUNNING = ("run", "profile", "compare", "coverage", "trace", "fit")  # for tens of milliseconds
_NUMBERS = (click.FloatRange, click.IntRange, type(click.INT), type(click.FLOAT))


@dataclass(frozen=True)
class Words:
    """A command, and how it is asked for when nothing is wrong."""

    name: str
    every: int = 1

    def trial(self, draw: random.Random, folder: Path) -> tuple[bytes, str]:
        """One try: what was given, and what is wrong with how it ended."""
        line, worst = list(_LINES[self.name]), draw.choice(WORDS)
        option = draw.choice([None, *_valued(self.name)])
        if option is None:
            line[draw.randrange(len(line))] = worst
        else:
            line += [option.opts[0], worst]
        words = [*self.name.split(), *line]
        found = ending(words, folder)
        said = "\0".join(words).encode("utf-8", "surrogateescape")
        is_number = option is not None and isinstance(option.type, _NUMBERS)
        if is_number and worst in NO_NUMBERS and found.code != 2:
            return said, f"{worst[:9]} is a number, exit code {found.code}"
        return said, found.complaint


def word_trials() -> list[Words]:
    """Every command; those that need PyTorch end at once where it is not there."""
    return [Words(name, 12 if name in _RUNNING else 1) for name in _LINES]


def _valued(name: str) -> list[click.Option]:
    """The options of a command that take a value."""
    options = [one for one in _command(name).params if isinstance(one, click.Option)]
    # More processes are no worse word; and a port that is taken is a server.
    return [one for one in options if not one.is_flag and one.name not in ("jobs", "port")]


def _command(name: str) -> click.Command:
    if name == "budget trend":
        return trend.command  # no group of commands: `budget` alone is the gate
    command: click.Command | None = cli.cli
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    return command
