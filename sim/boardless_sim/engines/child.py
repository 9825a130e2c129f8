"""An emulator as a child process: it ends with its engine, whatever happens to either."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from boardless_sim.errors import EngineError

_PR_SET_PDEATHSIG = 1
_END_S = 5.0
_TAIL_BYTES = 4096


class Child:
    """A running program whose output goes to a log of its own.

    The kernel kills it when this process dies. The log is removed at the end, unless `keep_log`.
    """

    def __init__(self, name: str, command: Sequence[str], pass_fds: Sequence[int] = ()) -> None:
        handle, path = tempfile.mkstemp(prefix=f"boardless-{name}-", suffix=".log")
        self.log_path = Path(path)
        self._keep_log = False
        with os.fdopen(handle, "w", encoding="utf-8") as log:
            log.write(f"{shlex.join(command)}\n")
            log.flush()
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=pass_fds,
                    start_new_session=True,  # Ctrl-C is for this process, which then ends the child
                    preexec_fn=_dies_with(os.getpid()),
                )
            except OSError as error:
                self.log_path.unlink()
                raise EngineError(f"{command[0]}: {error.strerror or error}") from error

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def exit_code(self, within_s: float = 0.0) -> int | None:
        """How it ended; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(within_s)
        return None

    def keep_log(self) -> Path:
        """The log stays after the end."""
        self._keep_log = True
        return self.log_path

    def said(self) -> list[str]:
        """The last lines of its log, without the command."""
        with contextlib.suppress(OSError):
            text = self.log_path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
            return [line for line in text.splitlines()[1:] if line.strip()]
        return []

    def end(self) -> None:
        """End it and wait for that. Harmless twice."""
        if self._process.poll() is None:
            self._process.terminate()
            if self.exit_code(_END_S) is None:
                self._process.kill()
                self._process.wait()
        if not self._keep_log:
            self.log_path.unlink(missing_ok=True)


def _dies_with(parent: int) -> Callable[[], None]:
    """What the child does before it becomes the emulator. Everything is looked up beforehand."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return arrange
