"""A checkout may stand in a folder of any name that its tools can take; what cannot be is said."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
ELF = "build/firmware/boardless.elf"


def test_the_firmware_is_the_same_in_a_path_of_blanks_and_signs(tmp_path: Path) -> None:
    """A target of make holds no blank, the shell a quote only quoted, and `%` is make's pattern."""
    checkout = tmp_path / "ä b%c#d'e"
    shutil.copytree(REPO / "firmware", checkout / "firmware")
    command = ["make", "--silent", "-C", str(checkout / "firmware"), f"../{ELF}"]
    subprocess.run(command, check=True)
    assert (checkout / ELF).read_bytes() == (REPO / ELF).read_bytes()
    made_ns = (checkout / ELF).stat().st_mtime_ns
    subprocess.run(command, check=True)
    assert (checkout / ELF).stat().st_mtime_ns == made_ns, "nothing changed, yet it was made again"


def test_a_build_folder_of_blanks_is_refused(tmp_path: Path) -> None:
    command = ["make", "-C", str(REPO / "firmware"), f"BUILD={tmp_path / 'a b'}", "tests"]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    assert made.returncode == 2
    assert "make cannot hold a blank in a target, expected a folder without" in made.stderr


@pytest.mark.parametrize("sign", ['"', "\\", "$", "`", ":", "=", "\n"])
def test_a_path_that_a_tool_would_break_at_is_refused_first(sign: str, tmp_path: Path) -> None:
    checkout = tmp_path / f"a{sign}b"
    (checkout / "tools").mkdir(parents=True)
    shutil.copy(REPO / "tools" / "setup.sh", checkout / "tools")
    done = subprocess.run(
        ["bash", str(checkout / "tools" / "setup.sh")], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("setup: ")
    assert "expected a checkout in a path without" in done.stderr
    assert not (checkout / ".venv").exists()
