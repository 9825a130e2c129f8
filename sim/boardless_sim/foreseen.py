"""What a device foresees: events that follow on one another and move bytes, and nothing else.

A board may carry them out by itself, each at its time, and ask the device again when something else
comes: a flag, an interrupt, a look at its registers. The device is then told how far it got, and is
as if it had carried out every event itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class DmaRoom:
    """An enabled stream between one data register and a buffer, up to its next flag.

    `buffer`: where the transfer began. `advance` is told how many units were moved.
    """

    to_memory: bool
    address: int
    unit_bytes: int
    units: int
    buffer: int
    device: object
    advance: Callable[[int], None]


@dataclass(frozen=True)
class LinesAhead:
    """What a capture interface does with the next lines: `skipped` of them nothing, then copies.

    `data` has the `line_bytes` of each copied line. `carried_out` is told a number of lines.
    """

    skipped: int
    copied: int
    line_bytes: int
    data: bytes
    room: DmaRoom | None
    carried_out: Callable[[int], None]


@dataclass(frozen=True)
class ForeseenLines:
    """Lines of a sensor; `steps_ns` are the times from each one's end to the next one's."""

    ahead: LinesAhead
    steps_ns: array[int]
    carried_out: Callable[[int], None]


@dataclass(frozen=True)
class ForeseenBytes:
    """Bytes from memory to a transmitter that sends one every `cycles`.

    `shifting` is on its way out, `waiting` comes next, `count` more are foreseen; `last` is left to
    the device. `carried_out` is told the bytes sent, both places anew, and when the next is due.
    """

    shifting: int
    waiting: int
    last: int
    count: int
    cycles: int
    room: DmaRoom
    carried_out: Callable[[bytes, int, int, int], None]


Foreseen = ForeseenLines | ForeseenBytes
