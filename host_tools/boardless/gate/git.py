"""What git knows of the project's files, as they were."""

from __future__ import annotations

import subprocess
from pathlib import Path

from boardless_sim.errors import BoardlessError

_SECONDS = 30


def git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it refuses. Raises `BoardlessError` where there is no git."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BoardlessError(f"git: {error}, expected git to ask for a revision") from error
    return done.stdout if done.returncode == 0 else None
