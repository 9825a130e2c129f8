from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boardless_sim.camera import idx
from boardless_sim.camera.source import open_frames
from boardless_sim.errors import FrameError, LabelError

Array = NDArray[np.uint8]


def grey(height: int, width: int) -> Array:
    return np.arange(height * width, dtype=np.uint32).reshape(height, width).astype(np.uint8)


def idx_bytes(array: Array) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["shoe.png", "shoe.pgm"])
def test_grey_picture(tmp_path: Path, name: str) -> None:
    luma = grey(28, 28)
    Image.fromarray(luma).save(tmp_path / name)
    (frame,) = open_frames(tmp_path / name)
    assert frame.name == name
    assert frame.label is None
    assert np.array_equal(frame.luma, luma)


def test_colour_becomes_bt601_luma(tmp_path: Path) -> None:
    Image.new("RGB", (160, 120), (200, 100, 50)).save(tmp_path / "a.png")
    Image.new("RGB", (160, 120), (200, 100, 50)).save(tmp_path / "b.ppm")
    for name in ("a.png", "b.ppm"):
        (frame,) = open_frames(tmp_path / name)
        assert frame.luma.shape == (120, 160)
        assert set(frame.luma.ravel()) == {round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)}


def test_palette_picture(tmp_path: Path) -> None:
    Image.fromarray(grey(28, 28)).quantize(256).save(tmp_path / "p.png")
    (frame,) = open_frames(tmp_path / "p.png")
    assert abs(frame.luma.astype(int) - grey(28, 28)).max() <= 2


@pytest.mark.parametrize("shape", [(28, 28), (112, 112), (120, 160)])
def test_array_of_one_frame(tmp_path: Path, shape: tuple[int, int]) -> None:
    np.save(tmp_path / "one.npy", grey(*shape))
    (frame,) = open_frames(tmp_path / "one.npy")
    assert np.array_equal(frame.luma, grey(*shape))


def test_array_of_many_frames(tmp_path: Path) -> None:
    np.save(tmp_path / "many.npy", grey(28 * 3, 28).reshape(3, 28, 28))
    frames = list(open_frames(tmp_path / "many.npy"))
    assert [frame.name for frame in frames] == ["many.npy[0]", "many.npy[1]", "many.npy[2]"]
    assert np.array_equal(frames[2].luma, grey(28 * 3, 28)[56:])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_with_labels(tmp_path: Path, pack: type[bytes]) -> None:
    images = grey(28 * 4, 28).reshape(4, 28, 28)
    path = write(tmp_path / "t10k-images-idx3-ubyte", pack(idx_bytes(images)))
    labels = write(tmp_path / "labels", pack(idx_bytes(np.array([7, 2, 1, 0], np.uint8))))
    frames = list(open_frames(path, labels))
    assert [frame.label for frame in frames] == [7, 2, 1, 0]
    assert np.array_equal(frames[3].luma, images[3])


def test_frames_share_the_data_of_the_set(tmp_path: Path) -> None:
    images = np.zeros((1000, 28, 28), np.uint8)
    frames = list(open_frames(write(tmp_path / "images", idx_bytes(images))))
    assert all(frame.luma.base is not None for frame in frames)
    assert np.shares_memory(frames[0].luma, np.asarray(frames[999].luma.base))


def test_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "images", idx_bytes(np.zeros((10, 28, 28), np.uint8)))
    assert len(list(open_frames(path, limit=3))) == 3
    assert len(list(open_frames(path, limit=30))) == 10


def test_folder_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b.png", "a.pgm", "c.PNG"):
        Image.fromarray(grey(28, 28)).save(tmp_path / name)
    write(tmp_path / "notes.txt", b"not a picture")
    labels = write(tmp_path / "labels.csv", b"1\n2,\n 3 \n")
    frames = list(open_frames(tmp_path, labels))
    assert [(frame.name, frame.label) for frame in frames] == [
        ("a.pgm", 1),
        ("b.png", 2),
        ("c.PNG", 3),
    ]


@pytest.mark.parametrize("name", ["bars", "gradient", "checker", "noise:7"])
def test_patterns_are_full_frames(name: str) -> None:
    (frame,) = open_frames(f"pattern:{name}")
    (again,) = open_frames(f"pattern:{name}")
    assert frame.luma.shape == (120, 160)
    assert frame.luma.dtype == np.uint8
    assert frame.luma.max() > 240
    assert frame.luma.min() < 16
    assert np.array_equal(frame.luma, again.luma)


def test_checker_has_squares_of_eight() -> None:
    (frame,) = open_frames("pattern:checker")
    corners = [int(frame.luma[y, x]) for y in (0, 7, 8) for x in (0, 7, 8, 16)]
    assert corners == [0, 0, 255, 0, 0, 0, 255, 0, 255, 255, 0, 255]


def test_noise_goes_on_and_depends_on_the_seed() -> None:
    first, second = open_frames("pattern:noise:1", limit=2)
    (other,) = open_frames("pattern:noise:2")
    assert not np.array_equal(first.luma, second.luma)
    assert not np.array_equal(first.luma, other.luma)


def refusal(path: Path | str, labels: Path | None = None) -> str:
    with pytest.raises((FrameError, LabelError)) as caught:
        list(open_frames(path, labels))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    message = refusal(tmp_path / "none.png")
    assert message.endswith(
        "none.png: No such file or directory, expected a readable file of frames"
    )


def test_unknown_format(tmp_path: Path) -> None:
    message = refusal(write(tmp_path / "a.xyz", b"no picture"))
    assert "found an unknown format, expected PNG, JPEG, BMP, TIFF, GIF, WebP, PGM or" in message


def test_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.pgm", b"P5 60000 60000 255\n\0")
    assert "found a picture far too large" in refusal(path)


def test_truncated_picture(tmp_path: Path) -> None:
    Image.fromarray(grey(112, 112)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    assert "found a damaged picture" in refusal(write(tmp_path / "b.png", data[:100]))


def test_pickled_array_is_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"x": 1}], dtype=object))
    assert "found a damaged array" in refusal(tmp_path / "a.npy")


def test_idx_header_larger_than_its_file(tmp_path: Path) -> None:
    data = idx_bytes(np.zeros((3, 28, 28), np.uint8))
    message = refusal(write(tmp_path / "images", data[:-5]))
    assert f"found {3 * 784 - 5} bytes of data, expected {3 * 784} by its header" in message


def test_gzip_that_unpacks_to_more_than_its_header_says(tmp_path: Path) -> None:
    data = idx_bytes(np.zeros((1, 28, 28), np.uint8)) + bytes(1 << 20)
    message = refusal(write(tmp_path / "images.gz", gzip.compress(data)))
    assert "found more bytes of data, expected 784 by its header" in message


def test_idx_header_over_the_limit(tmp_path: Path) -> None:
    header = bytes((0, 0, 8, 3)) + struct.pack(">3I", 0xFFFF_FFFF, 28, 28)
    message = refusal(write(tmp_path / "images", header))
    assert f"expected at most {idx.MAX_BYTES}" in message


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08broken", b"\x00\x00\x08\x03\x00\x00", b"\0\0\x08"])
def test_damaged_idx(tmp_path: Path, data: bytes) -> None:
    assert "expected" in refusal(write(tmp_path / "images", data))


def test_idx_of_wrong_rank(tmp_path: Path) -> None:
    path = write(tmp_path / "labels", idx_bytes(np.zeros(5, np.uint8)))
    assert "found IDX magic '00000801'" in refusal(path)


def test_empty_folder(tmp_path: Path) -> None:
    assert "found no pictures" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["noise", "noise:x", "plaid", "bars:3", ""])
def test_unknown_pattern(name: str) -> None:
    assert "expected bars, gradient, checker or noise:SEED" in refusal(f"pattern:{name}")


def test_too_few_and_too_many_labels(tmp_path: Path) -> None:
    images = write(tmp_path / "images", idx_bytes(np.zeros((3, 28, 28), np.uint8)))
    few = write(tmp_path / "few.txt", b"1\n2\n")
    many = write(tmp_path / "many.txt", b"1\n2\n3\n4\n5\n")
    assert "few.txt: found 2 labels, expected 3, one for each frame" in refusal(images, few)
    assert "many.txt: found 5 labels, expected 3" in refusal(images, many)


def test_label_that_is_no_integer(tmp_path: Path) -> None:
    images = write(tmp_path / "images", idx_bytes(np.zeros((2, 28, 28), np.uint8)))
    labels = write(tmp_path / "labels.txt", b"1\nboot\n")
    assert "labels.txt:2: found 'boot', expected one integer a line" in refusal(images, labels)


def test_missing_labels(tmp_path: Path) -> None:
    assert "expected a readable file of labels" in refusal("pattern:bars", tmp_path / "none")


def test_only_what_the_limit_asks_for_is_unpacked(tmp_path: Path) -> None:
    frames = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    cut = idx_bytes(frames)[: 16 + 2 * 28 * 28]
    path = write(tmp_path / "frames.idx", cut)
    labels = write(tmp_path / "labels.txt", b"7\n8\n9\n")
    found = list(open_frames(path, labels=labels, limit=2))
    assert [frame.label for frame in found] == [7, 8]
    assert np.array_equal(found[1].luma, frames[1])
    with pytest.raises(FrameError, match="found 1568 bytes of data, expected 2352 by its header"):
        open_frames(path, limit=3)


def test_a_limit_does_not_cut_the_rows_of_a_single_picture(tmp_path: Path) -> None:
    picture = grey(28, 28)
    path = write(tmp_path / "one.idx", idx_bytes(picture))
    (frame,) = open_frames(path, limit=1)
    assert np.array_equal(frame.luma, picture)
