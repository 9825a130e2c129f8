"""A section of CONTRIBUTING.md, followed to the letter in a copy of the project's Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"```python\n# (?P<file>\S+), below: (?P<line>[^\n]+)\n(?P<text>.*?)```", re.DOTALL
)
_PACKAGES = ("host_tools/boardless", "sim/boardless_sim", "models/boardless_models")


@dataclass(frozen=True)
class Insertion:
    """Lines that a section puts below a line of a file."""

    file: str
    below: str
    text: str


def insertions(heading: str) -> list[Insertion]:
    """What the section of that heading tells to write, and where."""
    _, _, rest = (ROOT / "CONTRIBUTING.md").read_text().partition(f"\n## {heading}\n")
    section, _, _ = rest.partition("\n## ")
    found = [Insertion(*match.group("file", "line", "text")) for match in _BLOCK.finditer(section)]
    assert found, f"CONTRIBUTING.md: nothing to write in {heading!r}"
    return found


def followed(heading: str, folder: Path) -> Path:
    """A copy of the packages with the section's lines in it."""
    for package in _PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for step in insertions(heading):
        path = folder / step.file
        before, line, after = path.read_text().partition(f"{step.below}\n")
        assert line, f"{step.file}: no line {step.below!r}"
        path.write_text(f"{before}{line}{step.text}{after}")
    return folder


def run(copy: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """`boardless` of the copy."""
    path = os.pathsep.join(str((copy / package).parent) for package in _PACKAGES)
    return subprocess.run(
        [sys.executable, "-m", "boardless", *command],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
