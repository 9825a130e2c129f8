"""How a command ended in this process, and what is wrong with that."""

from __future__ import annotations

import contextlib
import io
import resource
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from boardless import cli
from boardless.commands.exit_codes import ExitCode

MOST_SECONDS, MOST_KIB = 10, 1 << 20
_BUSY = 30


class Hung(BaseException):
    """A command that did not end; nothing in it may catch this."""


@dataclass(frozen=True)
class Ending:
    """A command's exit code, and what is wrong with how it ended; empty where nothing is."""

    code: int
    complaint: str


def ending(words: Sequence[str], folder: Path) -> Ending:
    """Run a command; its outputs are named out* and stand in the folder, and are removed."""
    said, erred = io.StringIO(), io.StringIO()
    peak_kib = _peak_kib()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(erred):
        try:
            with bounded():
                code = cli.main(words)
        except Hung:
            return Ending(-1, f"no end within {MOST_SECONDS} s")
        except SystemExit as left:
            return Ending(-1, f"left by itself with {left.code}")
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        raise KeyboardInterrupt  # the fuzzer itself is to end
    outputs = sorted(path.name for path in folder.glob("out*"))
    for name in outputs:
        _remove(folder / name)
    wrong = _complaint(code, said.getvalue(), erred.getvalue(), outputs)
    if _peak_kib() > max(peak_kib, MOST_KIB):
        wrong = wrong or f"{_peak_kib() >> 10} MiB of memory, {peak_kib >> 10} before"
    return Ending(code, wrong)


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _complaint(code: int, said: str, erred: str, outputs: list[str]) -> str:
    lines = erred.splitlines()
    if "not expected" in erred:
        return lines[-1]
    if code not in (0, 1, 2, 3):
        return f"exit code {code}"
    if code == 2 and not said and not 1 <= len(lines) <= 3:  # usage of up to two lines, message
        return f"{len(lines)} lines on stderr"
    if code == 2 and not said and outputs:
        return f"no run, yet {outputs[0]} was written"
    if any(not (text.isprintable() or text in "\n\t") for text in erred):
        return f"a control character on stderr: {erred[:200]!r}"
    return ""


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raises `Hung` in whatever takes too long."""

    def hang(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Hung

    # Of the processor: on a busy machine a second of the clock says nothing about the command. One
    # that sleeps for ever is ended by the clock.
    timers = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    before = {number: signal.signal(number, hang) for number in timers}
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS * _BUSY)
    try:
        yield
    finally:
        for number, timer in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])
