"""Anybody's data set, in each form that it comes in."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boardless_models.data.dataset import Dataset
from boardless_models.data.network import Shape
from boardless_models.data.opening import open_dataset
from boardless_sim.errors import ModelError

SHAPE = Shape(6, 4, 1)


def frames(count: int, *extents: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (count, *extents), np.uint8)


def idx(array: NDArray[np.uint8]) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def folders(root: Path, count: int = 10) -> Path:
    """Two classes, one black and one white, their pictures of another size, and a hidden file."""
    for name, value in (("night sky", 0), ("day", 255)):
        (root / name).mkdir(parents=True)
        for index in range(count):
            picture = np.full((16, 9), value, np.uint8)
            Image.fromarray(picture).save(root / name / f"{index}.png")
    (root / "day" / "._0.png").write_bytes(b"not a picture")
    return root


def sizes(dataset: Dataset) -> tuple[int, int, int]:
    return len(dataset.train), len(dataset.validation), len(dataset.test)


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    dataset = open_dataset(folders(tmp_path), SHAPE)
    assert dataset.classes == ("day", "night-sky")
    assert (sizes(dataset), dataset.shape) == ((12, 4, 4), SHAPE)
    for split in (dataset.train, dataset.validation, dataset.test):
        assert np.bincount(split.labels).tolist() == [len(split) // 2] * 2
        assert (split.images[split.labels == 0] == 255).all()
        assert (split.images[split.labels == 1] == 0).all()


def test_folders_of_training_and_test(tmp_path: Path) -> None:
    for part, count in (("train", 20), ("test", 4)):
        folders(tmp_path / part, count)
    assert sizes(open_dataset(tmp_path, SHAPE)) == (34, 6, 8)


def test_a_colour_picture_becomes_what_the_network_takes(tmp_path: Path) -> None:
    folders(tmp_path)
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    for index in range(10):
        Image.fromarray(red).save(tmp_path / "day" / f"{index}.png")
    dataset = open_dataset(tmp_path, Shape(6, 4, 3))
    assert dataset.shape == Shape(6, 4, 3)
    day = dataset.train.images[dataset.train.labels == 0]
    assert day.reshape(-1, 3).max(axis=0).tolist() == [200, 0, 0]


@pytest.mark.parametrize("header", ["file,class\n", ""])
def test_a_csv_of_files(tmp_path: Path, header: str) -> None:
    folders(tmp_path / "p")
    rows = [
        f"p/{name}/{at}.png,{label}\n"
        for name, label in (("day", 10), ("night sky", 9))
        for at in range(10)
    ]
    (tmp_path / "all.csv").write_text(header + "".join(rows))
    dataset = open_dataset(tmp_path / "all.csv", SHAPE)
    assert (dataset.classes, sizes(dataset)) == (("9", "10"), (12, 4, 4))


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files(tmp_path: Path, packed: bool) -> None:
    labels = np.arange(40, dtype=np.uint8) % 4
    for prefix in ("train", "t10k"):
        for name, array in (("images-idx3-ubyte", frames(40, 6, 4)), ("labels-idx1-ubyte", labels)):
            content = gzip.compress(idx(array)) if packed else idx(array)
            (tmp_path / f"{prefix}-{name}{'.gz' if packed else ''}").write_bytes(content)
    dataset = open_dataset(tmp_path, SHAPE)
    assert (sizes(dataset), dataset.classes) == ((32, 8, 40), ("0", "1", "2", "3"))
    assert np.array_equal(dataset.test.images, frames(40, 6, 4))


def test_an_npz_with_names(tmp_path: Path) -> None:
    labels = np.arange(40) % 2
    names = np.array(["off", "on"])
    np.savez(tmp_path / "a.npz", images=frames(40, 6, 4, 3), labels=labels, classes=names)
    dataset = open_dataset(tmp_path / "a.npz", SHAPE)
    assert (sizes(dataset), dataset.shape) == ((28, 6, 6), Shape(6, 4, 3))
    assert dataset.classes == ("off", "on")


def test_an_npz_as_keras_names_it(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz",
        x_train=frames(20, 6, 4, 1),
        x_test=frames(4, 6, 4, 1),
        y_train=np.arange(20)[:, None] % 2,
        y_test=np.arange(4)[:, None] % 2,
    )
    dataset = open_dataset(tmp_path / "a.npz", SHAPE)
    assert (sizes(dataset), dataset.shape) == ((16, 4, 4), SHAPE)


def test_the_seed_alone_decides_the_split(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=frames(40, 6, 4), labels=np.arange(40) % 2)
    first, again, other = (open_dataset(tmp_path / "a.npz", SHAPE, seed) for seed in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256
    assert np.array_equal(first.validation.images, again.validation.images)


def test_no_frame_stands_in_two_splits(tmp_path: Path) -> None:
    images = np.arange(200, dtype=np.uint8).reshape(200, 1, 1)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(200) % 7)
    dataset = open_dataset(tmp_path / "a.npz", Shape(1, 1, 1))
    splits = (dataset.train, dataset.validation, dataset.test)
    found = np.concatenate([split.images.reshape(-1) for split in splits])
    assert sorted(found.tolist()) == list(range(200))
    for split in splits:
        assert np.array_equal(split.images.reshape(-1) % 7, split.labels)


BAD: dict[str, tuple[dict[str, NDArray[np.generic]], str]] = {
    "names": ({"x": np.zeros(2, np.uint8)}, "arrays ['x'], expected x_train, y_train"),
    "kind": (
        {"images": np.zeros((4, 2, 2), np.float32), "labels": np.zeros(4, np.uint8)},
        "frames of float32, labels of uint8; expected uint8, integers",
    ),
    "channels": (
        {"images": np.zeros((4, 2, 2, 4), np.uint8), "labels": np.zeros(4, np.uint8)},
        "4 channels, expected 1 or 3",
    ),
    "label": (
        {"images": np.zeros((4, 2, 2), np.uint8), "labels": np.array([0, 1, 2, 256])},
        "labels 0 to 256, expected 0 to 255",
    ),
    "counts": (
        {"images": np.zeros((4, 2, 2), np.uint8), "labels": np.zeros(3, np.uint8)},
        "4 frames but 3 labels",
    ),
    "few": (
        {"images": np.zeros((2, 2, 2), np.uint8), "labels": np.zeros(2, np.uint8)},
        "1, 1, 0 frames to train, choose and measure by",
    ),
    "nameless": (
        {
            "images": np.zeros((4, 2, 2), np.uint8),
            "labels": np.arange(4),
            "classes": np.array(["a"]),
        },
        "label 3, expected less than 1, the names",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_an_npz_that_is_no_data_set_says_why(tmp_path: Path, name: str) -> None:
    arrays, message = BAD[name]
    np.savez(tmp_path / "a.npz", allow_pickle=False, **arrays)
    with pytest.raises(ModelError) as caught:
        open_dataset(tmp_path / "a.npz", SHAPE)
    assert message in str(caught.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone: not found, expected a folder of classes"):
        open_dataset(tmp_path / "gone", SHAPE)
    with pytest.raises(ModelError, match="no pictures, expected a folder for each class"):
        open_dataset(tmp_path, SHAPE)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    with pytest.raises(ModelError, match="1 classes, expected 2 to 256"):
        open_dataset(tmp_path, SHAPE)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.png").write_bytes(b"")
    with pytest.raises(ModelError, match=r"x\.png: not a readable picture"):
        open_dataset(tmp_path, SHAPE)
