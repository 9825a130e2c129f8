"""Whether a firmware carries the model that it should: `model_hash` in the ELF."""

from __future__ import annotations

from pathlib import Path

from boardless_sim.contract import REFERENCE, Symbols
from boardless_sim.elf.image import FirmwareImage, load_image
from boardless_sim.errors import ModelError

HASH_BYTES = 32


def hash_in(image: FirmwareImage, symbols: Symbols = REFERENCE.symbols) -> str:
    """The digest that the exporter put into the model. Raises `ModelError` where there is none."""
    symbol = image.symbols.get(symbols.model_hash)
    if symbol is None or symbol.size != HASH_BYTES:
        size = "no such symbol" if symbol is None else f"{symbol.size} bytes"
        raise ModelError(
            f"{image.path}: {symbols.model_hash}: {size}, expected {HASH_BYTES} bytes of sha256"
        )
    for segment in image.segments:
        start = symbol.address - segment.address
        if start >= 0 and start + HASH_BYTES <= len(segment.data):
            return segment.data[start : start + HASH_BYTES].hex()
    raise ModelError(
        f"{image.path}: {symbols.model_hash} at {symbol.address:#010x} is not in the image's data"
    )


def expected_hash(artifact: Path) -> str:
    """The digest of an artifact that is whole."""
    from boardless_models.graph.artifact import artifact_sha256

    return artifact_sha256(artifact)


def mismatch(image: FirmwareImage, artifact: Path, symbols: Symbols = REFERENCE.symbols) -> str:
    """What is wrong with the ELF's model; empty when it is the artifact's."""
    found, expected = hash_in(image, symbols), expected_hash(artifact)
    if found == expected:
        return ""
    return f"model {found}, expected {expected} ({artifact})"


def require_model(elf: Path, artifact: Path, symbols: Symbols = REFERENCE.symbols) -> None:
    """Raises `ModelError` with both digests where the ELF carries another model."""
    require_model_in(load_image(elf), artifact, symbols)


def require_model_in(
    image: FirmwareImage, artifact: Path, symbols: Symbols = REFERENCE.symbols
) -> None:
    """The same of an ELF that is read already."""
    complaint = mismatch(image, artifact, symbols)
    if complaint:
        raise ModelError(f"{image.path}: {complaint}")
