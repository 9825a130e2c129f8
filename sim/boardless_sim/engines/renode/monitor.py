"""Renode's Monitor at the other end of a pipe: one process, one question at a time."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import IO

from boardless_sim.errors import EngineError

_OPTIONS = ("--disable-xwt", "--plain", "--console", "--hide-log")
_GREETING = re.compile(r"Renode, version (\d+)\.(\d+)\S*(?=\s)")
_MONITOR_LOG, _RENODE_LOG = "monitor.txt", "renode.log"
_QUIT_S = 2.0
_LOOK_S = 1.0
_MOST_CHARACTERS = 8 << 20  # of one answer
OLDEST = (1, 16)


_ABORT = re.compile(r"\[ERROR\] cpu: (CPU abort \[PC=0x([0-9a-fA-F]+)\].*)")


class CoreAborted(EngineError):
    """The core fetched where no memory is: it stops for good, and does not answer."""

    def __init__(self, message: str, pc: int) -> None:
        super().__init__(message)
        self.pc = pc


class RenodeMonitor:
    """A Renode that talks over its standard input and output; no port is open.

    It runs in a process group of its own, which ends with `close()`, with this process, and (as its
    input ends) even where this process was killed. What was said is kept where something failed.
    """

    def __init__(self, program: Path, start_limit_s: float) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="boardless-renode-"))
        self._number = 0
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._heard = ""
        self._failed = False
        self._stuck = False
        try:
            self._process = subprocess.Popen(
                [program, *_OPTIONS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self._folder,
                # Its settings and the history of commands, which it writes anew at every command.
                env={**os.environ, "XDG_CONFIG_HOME": str(self._folder)},
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise EngineError(
                f"engine renode: {program}: {error.strerror or error}, expected Renode"
            ) from error
        self._end = weakref.finalize(self, _end_group, self._process)
        stdout = self._process.stdout
        assert stdout is not None
        self._reader = threading.Thread(
            target=_read, args=(stdout, self._said, self._folder / _MONITOR_LOG), daemon=True
        )
        self._reader.start()
        try:
            self.version = self._check_version(start_limit_s)
            log = str(self._folder / _RENODE_LOG).replace(" ", "\\ ")
            self.tell(f"logFile @{log} true")
        except BaseException:
            self.close()
            raise

    @property
    def folder(self) -> Path:
        """Where files for Renode go; also its working folder, so that names need no path."""
        return self._folder

    @property
    def process_group(self) -> int:
        """Of Renode, and of everything that it started."""
        return self._process.pid

    def tell(self, command: str) -> None:
        """Give the Monitor a command whose answer does not matter."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(f"{command}\n".encode())
            stdin.flush()
        except OSError:
            raise self.failure("died") from None

    def ask(self, call: str, *arguments: str | int, limit_s: float) -> dict[str, list[str]]:
        """Call the bench and read its answer: every key with its values, in order.

        Raises `EngineError` where the bench refuses, and where no answer comes in `limit_s`.
        """
        if self._failed or self._stuck:
            raise EngineError("engine renode: it stopped for good, expected a board that runs")
        self._number += 1
        self.tell(" ".join(["bench", call, str(self._number), *map(str, arguments)]))
        pattern = re.compile(rf"(?m)\bbench {self._number} (ok|error)(.*)$(?=\n)")
        found = self._await(pattern, limit_s, f"an answer to {call}")
        if found[1] == "error":
            raise EngineError(f"engine renode: {found[2].strip().partition(': ')[2]}")
        values: dict[str, list[str]] = {}
        for word in found[2].split():
            key, _, value = word.partition("=")
            values.setdefault(key, []).append(value)
        return values

    def failure(self, what: str) -> EngineError:
        """Renode cannot go on; its log stays."""
        self._failed = True
        last = next((line for line in reversed(self._lines()) if line.strip()), "nothing")
        log = self._folder / _MONITOR_LOG
        return EngineError(f"engine renode: {what}; it said {last.strip()[:200]!r}; log: {log}")

    def warnings(self) -> list[str]:
        """What Renode logged as a warning or an error."""
        try:
            text = (self._folder / _RENODE_LOG).read_text(errors="replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if "[WARNING]" in line or "[ERROR]" in line]

    def close(self) -> None:
        """End Renode and everything it started. Harmless twice."""
        if self._end.alive:
            with contextlib.suppress(EngineError):
                if not self._failed and not self._stuck:
                    self.tell("quit")
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(_QUIT_S)
            self._end()
            self._reader.join(_QUIT_S)
            if not self._failed:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _check_version(self, limit_s: float) -> str:
        found = self._await(_GREETING, limit_s, "a greeting")
        version = (int(found[1]), int(found[2]))
        if version < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            self._failed = True
            raise EngineError(
                f"engine renode: found {found[0].removeprefix('Renode, ')}, expected {wanted} "
                f"or later; log: {self._folder / _MONITOR_LOG}"
            )
        return found[0].removeprefix("Renode, version ")

    def _await(self, pattern: re.Pattern[str], limit_s: float, what: str) -> re.Match[str]:
        deadline = time.monotonic() + limit_s
        while (found := pattern.search(self._heard)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self.failure(f"no {what.partition(' ')[2]} within {limit_s:g} s")
            try:
                chunk = self._said.get(timeout=min(left, _LOOK_S))
            except queue.Empty:
                self._refuse_abort()
                if self._process.poll() is None:
                    continue
                chunk = ""  # it died; what it started may still hold its output open
            if not chunk:
                code = self._exit_code()
                raise self.failure(f"died with exit code {code}, expected {what}")
            self._heard += chunk
            if len(self._heard) > _MOST_CHARACTERS:
                raise self.failure(f"{len(self._heard)} characters, expected {what}")
        self._heard = self._heard[found.end() :]
        return found

    def _refuse_abort(self) -> None:
        for line in self.warnings():
            if (found := _ABORT.search(line)) is not None:
                self._stuck = True
                raise CoreAborted(f"engine renode: {found[1]}", int(found[2], 16))

    def _exit_code(self) -> int | None:
        try:
            return self._process.wait(_QUIT_S)
        except subprocess.TimeoutExpired:
            return None

    def _lines(self) -> list[str]:
        try:
            return (self._folder / _MONITOR_LOG).read_text(errors="replace").splitlines()
        except OSError:
            return []


def _read(stream: IO[bytes], said: queue.SimpleQueue[str], log: Path) -> None:
    """Pass on what Renode says, line ends in one form, and an empty text at the end."""
    with stream, log.open("wb", buffering=0) as kept:
        while chunk := os.read(stream.fileno(), 1 << 16):
            kept.write(chunk)
            said.put(chunk.decode("ascii", "replace").replace("\r", "\n"))
    said.put("")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    process.wait()
