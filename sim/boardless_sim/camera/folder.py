"""A folder of pictures: in the order of their names, or a folder for each class."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.camera.picture import PICTURE_NAMES, PICTURE_SUFFIXES
from boardless_sim.errors import FrameError
from boardless_sim.files import natural_order


@dataclass(frozen=True)
class PictureFile:
    """A file of pictures; `name` is its path below the folder, `class_name` its class's."""

    path: Path
    name: str
    class_name: str | None = None


@dataclass(frozen=True)
class PictureFolder:
    """The pictures of a folder, and what else lay there: hidden, the system's, no pictures."""

    files: tuple[PictureFile, ...]
    skipped: tuple[str, ...]


def read_folder(folder: Path) -> PictureFolder:
    """Pictures directly in it, else those of its folders, each named as a class.

    Names are in natural order. Raises `FrameError` where there is no picture.
    """
    entries = _listed(folder)
    files = [entry for entry in entries if not entry.is_dir()]
    flat = [PictureFile(path, path.name) for path in files if _is_picture(path)]
    if flat:
        return _ordered(flat, [path.name for path in entries if not _is_picture(path)])
    skipped = [path.name for path in entries if not path.is_dir() or _is_hidden(path)]
    pictures: list[PictureFile] = []
    for entry in entries:
        if entry.is_dir() and not _is_hidden(entry):
            found, left = _class_folder(folder, entry)
            pictures += found
            skipped += left
    if not pictures:
        left_out = f" ({len(skipped)} other files)" if skipped else ""
        expected = f"expected {PICTURE_NAMES} files, or a folder of them for each class"
        raise FrameError(f"{folder}: found no pictures{left_out}, {expected}")
    return _ordered(pictures, skipped)


def _class_folder(folder: Path, own: Path) -> tuple[list[PictureFile], list[str]]:
    """Everything below the folder of a class; links to folders are not followed."""
    pictures, skipped = [], []
    for place, _, names in os.walk(own):
        for path in (Path(place, name) for name in names):
            name = path.relative_to(folder).as_posix()
            if _is_picture(path) and not any(map(_is_hidden, path.relative_to(own).parents)):
                pictures.append(PictureFile(path, name, own.name))
            else:
                skipped.append(name)
    return pictures, skipped


def _ordered(files: Iterable[PictureFile], skipped: list[str]) -> PictureFolder:
    # Class by class in natural order, since a name is its path.
    in_order = sorted(files, key=lambda file: natural_order(file.name))
    return PictureFolder(tuple(in_order), tuple(sorted(skipped)))


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise FrameError(f"{folder}: {error.strerror}, expected a readable folder") from error


def _is_picture(path: Path) -> bool:
    # macOS writes ._shoe.png beside shoe.png: a name of a picture, and none.
    return path.suffix.lower() in PICTURE_SUFFIXES and not _is_hidden(path) and not path.is_dir()


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__MACOSX"))
