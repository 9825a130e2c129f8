"""A firmware that is truly wrong: the built one with other weights."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile

from boardless_sim.elf.image import load_image

_CHANGED_BYTES = 64


def with_changed_weights(elf: Path, folder: Path) -> Path:
    """A copy of the ELF with a bit flipped in each of the bytes in the middle of its model."""
    symbols = load_image(elf).symbols
    start, end = (symbols[name].address for name in ("__model_start", "__model_end"))
    middle = (start + end) // 2
    with elf.open("rb") as file:
        offset = next(
            segment["p_offset"] + middle - segment["p_paddr"]
            for segment in ELFFile(file).iter_segments("PT_LOAD")
            if 0 <= middle - segment["p_paddr"] < segment["p_filesz"]
        )
    data = bytearray(elf.read_bytes())
    for at in range(offset, offset + _CHANGED_BYTES):
        data[at] ^= 0x08
    copy = folder / "changed.elf"
    copy.write_bytes(data)
    return copy
