"""The fixtures for pytest, in a pytest of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.firmware.conftest import BUILD, REPO

TESTS = """
import pytest

def test_passes(board, camera):
    camera.show("pattern:noise:1")
    assert board.run_until_result(limit_us=500_000) is not None

def test_fails(board, camera):
    camera.show("pattern:noise:1")
    assert board.run_until_result(limit_us=500_000) is None

@pytest.mark.firmware("{hangs}")
def test_of_another_firmware(board):
    assert board.image.path.name == "faulty_hang.elf"
"""


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_board.py").write_text(TESTS.format(hangs=BUILD / "faulty_hang.elf"))
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *options, "test_board.py"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_boards_for_tests_and_evidence_where_one_fails(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    elf = str(BUILD / "boardless.elf")
    run = pytest_in(tmp_path, "--firmware", elf, "--board-evidence", str(evidence))
    assert "1 failed, 2 passed" in run.stdout, run.stdout
    (folder,) = evidence.iterdir()
    assert folder.name == "test_board-test_fails"
    assert {"frame.png", "uart.txt", "board.txt"} <= {path.name for path in folder.iterdir()}


def test_no_firmware_is_said(tmp_path: Path) -> None:
    run = pytest_in(tmp_path, "-k", "passes")
    assert run.returncode == 1
    assert "expected a marker, --firmware ELF or an ini value" in run.stdout


def test_the_example_of_the_page(tmp_path: Path) -> None:
    page = (REPO / "docs/howto/pytest.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_page.py").write_text(example.replace("build/firmware", str(BUILD)))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "1 passed" in run.stdout, run.stdout
