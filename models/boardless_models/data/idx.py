"""IDX files of unsigned bytes, plain or in gzip: every count in them is checked."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from boardless_sim.errors import ModelError

UNSIGNED_BYTE = 0x08
GZIP_MAGIC = b"\x1f\x8b"
LARGEST_IDX_BYTES = 64 * 1024 * 1024


def parse_idx(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an IDX file of unsigned bytes; every count in the header is checked."""
    if len(content) < 4:
        raise ModelError(f"{name}: {len(content)} bytes, expected an IDX header of at least 4")
    zero, kind, rank = struct.unpack_from(">HBB", content)
    if zero != 0 or kind != UNSIGNED_BYTE:
        raise ModelError(
            f"{name}: IDX magic 0x{content[:4].hex()}, expected 0x000008NN (unsigned bytes)"
        )
    if rank not in (1, 3, 4):
        raise ModelError(f"{name}: {rank} dimensions, expected 1 (labels), 3 or 4 (frames)")
    header_bytes = 4 + 4 * rank
    if len(content) < header_bytes:
        raise ModelError(f"{name}: {len(content)} bytes, expected a header of {header_bytes}")
    shape: tuple[int, ...] = struct.unpack_from(f">{rank}I", content, 4)
    expected = header_bytes
    size = 1
    for extent in shape:
        size *= extent
    expected += size
    if len(content) != expected:
        raise ModelError(f"{name}: {len(content)} bytes, expected {expected} for shape {shape}")
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def unpack(compressed: bytes, name: str) -> bytes:
    """Decompress a gzip member, refusing one that grows past what an IDX file may hold."""
    engine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = engine.decompress(compressed, LARGEST_IDX_BYTES)
    except zlib.error as cause:
        raise ModelError(f"{name}: not a gzip file ({cause})") from cause
    if engine.unconsumed_tail:
        raise ModelError(f"{name}: more than {LARGEST_IDX_BYTES} bytes once decompressed")
    if not engine.eof:
        raise ModelError(f"{name}: the gzip stream ends early")
    return content
