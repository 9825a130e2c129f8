"""IDX, the array format of the MNIST family, plain or gzip-compressed."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from boardless_sim.errors import FrameError
from boardless_sim.files import open_file

MAX_BYTES = 256 << 20
_MAGIC = b"\x00\x00"
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAGIC_GZIP = b"\x1f\x8b"


def is_idx(magic: bytes) -> bool:
    """Whether a file that begins like this may be IDX, or a gzip of it."""
    is_plain = magic.startswith(_MAGIC) and magic[2:3] != b"" and magic[2] in _TYPES
    return is_plain or magic.startswith(_MAGIC_GZIP)


def read(
    path: Path, dimensions: tuple[int, ...], limit: int | None = None
) -> tuple[int, NDArray[Any]]:
    """How many items the header announces, and the first `limit` of them (all: None).

    Raises `FrameError`; never reads more than was announced. What comes after the limit is not
    unpacked, and so not checked.
    """
    with open_file(path, "IDX or IDX.gz", FrameError) as file:
        packed = file.read(2) == _MAGIC_GZIP
        file.seek(0)
        if not packed:
            return _read(file, path, dimensions, limit)
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(cast(BinaryIO, unpacked), path, dimensions, limit)
        except (OSError, EOFError, zlib.error) as error:
            expected = "expected IDX or IDX.gz"
            raise FrameError(f"{path}: found a damaged file ({error}), {expected}") from error


def _read(
    file: BinaryIO, path: Path, dimensions: tuple[int, ...], limit: int | None
) -> tuple[int, NDArray[Any]]:
    wanted = " or ".join(str(count) for count in dimensions)
    magic = file.read(4)
    is_idx_of = len(magic) == 4 and magic.startswith(_MAGIC) and magic[2] in _TYPES
    if not is_idx_of or magic[3] not in dimensions:
        expected = f"00000801 to 00000804 with {wanted} dimensions"
        raise FrameError(f"{path}: found IDX magic {magic.hex()!r}, expected {expected}")
    header = file.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise FrameError(f"{path}: found no end of the header, expected {magic[3]} sizes in it")
    shape = struct.unpack(f">{magic[3]}I", header)
    dtype = np.dtype(_TYPES[magic[2]])
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise FrameError(f"{path}: found {size} bytes of data, expected at most {MAX_BYTES}")
    is_series = len(shape) >= 3  # a single picture has rows, not items
    items = min(limit, shape[0]) if limit is not None and is_series else shape[0]
    wanted_size = items * math.prod(shape[1:]) * dtype.itemsize
    data = file.read(wanted_size if items < shape[0] else size + 1)
    if len(data) != wanted_size:
        found = "more" if len(data) > size else str(len(data))
        raise FrameError(f"{path}: found {found} bytes of data, expected {size} by its header")
    array: NDArray[Any] = np.frombuffer(data, dtype=dtype).reshape(items, *shape[1:])
    return shape[0], array
