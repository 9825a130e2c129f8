"""The array formats of numpy (.npy, NEP 1; .npz), read without evaluating a header's Python.

numpy's own reader hands the header to a Python parser, which answers a hostile one with errors of
its own: tokens, recursion, indices. Here a header is what numpy writes, or it is refused.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
NPZ_MAGIC = b"PK\x03\x04"

# Any order of the three keys; numbers, booleans and text, never objects.
_KEYS = re.compile(
    rb"\{\s*"
    rb"(?:'descr':\s*'(?P<type>[<>|=][biufU]\d{1,5})',?\s*"
    rb"|'fortran_order':\s*(?P<order>True|False),?\s*"
    rb"|'shape':\s*\((?P<shape>(?:\d{1,10},?\s*){0,8})\),?\s*){3}"
    rb"\}\s*"
)
_MOST_HEADER_BYTES = 4096


def parse_npy(content: bytes) -> NDArray[Any]:
    """The array of a whole .npy file. Raises `ValueError` with what was found."""
    start, header = _header(content)
    found = _KEYS.fullmatch(header)
    if found is None or None in found.groups():
        raise ValueError(f"header {header[:60]!r}")
    shape = tuple(int(extent) for extent in re.findall(rb"\d+", found["shape"]))
    dtype = _dtype(found["type"].decode("ascii"))
    size = math.prod(shape) * dtype.itemsize
    if size != len(content) - start:
        raise ValueError(f"{len(content) - start} bytes of data, expected {size} by its header")
    held = bytearray(memoryview(content)[start:])  # of its own: whoever reads it may change it
    array: NDArray[Any] = np.frombuffer(held, dtype=dtype, count=math.prod(shape))
    return array.reshape(shape, order="F" if found["order"] == b"True" else "C")


def parse_npz(content: bytes, largest_bytes: int) -> dict[str, NDArray[Any]]:
    """Every array of a whole .npz by its name. Raises `ValueError` for a damaged or bloated one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > largest_bytes:
                raise ValueError(f"{unpacked} bytes unpacked, expected at most {largest_bytes}")
            names = archive.namelist()
            return {name.removesuffix(".npy"): parse_npy(archive.read(name)) for name in names}
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as cause:
        raise ValueError(str(cause)) from cause


def _dtype(name: str) -> np.dtype[Any]:
    try:
        return np.dtype(name)
    except TypeError as cause:
        raise ValueError(f"type {name}") from cause


def _header(content: bytes) -> tuple[int, bytes]:
    """Where the data begin, and the text before them: 2 bytes of length in version 1, else 4."""
    if not content.startswith(MAGIC) or len(content) < 12:
        raise ValueError("no .npy")
    width = 2 if content[6] == 1 else 4
    start = 8 + width
    length = int.from_bytes(content[8:start], "little")
    if content[6] not in (1, 2, 3) or length > min(_MOST_HEADER_BYTES, len(content) - start):
        raise ValueError(f"version {content[6]} with a header of {length} bytes")
    return start + length, content[start : start + length]
