"""Every how-to for a part of the tools does what it says, in a copy of the repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contributing.how_to import check, copy_of_the_repository, follow

# A copy has no environment of its own: its modules come before the installed ones.
ROOMS = ("sim", "host_tools", "models", "robot/libraries")


@pytest.fixture(name="copy")
def copy_fixture(tmp_path: Path) -> Path:
    return copy_of_the_repository(tmp_path)


def in_copy(copy: Path, *command: str) -> str:
    script = f"import runpy, sys; sys.path[:0] = {[str(copy / room) for room in ROOMS]!r}\n"
    run = f"sys.argv = {list(command)!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", script + run], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_add_a_command(copy: Path) -> None:
    follow("docs/howto/command.md", copy)
    check(copy, "tests/unit/commands/test_vectors.py")
    in_copy(copy, "tools/reference.py")
    assert "## boardless vectors" in (copy / "docs/reference/cli.md").read_text()
    in_copy(copy, "tools/reference.py", "--check")


def test_add_a_keyword(copy: Path) -> None:
    follow("docs/howto/keyword.md", copy)
    check(copy, "tests/unit/suites/test_own_keyword.py")
    in_copy(copy, "tools/reference.py")
    assert "Uart Should Be Silent" in (copy / "docs/reference/Boardless.md").read_text()


def test_add_an_engine(copy: Path) -> None:
    follow("docs/howto/engine.md", copy)
    check(copy, "tests/unit/engines/test_replay.py")
    lint = Path(sys.executable).with_name("lint-imports")
    script = f"PYTHONPATH={':'.join(str(copy / room) for room in ROOMS)} {lint} --no-cache"
    done = subprocess.run(["bash", "-c", script], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_add_an_operator(copy: Path) -> None:
    follow("docs/howto/operator.md", copy)
    check(copy, "tests/models/tflite/test_elu.py")
