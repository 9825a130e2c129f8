"""What is trained on: frames with labels; and Fashion-MNIST, whose files are known by digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.idx import LARGEST_IDX_BYTES, parse_idx, unpack
from boardless_models.data.network import Network, Shape, stages
from boardless_sim.errors import ModelError
from boardless_sim.files import read_file

DATASET_FOLDER = Path("/usr/share/datasets/fashion-mnist")
DEBIAN_PACKAGE = "dataset-fashion-mnist"
CLASS_NAMES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle-boot",
)
VALIDATION_COUNT = 5_000

SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"
    ),
    "train-labels-idx1-ubyte.gz": (
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"
    ),
}


@dataclass(frozen=True)
class Split:
    """Frames [N,H,W] or [N,H,W,C] as uint8 and their class indices [N]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Dataset:
    """Frames to train on, to choose by and to measure on, and the names of their classes."""

    train: Split
    validation: Split
    test: Split
    sha256: str
    classes: tuple[str, ...]

    @property
    def shape(self) -> Shape:
        """The extents of a frame."""
        height, width, *channels = self.train.images.shape[1:]
        return Shape(height, width, *(channels or [1]))

    def check_input(self, network: Network) -> None:
        """Refuse a network that takes frames of another shape or tells other classes apart."""
        if network.input != self.shape:
            raise ModelError(
                f"{network.name} takes frames of {network.input.text}, the data set's are "
                f"{self.shape.text}"
            )
        outputs = stages(network)[-1].output.size
        if outputs != len(self.classes):
            raise ModelError(
                f"{network.name} tells {outputs} classes apart, the data set has "
                f"{len(self.classes)}"
            )


def read_checked(path: Path) -> bytes:
    """The decompressed content of one data set file whose digest is the known one."""
    if not path.exists():
        raise ModelError(f"{path}: not found; install the Debian package {DEBIAN_PACKAGE}")
    compressed = read_file(path, "a file of Fashion-MNIST", ModelError, LARGEST_IDX_BYTES)
    found = hashlib.sha256(compressed).hexdigest()
    expected = SHA256[path.name]
    if found != expected:
        raise ModelError(f"{path}: sha256 {found}, expected {expected}")
    return unpack(compressed, path.name)


def load_split(folder: Path, prefix: str) -> Split:
    """Frames and labels of one pair of IDX files, checked against each other."""
    names = (f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz")
    images, labels = (parse_idx(read_checked(folder / name), name) for name in names)
    split = checked_split(images, labels, prefix)
    if int(split.labels.max()) >= len(CLASS_NAMES):
        raise ModelError(
            f"{prefix}: label {int(split.labels.max())}, expected less than {len(CLASS_NAMES)}"
        )
    return split


def checked_split(images: NDArray[np.uint8], labels: NDArray[np.uint8], name: str) -> Split:
    """A split whose frames, grey or RGB, and labels agree in number."""
    if images.ndim not in (3, 4) or labels.ndim != 1:
        raise ModelError(
            f"{name}: {images.ndim}-D frames and {labels.ndim}-D labels, expected 3 or 4, 1"
        )
    if len(images) != len(labels) or not len(labels):
        raise ModelError(f"{name}: {len(images)} frames but {len(labels)} labels")
    if images.ndim == 4 and images.shape[3] != 3:
        raise ModelError(f"{name}: {images.shape[3]} channels, expected 1 or 3")
    return Split(images, labels)


def dataset_sha256() -> str:
    """One digest for the four files: that of their digests in the order of their names."""
    joined = "".join(SHA256[name] for name in sorted(SHA256))
    return hashlib.sha256(joined.encode("ascii")).hexdigest()


def load_test_split(folder: Path = DATASET_FOLDER) -> Split:
    """The 10,000 test frames alone, for the steps that only measure."""
    return load_split(folder, "t10k")


def load_dataset(folder: Path = DATASET_FOLDER) -> Dataset:
    """The standard split, with the end of the training files kept back for validation."""
    whole = load_split(folder, "train")
    cut = len(whole) - VALIDATION_COUNT
    return Dataset(
        train=Split(whole.images[:cut], whole.labels[:cut]),
        validation=Split(whole.images[cut:], whole.labels[cut:]),
        test=load_test_split(folder),
        sha256=dataset_sha256(),
        classes=CLASS_NAMES,
    )
