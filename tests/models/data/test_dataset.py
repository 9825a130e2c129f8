from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from boardless_models.data import dataset as data
from boardless_models.data import idx as idx_module
from boardless_models.data.dataset import (
    checked_split,
    load_dataset,
    load_test_split,
    read_checked,
)
from boardless_models.data.idx import parse_idx, unpack
from boardless_sim.errors import ModelError

LABELS = "t10k-labels-idx1-ubyte.gz"


def idx(shape: tuple[int, ...], content: bytes) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + content


def test_idx_of_frames_is_decoded() -> None:
    frames = parse_idx(idx((2, 1, 3), bytes(range(6))), "f")
    assert frames.tolist() == [[[0, 1, 2]], [[3, 4, 5]]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x08", "f: 3 bytes, expected an IDX header of at least 4"),
        (
            b"\0\0\x0d\x01\0\0\0\0",
            "f: IDX magic 0x00000d01, expected 0x000008NN (unsigned bytes)",
        ),
        (b"\0\0\x08\x02" + bytes(8), "f: 2 dimensions, expected 1 (labels), 3 or 4 (frames)"),
        (b"\0\0\x08\x03" + bytes(8), "f: 12 bytes, expected a header of 16"),
        (idx((4,), b"abc"), "f: 11 bytes, expected 12 for shape (4,)"),
        (idx((2,), b"abc"), "f: 11 bytes, expected 10 for shape (2,)"),
        (
            idx((0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF), b""),
            f"f: 16 bytes, expected {16 + 0xFFFFFFFF**3} for shape {(0xFFFFFFFF,) * 3}",
        ),
    ],
)
def test_idx_that_lies_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_idx(content, "f")
    assert str(caught.value) == message


def test_missing_data_set_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install the Debian package dataset-fashion-mnist"):
        load_test_split(tmp_path)


def test_changed_file_is_refused_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / LABELS
    path.write_bytes(gzip.compress(idx((1,), b"\0")))
    with pytest.raises(ModelError, match=f"sha256 [0-9a-f]{{64}}, expected {data.SHA256[LABELS]}"):
        read_checked(path)


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / LABELS).mkdir()
    with pytest.raises(ModelError, match="is a folder, expected a file of Fashion-MNIST"):
        read_checked(tmp_path / LABELS)


def test_gzip_that_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match="f: not a gzip file"):
        unpack(b"no gzip at all", "f")


def test_gzip_that_ends_early_is_refused() -> None:
    with pytest.raises(ModelError, match="f: the gzip stream ends early"):
        unpack(gzip.compress(bytes(1000))[:-9], "f")


def test_gzip_that_grows_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idx_module, "LARGEST_IDX_BYTES", 1000)
    with pytest.raises(ModelError, match="f: more than 1000 bytes once decompressed"):
        unpack(gzip.compress(bytes(100_000)), "f")


def test_frames_and_labels_must_agree() -> None:
    frames = np.zeros((2, 1, 1), np.uint8)
    with pytest.raises(ModelError, match="s: 2 frames but 1 labels"):
        checked_split(frames, np.zeros(1, np.uint8), "s")
    with pytest.raises(ModelError, match="s: 1-D frames and 1-D labels"):
        checked_split(np.zeros(2, np.uint8), np.zeros(2, np.uint8), "s")


def test_validation_is_the_end_of_the_training_files() -> None:
    dataset = load_dataset()
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (
        55_000,
        5_000,
        10_000,
    )
    whole = parse_idx(read_checked(data.DATASET_FOLDER / "train-labels-idx1-ubyte.gz"), "f")
    assert np.array_equal(dataset.validation.labels, whole[-5_000:])
