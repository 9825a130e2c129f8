"""What the command line says of the project: --config, --chip, --symbols."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProjectChoice:
    """`config`: None for `boardless.toml` where there is one; the others go before what it says."""

    config: Path | None = None
    chip: str | None = None
    symbols: Path | None = None


NOTHING_SAID = ProjectChoice()
