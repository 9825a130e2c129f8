"""Arrays in one file: an .npz that any Python writes alike and that is read without pickle."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_sim.errors import ModelError
from boardless_sim.files import read_file, write_file
from boardless_sim.npy import parse_npz

Arrays = dict[str, NDArray[np.generic]]
LARGEST_FILE_BYTES = 16 * 1024 * 1024
# Each of these is otherwise the clock's, the system's or the Python's choice.
ENTRY_TIME = (1980, 1, 1, 0, 0, 0)
ENTRY_SYSTEM = 3
ENTRY_MODE = 0o644 << 16
NPY_MAGIC = b"\x93NUMPY\x01\x00"
NPY_ALIGNMENT = 64


def npy_bytes(array: NDArray[Any]) -> bytes:
    """The array as an .npy of format 1.0, its header spelt here so that no numpy changes it."""
    plain = np.asarray(array, order="C")
    if plain.dtype.hasobject:
        raise ModelError(f"an array of {plain.dtype}, expected plain numbers or text")
    shape = tuple(int(extent) for extent in plain.shape)
    text = f"{{'descr': {plain.dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    padding = -(len(NPY_MAGIC) + 2 + len(text) + 1) % NPY_ALIGNMENT
    header = text.encode("ascii") + b" " * padding + b"\n"
    return NPY_MAGIC + len(header).to_bytes(2, "little") + header + plain.tobytes()


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write an .npz and return what it holds; the same arrays are the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", ENTRY_TIME)
            entry.create_system, entry.external_attr = ENTRY_SYSTEM, ENTRY_MODE
            archive.writestr(entry, npy_bytes(array))
    write_file(path, content.getvalue())
    return content.getvalue()


def read_content(path: Path) -> bytes:
    """A file's bytes; one that cannot be read is a `ModelError`."""
    return read_file(path, "a file", ModelError, LARGEST_FILE_BYTES)


def read_arrays(path: Path, largest_bytes: int = LARGEST_FILE_BYTES) -> Arrays:
    """Every array of an .npz."""
    return arrays_in(read_content(path), path, largest_bytes)


def arrays_in(content: bytes, path: Path, largest_bytes: int = LARGEST_FILE_BYTES) -> Arrays:
    """Every array of an .npz's bytes, without pickle; a damaged or bloated one is a `ModelError`.

    `path` is for the message alone.
    """
    try:
        return parse_npz(content, largest_bytes)
    except ValueError as cause:
        raise ModelError(f"{path}: not a readable .npz ({cause})") from cause


def typed(
    arrays: Mapping[str, NDArray[np.generic]],
    name: str,
    kind: type[np.generic],
    shape: tuple[int, ...],
) -> NDArray[Any]:
    """The named array, if it is of this type and shape."""
    array = arrays[name]
    if array.dtype != np.dtype(kind) or array.shape != shape:
        raise ModelError(f"{name}: {array.dtype} {array.shape}, expected {np.dtype(kind)} {shape}")
    return array
