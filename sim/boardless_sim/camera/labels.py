"""The true class of every frame: numbers or names, one a frame, or a CSV that names files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from boardless_sim.camera import idx
from boardless_sim.errors import FrameError, LabelError
from boardless_sim.files import natural_order, open_file, read_file

_MOST_BYTES = 64 << 20
_MOST_DIGITS = 9
_EXPECTED = "a readable file of labels"
# What the first cell of a CSV's heading is called.
_HEADINGS = frozenset({"file", "filename", "frame", "image", "name", "path", "picture"})


class ClassNames:
    """Names of classes to their numbers: the firmware's own names, or the data's in their order.

    The data's names count from 0 in natural order, as the model line numbers them; where all are
    numbers, they are the classes.
    """

    def __init__(self, known: Sequence[str], used: set[str]) -> None:
        self.names = tuple(known)
        if not known and not all(map(_is_number, used)):
            self.names = tuple(sorted(used, key=natural_order))
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def number(self, name: str, source: str) -> int:
        """Raises `LabelError` for a name that is no class."""
        if name in self._numbers:
            return self._numbers[name]
        if _is_number(name):
            return int(name)
        known = ", ".join(self.names)[:80] or "0 or more"
        raise LabelError(f"{source}: found class {name[:40]!r}, expected one of: {known}")


def read_labels(path: Path) -> Sequence[str] | Mapping[str, str]:
    """One for each frame in order, or by the name of a file. Raises `LabelError`."""
    with open_file(path, _EXPECTED, LabelError) as file:
        magic = file.read(4)
    if idx.is_idx(magic):
        try:
            return [str(int(label)) for label in idx.read(path, dimensions=(1,))[1]]
        except FrameError as error:
            raise LabelError(str(error)) from error
    rows = _rows(path)
    if any(len(row) > 1 for _, row in rows):
        return _by_file(path, rows)
    return _in_order(path, [(number, row[0]) for number, row in rows])


def _in_order(path: Path, lines: list[tuple[int, str]]) -> list[str]:
    """Numbers, or names: a file that has both is taken for a mistake."""
    are_names = bool(lines) and not _is_number(lines[0][1])
    for number, text in lines:
        looks_like_a_number = text.lstrip("+-").isdigit()
        if looks_like_a_number if are_names else not _is_number(text):
            expected = "one name a line" if are_names and number > 1 else "one integer a line"
            raise LabelError(f"{path}:{number}: found {text[:40]!r}, expected {expected}")
    return [text for _, text in lines]


def _by_file(path: Path, rows: list[tuple[int, list[str]]]) -> dict[str, str]:
    found: dict[str, str] = {}
    if rows[0][1][0].lower() in _HEADINGS:
        rows = rows[1:]
    for number, row in rows:
        if len(row) != 2 or not row[0]:
            shown = ",".join(row)[:40]
            raise LabelError(f"{path}:{number}: found {shown!r}, expected a file and its label")
        name = Path(row[0]).as_posix()
        if name in found:
            raise LabelError(f"{path}:{number}: found {name!r} again, expected each file once")
        found[name] = row[1]
    return found


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of every line, without the empty ones at its end, and its number."""
    content = read_file(path, _EXPECTED, LabelError, _MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")  # spreadsheets begin with a byte-order mark
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path}: found {error}, expected {_EXPECTED}") from error
    for _, row in rows:
        while row and not row[-1]:
            row.pop()
    while rows and not rows[-1][1]:
        rows.pop()
    empty = next((number for number, row in rows if not row), None)
    if empty is not None:
        raise LabelError(f"{path}:{empty}: found '', expected one integer a line")
    return rows


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
