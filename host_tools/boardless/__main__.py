"""`boardless`, and `python -m boardless`: the process around the command line.

A signal may come while the command line is still being imported, or after it has ended: there is
nothing to give back then, and nothing to say but the one line.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

# 130 and 143, as `ExitCode` has them: importing it is part of what may be interrupted.
_ENDS = {
    signal.SIGINT: (130, b"boardless: interrupted\n"),
    signal.SIGTERM: (143, b"boardless: terminated\n"),
}


def end_by_signals() -> None:
    """From here on a signal is one line and its exit code."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, a shell's background job
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    code, line = _ENDS[signal.Signals(number)]
    os.write(2, line)
    os._exit(code)


def main() -> int:
    """Run one command and return its exit code."""
    end_by_signals()
    from boardless.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
