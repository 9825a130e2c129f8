"""Ends a family of processes; as a program, when whoever started it is gone.

Usage: guardian.py NAME, with a pipe as standard input. Standard library only: it runs by itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

# The variable of the environment that a family shares.
NAME = "BOARDLESS_FAMILY"
# A family that forks while it is being ended is looked for again; one look suffices nearly always.
_MOST_LOOKS = 100


def end_family(name: str) -> None:
    """Kill every process whose environment has the name."""
    for _ in range(_MOST_LOOKS):
        found = list(_members(name))
        if not found:
            return
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _members(name: str) -> Iterator[int]:
    wanted = f"{NAME}={name}".encode("ascii")
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):  # gone by now, or another user's
                # A zombie has no environment left, and so is not waited for.
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end_family(sys.argv[1])
