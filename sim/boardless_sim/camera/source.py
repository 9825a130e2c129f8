"""Where frames come from: pictures, arrays, data sets, folders, patterns.

Nothing is decoded before its size is known to be allowed: a file is hostile until checked.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from boardless_sim.camera import idx
from boardless_sim.camera.frame import Frame, Luma
from boardless_sim.camera.pattern import PATTERN_PREFIX, pattern_frames
from boardless_sim.camera.scene import SIZES, SIZES_TEXT
from boardless_sim.errors import BoardlessError, FrameError, LabelError
from boardless_sim.files import open_file, read_file, read_text, require_regular
from boardless_sim.npy import MAGIC as NPY_MAGIC
from boardless_sim.npy import parse_npy

FrameSource = Iterator[Frame]

_MOST_LABEL_BYTES = 64 << 20
_PICTURE_MAGIC = (b"\x89PNG", b"P2", b"P3", b"P5", b"P6")
_FRAMES, _LABELS = "a readable file of frames", "a readable file of labels"
_PICTURE_SUFFIXES = frozenset({".png", ".pgm", ".ppm"})
_PICTURE_FORMATS = ("PNG", "PPM")
_PICTURE_MODES = frozenset({"1", "L", "P", "RGB"})


def open_frames(
    path: str | Path, labels: str | Path | None = None, limit: int | None = None
) -> FrameSource:
    """The frames of a file, a folder or "pattern:NAME", at most `limit` of them.

    `labels` is an IDX file, or a text file with one integer a line: one for each frame.
    Raises `FrameError` or `LabelError` here for what the file's header shows, and from the iterator
    for a picture of a folder that is not usable.
    """
    count, frame_at = _open(path, limit)
    if labels is None:
        label_at: Callable[[int], int | None] = lambda index: None  # noqa: E731
    else:
        label_at = _read_labels(Path(labels), count, str(path)).__getitem__
    wanted = count if limit is None else min(count, limit)

    def frames() -> FrameSource:
        for index in range(wanted):
            yield replace(frame_at(index), label=label_at(index))

    return frames()


_FrameAt = Callable[[int], Frame]


def _open(path: str | Path, limit: int | None) -> tuple[int, _FrameAt]:
    """How many frames there are, and how to read one."""
    if isinstance(path, str) and path.startswith(PATTERN_PREFIX):
        return pattern_frames(path, limit)
    path = Path(path)
    if path.is_dir():
        return _open_folder(path)
    magic = _magic(path)
    if magic.startswith(_PICTURE_MAGIC):
        frame = read_picture(path)
        return 1, lambda index: frame
    if magic.startswith(NPY_MAGIC):
        return _many(path, _read_npy(path))
    if idx.is_idx(magic):
        count, array = idx.read(path, dimensions=(2, 3), limit=limit)
        return _many(path, array) if array.ndim == 2 else (count, _many(path, array)[1])
    raise FrameError(f"{path}: found an unknown format, expected PNG, PGM, PPM, NPY or IDX")


def _magic(path: Path, expected: str = _FRAMES, error: type[BoardlessError] = FrameError) -> bytes:
    """How an input begins, once it is known to be a regular file."""
    with open_file(path, expected, error) as file:
        return file.read(8)


def _open_folder(path: Path) -> tuple[int, _FrameAt]:
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _PICTURE_SUFFIXES)
    if not files:
        raise FrameError(f"{path}: found no pictures, expected PNG, PGM or PPM files")
    return len(files), lambda index: read_picture(files[index])


def _many(path: Path, array: Luma) -> tuple[int, _FrameAt]:
    frames = array[np.newaxis] if array.ndim == 2 else array
    _check_size(path, frames.shape[1:])
    if array.ndim == 2:
        return 1, lambda index: Frame(path.name, frames[0])
    return len(frames), lambda index: Frame(f"{path.name}[{index}]", frames[index])


def read_picture(path: Path) -> Frame:
    """A PNG, PGM or PPM; the luma of a colour is ITU-R BT.601's."""
    from PIL import Image  # a run on an array does not pay for it

    expected = f"expected 8-bit grey or RGB of {SIZES_TEXT}"
    require_regular(path, _FRAMES, FrameError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_PICTURE_FORMATS) as picture:
                _check_size(path, (picture.height, picture.width))
                if picture.mode not in _PICTURE_MODES:
                    raise FrameError(f"{path}: found pixel mode {picture.mode}, {expected}")
                whole = picture.convert("RGB") if picture.mode == "P" else picture
                luma = np.array(whole.convert("L"), dtype=np.uint8)
                colour = np.array(whole, dtype=np.uint8) if whole.mode == "RGB" else None
                return Frame(path.name, luma, colour=colour)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        damage = _one_line(error)
        raise FrameError(f"{path}: found a damaged picture ({damage}), {expected}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FrameError(f"{path}: found a picture far too large, {expected}") from error


def _read_npy(path: Path) -> Luma:
    expected = "expected uint8 [H,W] or [N,H,W]"
    try:
        array = parse_npy(read_file(path, _FRAMES, FrameError))
    except ValueError as error:
        damage = _one_line(error)
        raise FrameError(f"{path}: found a damaged array ({damage}), {expected}") from error
    if array.dtype != np.uint8 or array.ndim not in (2, 3):
        found = f"{array.dtype} with {array.ndim} dimensions"
        raise FrameError(f"{path}: found {found}, {expected}")
    return array


def _check_size(path: Path, shape: tuple[int, ...]) -> None:
    if shape not in SIZES:
        raise FrameError(f"{path}: found {shape[1]}x{shape[0]}, expected {SIZES_TEXT}")


def _read_labels(path: Path, count: int, source: str) -> list[int]:
    magic = _magic(path, _LABELS, LabelError)
    try:
        if idx.is_idx(magic):
            labels = [int(label) for label in idx.read(path, dimensions=(1,))[1]]
        else:
            labels = _read_text_labels(path, count)
    except FrameError as error:
        raise LabelError(str(error)) from error
    if len(labels) != count:
        expected = f"expected {count}, one for each frame of {source}"
        raise LabelError(f"{path}: found {len(labels)} labels, {expected}")
    return labels


def _read_text_labels(path: Path, count: int) -> list[int]:
    labels = []
    lines = read_text(path, _LABELS, LabelError, _MOST_LABEL_BYTES).splitlines()
    for number, line in enumerate(lines[: count + 1], start=1):
        text = line.strip().rstrip(",").strip()
        if not text.isdecimal() or len(text) > 9:
            found = f"found {text[:40]!r}"
            raise LabelError(f"{path}:{number}: {found}, expected one integer a line")
        labels.append(int(text))
    return labels


def _one_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__
