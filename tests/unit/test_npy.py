"""Arrays of numpy are read without evaluating their header."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from boardless_sim.npy import MAGIC, parse_npy

# A machine with other work draws slowly: that says nothing about the reader.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version, allow_pickle=False)
    return out.getvalue()


@UNHURRIED
@given(
    arrays(
        st.sampled_from(["|u1", "<i4", ">i2", "<f8", "|b1", "<U3"]),
        array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
    ),
    st.booleans(),
)
def test_what_numpy_writes_is_read(array: np.ndarray, fortran: bool) -> None:
    laid_out = np.asfortranarray(array) if fortran else array
    found = parse_npy(saved(laid_out))
    assert found.dtype == array.dtype
    assert found.shape == laid_out.shape
    assert found.tobytes() == laid_out.tobytes()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_is_read(version: tuple[int, int]) -> None:
    assert parse_npy(saved(np.arange(6, dtype=np.uint8), version)).tolist() == [0, 1, 2, 3, 4, 5]


def headed(header: bytes, data: bytes = b"") -> bytes:
    return MAGIC + b"\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 and more of it",
        MAGIC + b"\x04\x00\x00\x00\x00\x00",
        MAGIC + b"\x01\x00\xff\xff{}",
        headed(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"x"),
        headed(b"{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", b"1234"),
        headed(b"{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999,), }", b"x"),
        headed(b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", b"x"),
        headed(b"{'descr': '|u1', 'descr': '|u1', 'descr': '|u1', }", b"x"),
        headed(b"{'descr': '<f7', 'fortran_order': False, 'shape': (1,), }", b"1234567"),
        headed(b"(" * 4000),
        headed(b"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", b"x"),
        headed(b"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", b"xyz"),
    ],
)
def test_anything_else_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_npy(content)
