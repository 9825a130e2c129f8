"""Several engines on any firmware: its console, line by line; times are each one's own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from boardless.compare.comparison import Difference
from boardless.running.session import BoardSetup
from boardless.running.transcript import ConsoleTranscript, record


def transcripts_of(setups: Sequence[BoardSetup], for_us: float) -> tuple[ConsoleTranscript, ...]:
    """One an engine. Raises `EngineError` where one is missing."""
    found = []
    for setup in setups:
        with closing(setup.power_on()) as engine:
            found.append(record(engine, for_us))
    return tuple(found)


def differing_line(transcripts: Sequence[ConsoleTranscript]) -> Difference | None:
    """The first line that another engine says otherwise, port by port; None where all agree.

    The last lines may be missing: engines count time in their own ways, and one is cut before.
    """
    first = transcripts[0]
    for other in transcripts[1:]:
        for port in dict.fromkeys(line.port for line in (*first.lines, *other.lines)):
            one, two = (
                [line.text for line in transcript.lines if line.port == port]
                for transcript in (first, other)
            )
            if not one or not two:
                return Difference(port, (first.engine, _count(one)), (other.engine, _count(two)))
            for number, (ours, theirs) in enumerate(zip(one, two, strict=False), 1):
                if ours != theirs:
                    where = f"{port}, line {number}"
                    return Difference(where, (first.engine, ours), (other.engine, theirs))
    return None


def _count(lines: Sequence[str]) -> str:
    return f"{len(lines)} lines"
