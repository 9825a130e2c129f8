"""The firmware's line for one frame, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from boardless_sim.errors import ResultError

_FIELD = re.compile(r"([a-z][a-z0-9_]*)=(-?\d+)")


@dataclass(frozen=True)
class InferenceResult:
    """What one `r-` line says. `times_us` keeps every `<stage>_us` field by its stage."""

    frame: int
    class_index: int
    score: int
    times_us: Mapping[str, int]
    line: str


def is_result(line: str) -> bool:
    """Whether a UART line carries a result (prefix `r-`)."""
    return line.startswith("r-")


def parse_result(line: str) -> InferenceResult:
    """Read `r- frame=12 class=7 score=93 capture_us=… total_us=…`. Raises `ResultError`."""
    fields = {key: int(value) for key, value in _FIELD.findall(line)}
    missing = [key for key in ("frame", "class", "score") if key not in fields]
    if not is_result(line) or missing:
        raise ResultError(
            f"UART: found {line[:100]!r}, expected 'r- frame=N class=N score=N …'"
            + (f" (missing: {', '.join(missing)})" if missing else "")
        )
    times_us = {key[:-3]: value for key, value in fields.items() if key.endswith("_us")}
    return InferenceResult(fields["frame"], fields["class"], fields["score"], times_us, line)
