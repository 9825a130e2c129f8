"""Fashion-MNIST from the Debian package: IDX files, checked by digest before they are believed."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Network, Shape
from boardless_sim.errors import ModelError

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

UNSIGNED_BYTE = 0x08
LARGEST_IDX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Split:
    """Frames [N,H,W] as uint8 and their class indices [N]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Dataset:
    """Training, validation (the last 5,000 of the training files) and test frames."""

    train: Split
    validation: Split
    test: Split
    sha256: str

    def check_input(self, network: Network) -> None:
        """Refuse a network that takes frames of another shape."""
        height, width = self.train.images.shape[1:]
        if network.input != Shape(height, width, 1):
            taken = "x".join(str(extent) for extent in astuple(network.input))
            raise ModelError(
                f"{network.name} takes frames of {taken}, the data set's are {height}x{width}x1"
            )


def parse_idx(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an IDX file of unsigned bytes; every count in the header is checked."""
    if len(content) < 4:
        raise ModelError(f"{name}: {len(content)} bytes, expected an IDX header of at least 4")
    zero, kind, rank = struct.unpack_from(">HBB", content)
    if zero != 0 or kind != UNSIGNED_BYTE:
        raise ModelError(
            f"{name}: IDX magic 0x{content[:4].hex()}, expected 0x000008NN (unsigned bytes)"
        )
    if rank not in (1, 3):
        raise ModelError(f"{name}: {rank} dimensions, expected 1 (labels) or 3 (frames)")
    header_bytes = 4 + 4 * rank
    if len(content) < header_bytes:
        raise ModelError(f"{name}: {len(content)} bytes, expected a header of {header_bytes}")
    shape: tuple[int, ...] = struct.unpack_from(f">{rank}I", content, 4)
    expected = header_bytes
    size = 1
    for extent in shape:
        size *= extent
    expected += size
    if len(content) != expected:
        raise ModelError(f"{name}: {len(content)} bytes, expected {expected} for shape {shape}")
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def unpack(compressed: bytes, name: str) -> bytes:
    """Decompress a gzip member, refusing one that grows past what an IDX file may hold."""
    engine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = engine.decompress(compressed, LARGEST_IDX_BYTES)
    except zlib.error as cause:
        raise ModelError(f"{name}: not a gzip file ({cause})") from cause
    if engine.unconsumed_tail:
        raise ModelError(f"{name}: more than {LARGEST_IDX_BYTES} bytes once decompressed")
    if not engine.eof:
        raise ModelError(f"{name}: the gzip stream ends early")
    return content


def read_checked(path: Path) -> bytes:
    """The decompressed content of one data set file whose digest is the known one."""
    try:
        compressed = path.read_bytes()
    except FileNotFoundError as cause:
        raise ModelError(f"{path}: not found; install the Debian package {DEBIAN_PACKAGE}") from (
            cause
        )
    except OSError as cause:
        raise ModelError(f"{path}: cannot be read ({cause.strerror})") from cause
    found = hashlib.sha256(compressed).hexdigest()
    expected = SHA256[path.name]
    if found != expected:
        raise ModelError(f"{path}: sha256 {found}, expected {expected}")
    return unpack(compressed, path.name)


def load_split(folder: Path, prefix: str) -> Split:
    """Frames and labels of one pair of IDX files, checked against each other."""
    names = (f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz")
    images, labels = (parse_idx(read_checked(folder / name), name) for name in names)
    return checked_split(images, labels, prefix)


def checked_split(images: NDArray[np.uint8], labels: NDArray[np.uint8], name: str) -> Split:
    """A split whose frames and labels agree in number and whose classes are known."""
    if images.ndim != 3 or labels.ndim != 1:
        raise ModelError(
            f"{name}: {images.ndim}-D frames and {labels.ndim}-D labels, expected 3, 1"
        )
    if len(images) != len(labels):
        raise ModelError(f"{name}: {len(images)} frames but {len(labels)} labels")
    if len(labels) and int(labels.max()) >= len(CLASS_NAMES):
        raise ModelError(
            f"{name}: label {int(labels.max())}, expected less than {len(CLASS_NAMES)}"
        )
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
    )
