"""Signals, full and read-only disks, few descriptors: nothing is lost, half or left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.host_faults import BOARDLESS, COMMANDS, LONGEST_S, faults, words

BEFORE = '{"before": true}\n'
WRITES_A_FILE = [name for name, words in COMMANDS.items() if "OUT" in words and name != "compare"]
FEW_DESCRIPTORS = (6, 8, 10, 12, 16)


def can_mount() -> bool:
    """Whether this machine lets us have a mount namespace of our own."""
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0
    )


needs_a_namespace = pytest.mark.skipif(not can_mount(), reason="no mount namespace of our own")


@pytest.mark.parametrize("name", ["run", "run --jobs", "test", "budget", "debug"])
def test_a_signal_leaves_nothing_half(name: str) -> None:
    assert [found for _, _, found in faults(3, 7, [name]) if found] == []


def in_namespace(mount: str, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command, where the folder is what `mount` made of it; then what it left there."""
    script = f'{mount} && "$@"; code=$?; cat "$0/out.json" && ls -A "$0"; exit $code'
    line = ["unshare", "--mount", "sh", "-c", script, str(folder), *BOARDLESS]
    return subprocess.run(
        [*line, *words(name, folder)],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


@needs_a_namespace
@pytest.mark.parametrize("name", WRITES_A_FILE)
def test_a_full_disk_is_said_and_keeps_what_was_there(name: str, tmp_path: Path) -> None:
    full = (
        'mount -t tmpfs -o size=8k tmpfs "$0" && printf \'{"before": true}\\n\' > "$0/out.json"'
        ' && (head -c 4096 /dev/zero > "$0/rest" || true)'
    )
    done = in_namespace(full, name, tmp_path)
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert done.stdout.endswith(f"{BEFORE}out.json\nrest\n")


@needs_a_namespace
@pytest.mark.parametrize("name", WRITES_A_FILE)
def test_a_read_only_disk_is_said_before_the_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text(BEFORE)
    read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
    done = in_namespace(read_only, name, tmp_path)
    assert done.returncode == 2, done.stderr
    (said,) = done.stderr.splitlines()
    assert "read-only" in said or "Read-only" in said
    assert done.stdout == f"{BEFORE}out.json\n"


@pytest.mark.parametrize("most", FEW_DESCRIPTORS)
@pytest.mark.parametrize("name", ["run", "run --jobs", "budget", "test"])
def test_few_descriptors_are_no_fault_of_ours(name: str, most: int, tmp_path: Path) -> None:
    script = f'ulimit -n {most}; exec "$0" "$@"'
    line = ["sh", "-c", script, sys.executable, "-m", "boardless"]
    done = subprocess.run(
        [*line, *words(name, tmp_path)],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode in (0, 1, 2), done.stderr
    assert "not expected, a fault of ours" not in done.stderr
    assert "Traceback" not in done.stderr
