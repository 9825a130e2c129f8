"""Pictures with labels: a folder for each class, or a CSV that names files, scaled to one shape."""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_sim.errors import ModelError
from boardless_sim.files import natural_order, read_text, require_regular

SUFFIXES = frozenset({".png", ".pgm", ".ppm", ".jpg", ".jpeg", ".bmp"})
FORMATS = ("PNG", "PPM", "JPEG", "BMP")
LARGEST_PICTURE_PIXELS = 4096 * 4096
LARGEST_SET_BYTES = 512 * 1024 * 1024
LARGEST_CSV_BYTES = 64 * 1024 * 1024
MOST_CLASSES = 256


@dataclass(frozen=True)
class LabelledPicture:
    """A file and the name of its class."""

    path: Path
    label: str


def pictures_in_folders(folder: Path) -> list[LabelledPicture]:
    """The pictures of every folder, which has the name of a class; hidden files are left out."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    found = [
        LabelledPicture(path, label.name)
        for label in classes
        for path in sorted(label.rglob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not found:
        raise ModelError(f"{folder}: no pictures, expected a folder for each class with some")
    return found


def pictures_in_csv(path: Path) -> list[LabelledPicture]:
    """Lines of file and class, the file beside the CSV; a first line that names no file is none."""
    try:
        text = read_text(path, "a CSV", ModelError, LARGEST_CSV_BYTES)
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error as cause:
        raise ModelError(f"{path}: not a readable CSV ({cause})") from cause
    if rows and len(rows[0]) >= 2 and not (path.parent / rows[0][0]).is_file():
        rows = rows[1:]
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not row[1].strip():
            raise ModelError(f"{path}: row {number} is {row}, expected a file and a class")
    if not rows:
        raise ModelError(f"{path}: no rows, expected a file and a class in each")
    return [LabelledPicture(path.parent / name, label.strip()) for name, label in rows]


def class_names(pictures: list[LabelledPicture], source: Path) -> tuple[str, ...]:
    """The classes in the natural order of their names."""
    names = {picture.label for picture in pictures}
    if not 2 <= len(names) <= MOST_CLASSES:
        raise ModelError(f"{source}: {len(names)} classes, expected 2 to {MOST_CLASSES}")
    return tuple(sorted(names, key=natural_order))


def read_pictures(
    pictures: list[LabelledPicture], classes: tuple[str, ...], shape: Shape
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Frames [N,H,W] or [N,H,W,3] of a shape, and the index of each one's class."""
    if len(pictures) * shape.size > LARGEST_SET_BYTES:
        raise ModelError(
            f"{len(pictures)} pictures of {shape.text}, expected at most {LARGEST_SET_BYTES} bytes"
        )
    number = {name: index for index, name in enumerate(classes)}
    frames = np.stack([read_picture(picture.path, shape) for picture in pictures])
    labels = np.array([number[picture.label] for picture in pictures], np.uint8)
    return frames, labels


def read_picture(path: Path, shape: Shape) -> NDArray[np.uint8]:
    """A picture's middle in the proportions of the shape, each pixel the mean of what it covers."""
    from PIL import Image, ImageOps  # only who reads pictures pays for it

    require_regular(path, "a picture", ModelError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > LARGEST_PICTURE_PIXELS:
                    raise ModelError(f"{path}: found {picture.width}x{picture.height} pixels")
                coloured = picture.convert("RGB")
                grey = coloured if shape.channels == 3 else coloured.convert("L")
                size = shape.width, shape.height
                return np.array(ImageOps.fit(grey, size, Image.Resampling.BOX), np.uint8)
    except (OSError, ValueError, SyntaxError, EOFError) as cause:
        raise ModelError(f"{path}: not a readable picture ({cause})") from cause
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as cause:
        raise ModelError(f"{path}: a picture far too large") from cause
