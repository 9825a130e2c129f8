"""Anybody's data set: a folder for each class, IDX files, an .npz, a CSV; split by a seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.archive import read_arrays, read_content
from boardless_models.data.dataset import (
    DATASET_FOLDER,
    Dataset,
    Split,
    checked_split,
    load_dataset,
)
from boardless_models.data.idx import GZIP_MAGIC, parse_idx, unpack
from boardless_models.data.network import Shape
from boardless_models.data.pictures import (
    LabelledPicture,
    class_names,
    pictures_in_csv,
    pictures_in_folders,
    read_pictures,
)
from boardless_sim.errors import ModelError

LARGEST_ARCHIVE_BYTES = 512 * 1024 * 1024
VALIDATION_SHARE, TEST_SHARE = 0.15, 0.15
# An .npz names its arrays as Keras does, or has all frames together.
APART = ("x_train", "y_train", "x_test", "y_test")
TOGETHER = ("images", "labels")
IDX_TRAIN, IDX_TEST = "train", "t10k"


def open_dataset(path: Path, shape: Shape, seed: int = 1) -> Dataset:
    """The data set at a path, its pictures scaled to the shape; what has no split gets one by seed.

    Fashion-MNIST where Debian puts it is taken as it is: its split is everybody's.
    """
    if path == DATASET_FOLDER:
        return load_dataset(path)
    if path.is_dir():
        idx = any(path.glob(f"{IDX_TRAIN}-images*"))
        return from_idx(path, seed) if idx else from_folders(path, shape, seed)
    if path.suffix == ".npz":
        return from_npz(path, seed)
    if path.suffix == ".csv":
        return from_pictures(pictures_in_csv(path), [], path, shape, seed)
    raise ModelError(f"{path}: not found, expected a folder of classes or of IDX files, .npz, .csv")


def from_folders(folder: Path, shape: Shape, seed: int) -> Dataset:
    """A folder for each class; or `train` and `test`, each with these."""
    parts = [folder / name for name in ("train", "test")]
    if all(part.is_dir() for part in parts):
        train, test = (pictures_in_folders(part) for part in parts)
        return from_pictures(train, test, folder, shape, seed)
    return from_pictures(pictures_in_folders(folder), [], folder, shape, seed)


def from_pictures(
    train: list[LabelledPicture], test: list[LabelledPicture], source: Path, shape: Shape, seed: int
) -> Dataset:
    """Pictures as frames of the shape."""
    classes = class_names([*train, *test], source)
    first = Split(*read_pictures(train, classes, shape))
    second = Split(*read_pictures(test, classes, shape)) if test else None
    return divided(first, second, tuple("-".join(name.split()) for name in classes), seed)


def from_idx(folder: Path, seed: int) -> Dataset:
    """IDX files named as those of MNIST; the test files may be missing."""
    train = idx_split(folder, IDX_TRAIN)
    has_test = any(folder.glob(f"{IDX_TEST}-images*"))
    return divided(train, idx_split(folder, IDX_TEST) if has_test else None, (), seed)


def idx_split(folder: Path, prefix: str) -> Split:
    """Frames and labels of one pair of files."""
    arrays: list[NDArray[np.uint8]] = []
    for kind in ("images", "labels"):
        found = sorted(folder.glob(f"{prefix}-{kind}*"))
        if len(found) != 1:
            raise ModelError(f"{folder}: {len(found)} files {prefix}-{kind}*, expected one")
        content = read_content(found[0])
        if content.startswith(GZIP_MAGIC):
            content = unpack(content, found[0].name)
        arrays.append(parse_idx(content, str(found[0])))
    return checked_split(arrays[0], arrays[1], str(folder / prefix))


def from_npz(path: Path, seed: int) -> Dataset:
    """`x_train`, `y_train`, `x_test`, `y_test`, or `images` and `labels`; `classes` names them."""
    arrays = read_arrays(path, LARGEST_ARCHIVE_BYTES)
    names = tuple(str(name) for name in arrays["classes"]) if "classes" in arrays else ()
    if all(name in arrays for name in APART):
        splits = [
            npz_split(path, arrays[frames], arrays[labels])
            for frames, labels in (APART[:2], APART[2:])
        ]
        return divided(splits[0], splits[1], names, seed)
    if all(name in arrays for name in TOGETHER):
        whole = npz_split(path, *(arrays[name] for name in TOGETHER))
        return divided(whole, None, names, seed)
    expected = f"{', '.join(APART)} or {', '.join(TOGETHER)}"
    raise ModelError(f"{path}: arrays {sorted(arrays)}, expected {expected}")


def npz_split(path: Path, images: NDArray[np.generic], labels: NDArray[np.generic]) -> Split:
    """Frames and labels of an .npz."""
    flat = labels.reshape(-1)
    if images.dtype != np.uint8 or flat.dtype.kind not in "iu":
        raise ModelError(
            f"{path}: frames of {images.dtype}, labels of {flat.dtype}; expected uint8, integers"
        )
    if flat.size and not 0 <= int(flat.min()) <= int(flat.max()) <= 255:
        raise ModelError(f"{path}: labels {flat.min()} to {flat.max()}, expected 0 to 255")
    frames = images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images
    return checked_split(np.asarray(frames, np.uint8), flat.astype(np.uint8), str(path))


def divided(train: Split, test: Split | None, names: tuple[str, ...], seed: int) -> Dataset:
    """Validation, and test where there is none, drawn from the training frames class by class."""
    highest = max(int(split.labels.max()) for split in (train, test) if split is not None)
    names = names or tuple(str(index) for index in range(highest + 1))
    if len(names) <= highest:
        raise ModelError(f"label {highest}, expected less than {len(names)}, the names")
    random = np.random.default_rng(seed)
    shares = (VALIDATION_SHARE,) if test is not None else (VALIDATION_SHARE, TEST_SHARE)
    rest, *drawn = drawn_apart(train, shares, random)
    validation, measured = drawn[0], test if test is not None else drawn[1]
    splits = rest, validation, measured
    if min(len(split) for split in splits) < 1:
        counts = ", ".join(str(len(split)) for split in splits)
        raise ModelError(f"{counts} frames to train, choose and measure by, expected some of each")
    return Dataset(rest, validation, measured, digest_of(splits, names), names)


def drawn_apart(
    split: Split, shares: tuple[float, ...], random: np.random.Generator
) -> tuple[Split, ...]:
    """What is left, and for each share so much of every class, of few frames one."""
    order = random.permutation(len(split))
    by_class = [order[split.labels[order] == label] for label in np.unique(split.labels)]
    parts: list[list[int]] = [[] for _ in range(len(shares) + 1)]
    for own in by_class:
        start = 0
        for part, share in enumerate(shares, start=1):
            count = round(share * len(own))
            parts[part] += own[start : start + count].tolist()
            start += count
        parts[0] += own[start:].tolist()
    for part_of in parts[1:]:
        if not part_of and len(parts[0]) > 1:
            part_of.append(parts[0].pop())
    picked = [np.sort(np.array(part, np.intp)) for part in parts]
    return tuple(Split(split.images[part], split.labels[part]) for part in picked)


def digest_of(splits: tuple[Split, ...], names: tuple[str, ...]) -> str:
    """One digest of every byte that is trained, chosen and measured by, and of the names."""
    digest = hashlib.sha256("\n".join(names).encode("utf-8"))
    for split in splits:
        digest.update(repr(split.images.shape).encode("ascii"))
        digest.update(split.images.tobytes())
        digest.update(split.labels.tobytes())
    return digest.hexdigest()
