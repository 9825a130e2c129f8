"""Nothing that a run of suites starts outlives it, wherever it went and however the run ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from boardless.suites.family import Family

# A child that says its number, and a grandchild in a session of its own that does too.
PARENTS = f"""
import os, signal, subprocess, sys
child = subprocess.Popen(
    [{sys.executable!r}, "-c", "import signal; signal.pause()"], start_new_session=True
)
print(os.getpid(), child.pid, flush=True)
"""
STAYS = PARENTS + "signal.pause()\n"
# Somebody who runs a family and is killed while it waits.
RUNS_A_FAMILY = f"""
import os, sys
from boardless.suites.family import Family
family = Family([{sys.executable!r}, "-u", "-c", {STAYS!r}], os.environ)
print(family._process.stdout.readline(), end="", flush=True)
family.wait(60)
"""
END_S = 60


def ended(processes: list[int]) -> bool:
    """Whether all end: a descriptor of a process becomes readable when it does (pidfd_open(2))."""
    for process in processes:
        try:
            descriptor = os.pidfd_open(process)
        except ProcessLookupError:
            continue
        readable, _, _ = select.select([descriptor], [], [], END_S)
        os.close(descriptor)
        if not readable:
            return False
    return True


def test_what_a_family_leaves_is_ended() -> None:
    with Family([sys.executable, "-c", PARENTS], os.environ) as family:
        assert family._process.stdout is not None
        line = family._process.stdout.readline()
    assert ended([int(number) for number in line.split()])


def test_a_family_that_does_not_end_in_time_is_ended() -> None:
    with Family([sys.executable, "-u", "-c", STAYS], os.environ) as family:
        assert family._process.stdout is not None
        line = family._process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            family.wait(0.01)
    assert ended([int(number) for number in line.split()])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_family_ends_with_who_ran_it(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUNS_A_FAMILY],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        processes = [int(number) for number in line.split()]
        assert len(processes) == 2
        process.send_signal(number)
    assert ended(processes)
