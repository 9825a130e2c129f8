"""What the process says to who called it; nothing else is ever returned."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """One meaning each, in every command."""

    PASSED = 0
    FAILED = 1  # a check failed: wrong class, over budget, too slow
    NOT_RUN = 2  # the run could not be made: bad input, missing tool, no result
    PROVEN_WRONG = 3  # our own measurement is proven wrong
    INTERRUPTED = 130  # by SIGINT
    TERMINATED = 143  # by SIGTERM
