"""Whether the ELF carries the model that the project expects: a row of its own in the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.model_hash import HASH_BYTES, mismatch
from boardless_sim.elf.image import FirmwareImage

NAME = "model-hash"


def with_model(verdict: Verdict, image: FirmwareImage, artifact: Path) -> Verdict:
    """The verdict with one row more, which fails where the ELF has another model's digest.

    Raises `ModelError` where the ELF has no digest, or the artifact is not whole.
    """
    row = VerdictRow("size", NAME, HASH_BYTES, None, mismatch(image, artifact))
    return replace(verdict, rows=(*verdict.rows, row))
