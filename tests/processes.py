"""What processes leave behind, and which ports they open."""

from __future__ import annotations

import contextlib
import os
import select
from pathlib import Path

GONE_WITHIN_S = 30
_LISTENS = "0A"  # /proc/net/tcp, column st


class Watched:
    """A process that is to end; another one with its number does not deceive."""

    def __init__(self, process_id: int) -> None:
        self._handle: int | None = None
        with contextlib.suppress(ProcessLookupError):
            self._handle = os.pidfd_open(process_id)

    def has_ended(self) -> bool:
        """Waits for it."""
        if self._handle is None:
            return True
        ready, _, _ = select.select([self._handle], [], [], GONE_WITHIN_S)
        os.close(self._handle)
        self._handle = None
        return bool(ready)


def group_of(leader: int) -> list[int]:
    """Every process of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if entry.name.isdecimal() and int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def listening_ports(process_ids: list[int]) -> list[str]:
    """Local addresses at which the processes wait for a connection, as /proc writes them."""
    inodes = set()
    for process_id in process_ids:
        for entry in Path(f"/proc/{process_id}/fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and fields[9] in inodes:
                found.append(fields[1])
    return found
