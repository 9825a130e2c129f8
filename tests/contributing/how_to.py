"""A how-to followed to the letter: its files written, its changes applied, its commands run.

A fence names its file (```python sim/x.py), or holds a change (```diff), or commands (```sh).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^```(?P<kind>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_HUNK = re.compile(r"^@@.*?@@.*\n", re.MULTILINE)


def copy_of_the_repository(folder: Path) -> Path:
    """The files that git knows or would take, and the built core."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=REPO, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in [*listed.splitlines(), "sim/boardless_sim/core/_core.so"]:
        if (REPO / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, folder / name)
    return folder


def follow(how_to: str, copy: Path, *, commands: bool = False) -> None:
    """Do what the how-to says in the copy; its commands only if asked for."""
    for fence in _FENCE.finditer((copy / how_to).read_text()):
        if fence["file"]:
            path = copy / fence["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence["text"])
        elif fence["kind"] == "diff":
            _apply(fence["text"], copy)
        elif fence["kind"] == "sh" and commands:
            for command in fence["text"].splitlines():
                subprocess.run(command.split(), cwd=copy, check=True)


def _apply(diff: str, copy: Path) -> None:
    """Each hunk replaces what stands once in the file: the lines without + by those without -."""
    header = re.match(r"--- a/(?P<file>\S+)\n\+\+\+ b/.*\n", diff)
    assert header is not None, diff
    path = copy / header["file"]
    text = path.read_text()
    for hunk in _HUNK.split(diff[header.end() :])[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert before in text, f"{header['file']} has no\n{before}"
        text = text.replace(before, after, 1)
    path.write_text(text)


def check(copy: Path, *tests: str) -> None:
    """The copy's own tests pass, on the copy's own modules."""
    rooms = [str(copy / room) for room in ("sim", "host_tools", "models", "robot/libraries")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(rooms)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lint = [sys.executable, "-m", "ruff", "check", "--quiet", "sim", "tests/unit"]
    style = subprocess.run(lint, cwd=copy, capture_output=True, text=True)
    assert style.returncode == 0, style.stdout + style.stderr
