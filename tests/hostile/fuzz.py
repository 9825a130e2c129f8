"""Damaged files, words and arguments, by seed: `python -m tests.hostile.fuzz --budget 60`.

Every command and every keyword runs in this process. What is asked of each: no exception that
nobody expected, no hang, a right exit code, a message of few lines where the run could not be made,
and no output then.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import click

from tests.hostile.file_trials import REPO, cases
from tests.hostile.keyword_trials import keyword_trials
from tests.hostile.word_trials import word_trials

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Trial(Protocol):
    """What can be tried again and again, once in so many rounds."""

    @property
    def every(self) -> int:
        """So many rounds."""

    def trial(self, draw: random.Random, folder: Path) -> tuple[bytes, str]:
        """One try: what was given, and what is wrong with how it ended."""


def fuzz(budget_s: float, seed: int, keep: Path, most: int = sys.maxsize) -> tuple[int, int]:
    """Damage and run until the time is spent; how many inputs, how many complaints."""
    draw, count, wrong = random.Random(seed), 0, 0
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="boardless-fuzz-") as name:
        folder = Path(name)
        run, aside = folder / "run", folder / "aside"
        run.mkdir()
        aside.mkdir()
        trials: list[Trial] = [*cases(folder), *word_trials(), *keyword_trials()]
        os.chdir(aside)  # a word that is taken for an output's name leaves it here
        try:
            until_s = time.monotonic() + budget_s
            for trial in _in_rounds(trials, seed):
                if time.monotonic() >= until_s or count >= most:
                    break
                given, complaint = trial.trial(draw, run)
                count += 1
                if complaint:
                    wrong += 1
                    _note(keep / f"seed{seed}-{count}", trial, given, complaint)
        finally:
            os.chdir(before)
    return count, wrong


def _in_rounds(trials: list[Trial], seed: int) -> Iterator[Trial]:
    """Round after round; the seed says where a dear one has its turn."""
    number = seed
    while True:
        number += 1
        for place, trial in enumerate(trials):
            if (number + place) % trial.every == 0:
                yield trial


def _note(kept: Path, trial: Trial, given: bytes, complaint: str) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(given)
    click.echo(json.dumps({"trial": str(trial), "found": complaint, "input": str(kept)}))


def seconds(text: str) -> float:
    """A budget: 60, 90s, 2m, 2h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a time such as 60, 2m or 2h")
    return float(match[1]) * _UNITS[match[2]]


def main() -> int:
    """Exit code 0 where nothing was found and something was tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=seconds, default=60.0, help="as 60, 2m or 2h")
    parser.add_argument("--inputs", type=int, default=sys.maxsize, help="at most so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=REPO / "build" / "hostile")
    given = parser.parse_args()
    count, wrong = fuzz(given.budget, given.seed, given.keep.resolve(), given.inputs)
    click.echo(f"{count} inputs, {wrong} complaints, seed {given.seed}")
    return int(wrong > 0 or count == 0)


if __name__ == "__main__":
    sys.exit(main())
