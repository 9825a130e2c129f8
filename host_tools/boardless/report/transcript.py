"""A console's transcript for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from boardless.compare.comparison import Difference
from boardless.running.post_mortem import as_document, in_lines
from boardless.running.transcript import ConsoleTranscript
from boardless_sim.visible import one_line


def transcript_lines(found: ConsoleTranscript) -> Iterator[str]:
    """Every line with its time and port, then why it stopped."""
    for line in found.lines:
        yield f"{line.time_us / 1000:12.3f} ms  {line.port:<8} {one_line(line.text)}"
    for port, text in found.unfinished:
        yield f"{'':>12}     {port:<8} {one_line(text)} (no line end)"
    if found.shown:
        yield f"camera     {found.captured} captures of {found.shown} frames"
    yield f"stopped    {found.detail}"
    if found.post_mortem is not None and not (found.ran_on and found.lines):
        yield from in_lines(found.post_mortem)


def comparison_lines(
    found: Sequence[ConsoleTranscript], difference: Difference | None
) -> Iterator[str]:
    """How much each engine said, and the first line that differs."""
    for transcript in found:
        yield f"{transcript.engine:<10} {len(transcript.lines)} lines; {transcript.detail}"
    yield f"difference {'none' if difference is None else one_line(str(difference))}"


def comparison_document(
    found: Sequence[ConsoleTranscript], difference: Difference | None
) -> dict[str, object]:
    """Schema 1."""
    return {
        "schema": 1,
        "engines": [transcript_document(transcript) for transcript in found],
        "difference": None if difference is None else str(difference),
    }


def transcript_document(found: ConsoleTranscript) -> dict[str, object]:
    """Schema 1."""
    return {
        "schema": 1,
        "engine": found.engine,
        "lines": [
            {"port": line.port, "time_us": line.time_us, "text": line.text} for line in found.lines
        ],
        "unfinished": dict(found.unfinished),
        "stop_reason": found.stop_reason.value,
        "detail": found.detail,
        "frames": {"shown": found.shown, "captured": found.captured},
        "post_mortem": None if found.post_mortem is None else as_document(found.post_mortem),
    }
