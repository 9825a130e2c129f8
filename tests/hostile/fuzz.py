"""Real files, damaged by seed, through every command: `python -m tests.hostile.fuzz --budget 60`.

Every command runs in this process. What is asked of each: no exception that nobody expected, no
hang, a right exit code, a message of one line where the run could not be made, and no output then.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import io
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
import numpy as np
from PIL import Image

from boardless import cli

REPO = Path(__file__).parents[2]
ELF = REPO / "build" / "firmware" / "boardless.elf"
ARTIFACT = REPO / "models" / "artifacts"
MOST_SECONDS, MOST_KIB = 10, 1 << 20
SHORT = ["--limit", "1", "--limit-us", "3000", "--host-seconds", "5"]
# What a number, a name or a nesting may be at worst.
WORST = [
    b"9" * 5000,
    b"nan",
    b"inf",
    b"1e999",
    b"-1",
    b"[" * 5000,
    b"\0",
    b"\xff\xfe",
    b"%s",
    b"\x1b[",
]
WORST += [b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b'"' * 3, b"\n" * 50]


@dataclass(frozen=True)
class Case:
    """A command whose FILE is damaged; OUT must not be there where the run could not be made."""

    words: tuple[str, ...]
    file: Path


class Hung(BaseException):
    """A command that did not end; nothing in it may catch this."""


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content with up to four wounds: bits, cuts, repeats, and what numbers are at worst."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(min(len(data), draw.choice((64, 512, 1 << 30))) or 1)
        wound = draw.randrange(5)
        if wound == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << draw.randrange(8)
        elif wound == 1:
            del data[at:]
        elif wound == 2:
            del data[at : at + draw.randint(1, 64)]
        elif wound == 3:
            data[at:at] = data[at : at + draw.randint(1, 512)]
        else:
            worst = draw.choice(WORST)
            data[at : at + draw.choice((0, len(worst)))] = worst
    return bytes(data)


def cases(folder: Path) -> list[Case]:
    """Every reader by the command that a user reaches it with."""
    sound = _sound_files(folder)
    config = str(REPO / "boardless.toml")
    frames = ("run", str(ELF), *SHORT, "--json", "OUT", "--frames")
    budget = ("budget", str(ELF), "--json", "OUT", "--config")
    found = [Case((*frames, "FILE"), sound[kind]) for kind in ("png", "pgm", "npy", "idx", "gz")]
    found += [
        Case((*frames, str(sound["idx"]), "--labels", "FILE"), sound["labels"]),
        Case((*frames, "pattern:bars", "--config", "FILE"), sound["toml"]),
        Case(("run", "FILE", *SHORT, "--json", "OUT", "--frames", "pattern:bars"), ELF),
        Case(("budget", "FILE", "--config", config, "--json", "OUT"), ELF),
        Case((*budget, "FILE"), sound["toml"]),
        Case((*budget, config, "--map", "FILE"), ELF.with_suffix(".map")),
        Case((*budget, config, "--base", "FILE"), REPO / "budget.lock"),
        Case(("model", "import", "FILE", "OUT"), sound["tflite"]),
        Case(("model", "export", "FILE", "OUT.tflite"), sound["npz"]),
        Case(("fit", "FILE", "--any", "--json", "OUT"), sound["tflite"]),
    ]
    return found


def _sound_files(folder: Path) -> dict[str, Path]:
    pixels = np.arange(28 * 28, dtype=np.uint32).reshape(28, 28).astype(np.uint8)
    names = {kind: folder / f"sound.{kind}" for kind in ("png", "pgm", "npy", "tflite", "npz")}
    names |= {kind: folder / f"sound.{kind}" for kind in ("idx", "gz", "labels", "toml")}
    Image.fromarray(pixels).save(names["png"])
    Image.fromarray(pixels).save(names["pgm"])
    np.save(names["npy"], pixels)
    idx = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(pixels.tobytes() * 2)
    names["idx"].write_bytes(idx)
    names["gz"].write_bytes(gzip.compress(idx))
    names["labels"].write_text("1\n2\n")
    shutil.copy(REPO / "boardless.toml", names["toml"])
    artifact = next(iter(sorted(ARTIFACT.glob("*_8k.npz"))))
    shutil.copy(artifact, names["npz"])
    with contextlib.redirect_stdout(io.StringIO()):
        assert cli.main(["model", "export", str(artifact), str(names["tflite"])]) == 0
    return names


def complaint(case: Case, content: bytes, folder: Path) -> str:
    """Run the command on the damaged content; what is wrong with how it ended, or nothing."""
    file, out = folder / f"given{case.file.suffix}", folder / "out"
    file.write_bytes(content)
    if case.file.suffix == ".npz":  # or its checksum would be all that is ever looked at
        file.with_suffix(".sha256").write_text(hashlib.sha256(content).hexdigest())
    names = {"FILE": str(file), "OUT": str(out), "OUT.tflite": f"{out}.tflite"}
    said, erred = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(erred), _bounded():
        try:
            code = cli.main([names.get(word, word) for word in case.words])
        except Hung:
            return f"no end within {MOST_SECONDS} s"
    outputs = [path for path in folder.glob("out*") if path.exists()]
    for path in outputs:
        path.unlink()
    lines = erred.getvalue().splitlines()
    if "not expected" in erred.getvalue():
        return lines[-1]
    if code not in (0, 1, 2, 3):
        return f"exit code {code}"
    if code == 2 and not said.getvalue() and not 1 <= len(lines) <= 2:  # usage, message
        return f"{len(lines)} lines on stderr"
    if code == 2 and not said.getvalue() and outputs:
        return f"no run, yet {outputs[0].name} was written"
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{peak_kib >> 10} MiB of memory" if peak_kib > MOST_KIB else ""


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    def hang(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Hung

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(budget_s: float, seed: int, keep: Path) -> tuple[int, int]:
    """Damage and run until the time is spent; how many inputs, how many complaints."""
    draw, count, wrong = random.Random(seed), 0, 0
    with tempfile.TemporaryDirectory(prefix="boardless-fuzz-") as name:
        folder = Path(name)
        (folder / "run").mkdir()
        every = cases(folder)
        until_s = time.monotonic() + budget_s
        while time.monotonic() < until_s:
            case = every[count % len(every)]
            content = damaged(case.file.read_bytes(), draw)
            count += 1
            found = complaint(case, content, folder / "run")
            if found:
                wrong += 1
                kept = keep / f"seed{seed}-{count}{case.file.suffix}"
                keep.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(content)
                click.echo(json.dumps({"words": case.words, "found": found, "input": str(kept)}))
    return count, wrong


def main() -> int:
    """Exit code 0 where nothing was found and something was tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=REPO / "build" / "hostile")
    given = parser.parse_args()
    count, wrong = fuzz(given.budget, given.seed, given.keep)
    click.echo(f"{count} inputs, {wrong} complaints, seed {given.seed}")
    return int(wrong > 0 or count == 0)


if __name__ == "__main__":
    sys.exit(main())
