"""Where frames come from: pictures, arrays, data sets, folders, videos, patterns.

Nothing is decoded before its size is known to be allowed: a file is hostile until checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from boardless_sim.camera import idx
from boardless_sim.camera.arrays import FrameArray, read_idx, read_npy, read_npz
from boardless_sim.camera.fit import DEFAULT_FIT, require_fit
from boardless_sim.camera.folder import PictureFile, read_folder
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.labels import ClassNames, read_labels
from boardless_sim.camera.pattern import PATTERN_PREFIX, pattern_frames
from boardless_sim.camera.picture import PICTURE_NAMES, count_pictures, is_picture, read_pictures
from boardless_sim.camera.video import VIDEO_SUFFIXES, read_video
from boardless_sim.errors import FrameError, LabelError
from boardless_sim.files import open_file
from boardless_sim.npy import MAGIC as NPY_MAGIC
from boardless_sim.npy import NPZ_MAGIC

FrameSource = Iterator[Frame]


class Frames(FrameSource):
    """The frames of a source, one after the other.

    `classes`: the names of the classes that labels are numbers of, empty where they have none.
    `skipped`: files of the folder that are no pictures.
    """

    def __init__(
        self,
        frames: FrameSource,
        count: int | None,
        classes: tuple[str, ...] = (),
        skipped: tuple[str, ...] = (),
    ) -> None:
        self.classes, self.skipped = classes, skipped
        self._frames, self._left = frames, count

    def __next__(self) -> Frame:
        frame = next(self._frames)
        self._left = None if self._left is None else self._left - 1
        return frame

    def __length_hint__(self) -> int:
        return max(self._left or 0, 0)


def open_frames(
    path: str | Path,
    labels: str | Path | None = None,
    limit: int | None = None,
    fit: str = DEFAULT_FIT,
    classes: Sequence[str] = (),
) -> Frames:
    """The frames of a file, a folder or "pattern:NAME", at most `limit` of them.

    `labels`: IDX or text, one for each frame, or a CSV of files and labels. `fit`: how a picture of
    another size is placed (`fit.FITS`). `classes`: the names of the firmware's classes.
    Raises `FrameError` or `LabelError` here for what the file's header shows, and from the iterator
    for a picture of a folder that is not usable.
    """
    require_fit(fit)
    opened = _open(path, limit, fit)
    given = read_labels(Path(labels)) if labels is not None else opened.labels
    source = str(path) if labels is None else str(labels)
    found: Iterator[Frame]
    if given is None:
        names = ClassNames(classes, set())
        found = (frame for _, frame in opened.frames())
    else:
        used = set(given.values() if isinstance(given, Mapping) else given)
        names = ClassNames(opened.classes or classes, used)
        label_of = _labelled(given, opened, source, names)
        found = (replace(frame, label=label_of(item)) for item, frame in opened.frames())
        if opened.count is None:
            found = _as_many_as(len(given), found, source)
    count = opened.count
    if count is not None and limit is not None:
        count = min(count, limit)
    return Frames(islice(found, limit), count, names.names, opened.skipped)


def _as_many_as(labels: int, frames: Iterator[Frame], source: str) -> Iterator[Frame]:
    """The same, once it turned out that no label is left over."""
    count = 0
    for frame in frames:
        yield frame
        count += 1
    if count < labels:
        expected = f"expected {count}, one for each frame"
        raise LabelError(f"{source}: found {labels} labels, {expected}")


_Item = tuple[int, str]  # the position among what has labels, and the name of the file


@dataclass(frozen=True)
class _Opened:
    """A source. `count`: of what has labels; None where only reading to the end would tell."""

    count: int | None
    frames: Callable[[], Iterator[tuple[_Item, Frame]]]
    names: tuple[str, ...] = ()  # of the files, where it is a folder of them
    labels: Sequence[str] | None = None  # that it comes with
    classes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def _open(path: str | Path, limit: int | None, fit: str) -> _Opened:
    if isinstance(path, str) and path.startswith(PATTERN_PREFIX):
        count, frame_at = pattern_frames(path, limit)
        return _Opened(count, lambda: (((n, ""), frame_at(n)) for n in range(count)))
    path = Path(path)
    if path.is_dir():
        folder = read_folder(path)
        return _of_files(folder.files, folder.skipped, fit)
    with open_file(path, "a readable file of frames", FrameError) as file:
        magic = file.read(8)
    array = _open_array(path, magic, limit)
    if array is not None:
        known = None if array.labels is None else [str(label) for label in array.labels]
        return _Opened(array.count, lambda: _numbered(array.frames(fit)), (), known, array.classes)
    if path.suffix.lower() == ".csv":
        return _open_csv(path, fit)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return _Opened(None, lambda: _numbered(read_video(path, fit)))
    if not is_picture(path):
        expected = f"expected {PICTURE_NAMES}, NPY, NPZ, IDX, a CSV or a video"
        raise FrameError(f"{path}: found an unknown format, {expected}")
    return _open_picture(path, fit)


def _open_array(path: Path, magic: bytes, limit: int | None) -> FrameArray | None:
    if magic.startswith(NPY_MAGIC):
        return read_npy(path)
    if magic.startswith(NPZ_MAGIC):
        return read_npz(path)
    return read_idx(path, limit) if idx.is_idx(magic) else None


def _open_picture(path: Path, fit: str) -> _Opened:
    count = count_pictures(path)
    if count == 1:  # one that cannot be read is refused now
        (frame,) = read_pictures(path, path.name, fit)
        return _Opened(1, lambda: _numbered(iter([frame])))
    return _Opened(count, lambda: _numbered(read_pictures(path, path.name, fit)))


def _open_csv(path: Path, fit: str) -> _Opened:
    """Files and their classes, the files beside the CSV."""
    rows = read_labels(path)
    if not isinstance(rows, Mapping):
        raise FrameError(f"{path}: found one column, expected files and their classes")
    files = tuple(PictureFile(path.parent / name, name, label) for name, label in rows.items())
    missing = next((file for file in files if not file.path.is_file()), None)
    if missing is not None:
        raise LabelError(f"{path}: found {missing.name!r}, expected a file beside it")
    return _of_files(files, (), fit)


def _of_files(files: tuple[PictureFile, ...], skipped: tuple[str, ...], fit: str) -> _Opened:
    def frames() -> Iterator[tuple[_Item, Frame]]:
        for number, file in enumerate(files):
            for frame in read_pictures(file.path, file.name, fit):
                yield (number, file.name), frame

    own = [file.class_name for file in files if file.class_name is not None]
    names = tuple(file.name for file in files)
    return _Opened(len(files), frames, names, own or None, (), skipped)


def _numbered(frames: Iterator[Frame]) -> Iterator[tuple[_Item, Frame]]:
    for number, frame in enumerate(frames):
        yield (number, ""), frame


def _labelled(
    given: Sequence[str] | Mapping[str, str], opened: _Opened, source: str, names: ClassNames
) -> Callable[[_Item], int]:
    """The label of every item, once it is known that each has one."""
    if isinstance(given, Mapping):
        return _by_file(given, opened, source, names)
    numbers = [names.number(label, source) for label in given]
    if opened.count is not None and len(numbers) != opened.count:
        expected = f"expected {opened.count}, one for each frame"
        raise LabelError(f"{source}: found {len(numbers)} labels, {expected}")

    def label(item: _Item) -> int:
        if item[0] >= len(numbers):  # of a video, whose length nobody knows before
            expected = "expected one for each frame"
            raise LabelError(f"{source}: found {len(numbers)} labels, {expected}")
        return numbers[item[0]]

    return label


def _by_file(
    given: Mapping[str, str], opened: _Opened, source: str, names: ClassNames
) -> Callable[[_Item], int]:
    if not opened.names:
        raise LabelError(f"{source}: found names of files, expected one label for each frame")
    stray = next((name for name in given if name not in opened.names), None)
    if stray is not None:
        raise LabelError(f"{source}: found a label of {stray!r}, expected one of the pictures")
    missing = next((name for name in opened.names if name not in given), None)
    if missing is not None:
        raise LabelError(f"{source}: found no label of {missing!r}, expected one")
    numbers = {name: names.number(label, source) for name, label in given.items()}
    return lambda item: numbers[item[1]]
