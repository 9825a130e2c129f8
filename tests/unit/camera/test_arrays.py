from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boardless_sim.camera.source import open_frames
from boardless_sim.errors import FrameError

GREY = np.arange(784, dtype=np.uint32).reshape(28, 28).astype(np.uint8)


def frames_of(path: Path, array: NDArray[Any]) -> list[NDArray[np.uint8]]:
    np.save(path / "a.npy", array)
    return [frame.luma for frame in open_frames(path / "a.npy")]


@pytest.mark.parametrize(
    ("array", "count"),
    [
        (GREY, 1),
        (GREY[..., np.newaxis], 1),
        (np.stack([GREY, GREY]), 2),
        (np.stack([GREY, GREY])[..., np.newaxis], 2),
        (np.repeat(GREY[..., np.newaxis], 3, axis=2), 1),
        (np.repeat(GREY[..., np.newaxis], 4, axis=2)[np.newaxis], 1),
        (GREY.astype(np.uint16) << 8, 1),
        (GREY.astype(np.float32) / 255, 1),
    ],
)
def test_shapes_and_types(tmp_path: Path, array: NDArray[Any], count: int) -> None:
    found = frames_of(tmp_path, array)
    assert len(found) == count
    assert all(np.array_equal(luma, GREY) for luma in found)


def test_colour_goes_through(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((2, 28, 28, 3), (255, 0, 10), np.uint8))
    for frame in open_frames(tmp_path / "a.npy"):
        assert frame.colour is not None
        assert frame.colour[3, 3].tolist() == [255, 0, 10]
        assert frame.luma[3, 3] == 77  # 0.299 of 255, 0.114 of 10


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (GREY.astype(np.int8), "found int8, expected uint8, uint16, bool or floats of 0 to 1"),
        (GREY.astype(np.float32), "found float32 beyond 0 to 1, expected uint8,"),
        (np.full((28, 28), np.nan), "found float64 beyond 0 to 1, expected uint8,"),
        (np.zeros((1, 1, 28, 28), np.uint8), "found an array of [1, 1, 28, 28], expected [H,W],"),
        (np.zeros((5, 0, 28), np.uint8), "found an array of [5, 0, 28], expected some pixels"),
        (np.zeros(784, np.uint8), "found an array of [784], expected [H,W],"),
    ],
)
def test_what_is_no_picture(tmp_path: Path, array: NDArray[Any], found: str) -> None:
    with pytest.raises(FrameError) as caught:
        frames_of(tmp_path, array)
    assert found in str(caught.value)


def test_an_archive_has_labels_and_the_names_of_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, images=np.stack([GREY, GREY]), labels=[1, 0], classes=["cat", "dog"])
    frames = open_frames(path)
    assert frames.classes == ("cat", "dog")
    assert [frame.label for frame in frames] == [1, 0]


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"a": GREY, "b": GREY}, "found arrays a, b, expected x_test, images, frames"),
        ({"images": GREY, "labels": [1, 2]}, "found 2 labels of int64, expected 1"),
        ({"images": GREY, "labels": [-1]}, "expected 1 that are 0 or more"),
    ],
)
def test_an_archive_of_something_else(tmp_path: Path, arrays: dict[str, Any], found: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FrameError) as caught:
        open_frames(tmp_path / "a.npz")
    assert found in str(caught.value)


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=GREY)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 0xFFFF_FFF0)  # unpacked size
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(FrameError, match="damaged array"):
        open_frames(tmp_path / "a.npz")


@pytest.mark.parametrize(("kind", "values"), [(0x08, GREY), (0x0D, (GREY / 255).astype(">f4"))])
def test_idx_of_colour_and_of_floats(tmp_path: Path, kind: int, values: NDArray[Any]) -> None:
    colour = np.repeat(values[np.newaxis, ..., np.newaxis], 3, axis=3)
    header = bytes((0, 0, kind, 4)) + struct.pack(">4I", *colour.shape)
    (tmp_path / "a.idx").write_bytes(header + colour.tobytes())
    (frame,) = open_frames(tmp_path / "a.idx")
    assert np.array_equal(frame.luma, GREY)


def test_idx_of_signed_numbers(tmp_path: Path) -> None:
    header = bytes((0, 0, 0x0B, 3)) + struct.pack(">3I", 1, 28, 28)
    (tmp_path / "a.idx").write_bytes(header + bytes(2 * 784))
    with pytest.raises(FrameError, match="found int16, expected uint8"):
        open_frames(tmp_path / "a.idx")
