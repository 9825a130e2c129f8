"""Every how-to for a part of the board does what it says, in a copy of the repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contributing.how_to import REPO, check, copy_of_the_repository, follow

FACTS = Path("sim/boardless_sim/chips/facts")


@pytest.fixture(name="copy")
def copy_fixture(tmp_path: Path) -> Path:
    return copy_of_the_repository(tmp_path)


def test_add_a_peripheral(copy: Path) -> None:
    follow("docs/howto/peripheral.md", copy)
    board = "tests/unit/peripherals/test_board.py"
    check(copy, "tests/unit/peripherals/test_rng.py", board, "tests/unit/chips")


def test_add_a_sensor(copy: Path) -> None:
    follow("docs/howto/sensor.md", copy)
    check(copy, "tests/unit/camera/test_grey160.py", "tests/unit/peripherals/test_board.py")


def test_add_a_fault(copy: Path) -> None:
    follow("docs/howto/fault.md", copy)
    check(copy, "tests/unit/faults")


def test_add_a_chip(copy: Path) -> None:
    if not _package_index_answers(copy):
        pytest.skip("modm-devices cannot be fetched here")
    follow("docs/howto/chip.md", copy, commands=True)
    check(copy, "tests/unit/chips")
    for facts in (REPO / FACTS).glob("*.json"):  # written anew by the tool, and still the same
        assert (copy / FACTS / facts.name).read_text() == facts.read_text()


def _package_index_answers(folder: Path) -> bool:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "modm-devices==0.13.1"]
    return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0
