"""A failed test leaves its firmware and a script that fails in the same way, to the cycle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from boardless.suites.runner import SuitePlan, run_suites
from tests.firmware.conftest import BUILD

SUITE = """*** Settings ***
Library    Boardless
Test Teardown    Power Off Board

*** Variables ***
${FIRMWARE}    nowhere.elf

*** Test Cases ***
Bars Are A Boot, Of Course
    Power On Board    ${FIRMWARE}
    Show Frame    pattern:bars
    Run Until Result    limit=500 ms
    Result Class Should Be    9
"""


def test_it_is_run_again_elsewhere(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    (first / "bars.robot").write_text(SUITE)
    plan = SuitePlan(first / "bars.robot", tmp_path / "out", 120, elf=BUILD / "boardless.elf")
    assert not run_suites(plan).passed
    (folder,) = (tmp_path / "out" / "evidence").iterdir()
    moved = shutil.move(folder, tmp_path / "elsewhere")
    suite = Path(os.path.relpath(first / "bars.robot", Path.cwd()))
    script = Path(moved) / "replay.sh"
    assert f"boardless test {suite}" in script.read_text("utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [str(script), str(Path.cwd())],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "the boards said the same, to the cycle" in done.stdout
