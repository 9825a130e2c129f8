"""The device of the how-to as a part of the board: firmware still takes one of the user's own."""

from __future__ import annotations

from pathlib import Path

from tests.contributing.how_to import REPO, check, copy_of_the_repository, follow


def test_what_runs_firmware_passes_after_the_how_to(tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path)
    follow("docs/howto/peripheral.md", copy)
    (copy / "build").symlink_to(REPO / "build")
    check(copy, "tests/firmware/test_own_peripheral.py")
