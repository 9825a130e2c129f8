"""A process and everything that it starts: they end together, however any of them ends.

Robot starts emulators, pabot starts Robots in sessions of their own: no process group holds them
all. What they do share is the environment, in which each family has a name of its own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from boardless.suites.guardian import NAME, end_family

_GUARDIAN = Path(__file__).with_name("guardian.py")


class Family:
    """A running command whose output is captured as text.

    A guardian waits at a pipe that only this process holds: when we are gone, even by SIGKILL, it
    reads the end of the file and ends the family.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> None:
        self._name = secrets.token_hex(16)
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARDIAN), self._name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us, who then end it
        )
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                cwd=folder,
                env={**environment, NAME: self._name},
            )
        except BaseException:
            self._dismiss()
            raise

    def __enter__(self) -> Family:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        end_family(self._name)
        self._process.communicate()
        self._dismiss()

    def wait(self, within_s: float) -> tuple[int, str]:
        """Its exit code and what it said. Raises `subprocess.TimeoutExpired`."""
        said, _ = self._process.communicate(timeout=within_s)
        return self._process.returncode, said

    def _dismiss(self) -> None:
        assert self._guardian.stdin is not None
        self._guardian.stdin.close()
        self._guardian.wait()
