from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from boardless_models.data.archive import read_arrays, write_arrays
from boardless_sim.errors import ModelError

ARRAYS = {
    "text": np.array("a network"),
    "none": np.array(7, np.int32),
    "row": np.arange(3, dtype=np.int8),
    "block": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
}


def test_arrays_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", ARRAYS)
    found = read_arrays(tmp_path / "a.npz")
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(found[name], array)


def test_the_bytes_depend_on_the_arrays_alone(tmp_path: Path) -> None:
    """The digest is a constant: every Python and numpy must come to it."""
    write_arrays(tmp_path / "a.npz", ARRAYS)
    digest = hashlib.sha256((tmp_path / "a.npz").read_bytes()).hexdigest()
    assert digest == "1cce7cb3dc6096d333ca4db680069834889d5d9009c621ffbd3cb29ea4375296"


def test_the_memory_layout_of_an_array_does_not_show(tmp_path: Path) -> None:
    block = ARRAYS["block"]
    write_arrays(tmp_path / "a.npz", {"block": block})
    write_arrays(tmp_path / "b.npz", {"block": np.asfortranarray(block)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_objects_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="an array of object, expected plain numbers or text"):
        write_arrays(tmp_path / "a.npz", {"any": np.array([{}], object)})


def test_archive_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", network=np.zeros(20 * 1024 * 1024, np.uint8))
    with pytest.raises(ModelError, match="bytes unpacked, expected at most 16777216"):
        read_arrays(tmp_path / "a.npz")
