"""A C program of the firmware's sources, built for this machine with sanitizers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
FIRMWARE = REPOSITORY / "firmware"
_FLAGS = (
    *("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"),
    *("-Wundef", "-Wmissing-prototypes", "-fsanitize=address,undefined"),
    *("-fno-sanitize-recover=all", "-fno-common"),
)


def build(main: Path, sources: Iterable[str], folder: Path, flags: Iterable[str] = ()) -> Path:
    """The program of `main` and these sources of the firmware."""
    program = folder / main.stem
    files = [str(main), *(str(FIRMWARE / source) for source in sources)]
    command = ["cc", *_FLAGS, *flags, f"-I{FIRMWARE}", *files, "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def run(program: Path, given: bytes) -> list[str]:
    """The lines that it prints; a sanitizer's report fails."""
    done = subprocess.run([str(program)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()
