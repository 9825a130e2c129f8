"""Pictures as animations in the device's Flash (firmware/apps/command/animation.h)."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageSequence, UnidentifiedImageError

from boardless_sim.errors import FrameError
from boardless_sim.files import read_file

SIDES = (16, 32)
_PAGE_ROWS = 8
_LONGEST_RUN = 128
_REPEATED = 0x80
_LARGEST_MS, _MOST_FRAMES, _MOST_BYTES = 0xFFFF, 255, 0xFFFF
_DEFAULT_MS = 100
_MOST_FILE_BYTES, _FORMATS = 16 << 20, ("PNG", "GIF")
_WHITE = 128  # of 255: from here on a pixel shines
_NAME = re.compile(r"(\d{1,3})_([a-z0-9_]+)")


@dataclass(frozen=True)
class Animation:
    """Frames of one size, each in the display's order of bytes."""

    number: int
    name: str
    side: int
    frame_ms: int
    frames: tuple[bytes, ...]

    @property
    def coded(self) -> bytes:
        """All frames, each run-length coded by itself."""
        return b"".join(map(encode, self.frames))


def load_animation(path: Path, frame_ms: int = _DEFAULT_MS) -> Animation:
    """A PNG, a GIF, or a folder of PNGs in the order of their names: `5_jump.gif` is number 5.

    A GIF brings its own time of a frame. Raises `FrameError`.
    """
    match = _NAME.fullmatch(path.stem)
    if match is None or int(match[1]) > 255:
        raise FrameError(f"{path}: expected a name as 5_jump.gif, with a number from 0 to 255")
    try:
        frames, own_ms = _folder(path) if path.is_dir() else _file(path)
    except (OSError, ValueError, SyntaxError, EOFError, UnidentifiedImageError) as error:
        raise FrameError(f"{path}: {error}, expected PNG or GIF") from error
    duration_ms = own_ms or frame_ms
    sides = {frame.size for frame in frames}
    if not frames or len(sides) != 1 or sides.pop() not in {(side, side) for side in SIDES}:
        sizes = ", ".join(f"{w}x{h}" for w, h in sorted({frame.size for frame in frames}))
        raise FrameError(f"{path}: {sizes or 'no picture'}, expected all 16x16 or all 32x32")
    if len(frames) > _MOST_FRAMES or not 1 <= duration_ms <= _LARGEST_MS:
        raise FrameError(
            f"{path}: {len(frames)} frames of {duration_ms} ms, expected at most 255 of 1 to 65535"
        )
    return Animation(
        number=int(match[1]),
        name=match[2],
        side=frames[0].width,
        frame_ms=duration_ms,
        frames=tuple(pages_of(frame) for frame in frames),
    )


def _file(path: Path) -> tuple[list[Image.Image], int]:
    content = read_file(path, "a PNG or a GIF", FrameError, _MOST_FILE_BYTES)
    with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        own_ms = int(picture.info.get("duration", 0))
        frames = itertools.islice(ImageSequence.Iterator(picture), _MOST_FRAMES + 1)
        return [frame.convert("L") for frame in frames], own_ms


def _folder(path: Path) -> tuple[list[Image.Image], int]:
    return [_file(file)[0][0] for file in sorted(path.glob("*.png"))], 0


def pages_of(frame: Image.Image) -> bytes:
    """The bytes of a grey picture: eight rows of one column each, the upper row in bit 0."""
    grey, width = frame.convert("L").tobytes(), frame.width
    return bytes(
        sum((grey[(page + row) * width + x] >= _WHITE) << row for row in range(_PAGE_ROWS))
        for page in range(0, frame.height, _PAGE_ROWS)
        for x in range(width)
    )


def picture_of(pages: bytes, width: int) -> Image.Image:
    """The picture of such bytes."""
    height = len(pages) // width * _PAGE_ROWS
    picture = Image.new("L", (width, height))
    for place, byte in enumerate(pages):
        for row in range(_PAGE_ROWS):
            y = place // width * _PAGE_ROWS + row
            picture.putpixel((place % width, y), 255 * (byte >> row & 1))
    return picture


def encode(pages: bytes) -> bytes:
    """Runs of two bytes or more as such, everything between them as it is."""
    out, plain = bytearray(), bytearray()
    for value, run in ((value, len(list(group))) for value, group in groupby(pages)):
        left = run
        while left > 1:
            count = min(left, _LONGEST_RUN)
            _end_plain(out, plain)
            out += bytes([_REPEATED + count - 1, value])
            left -= count
        plain += bytes([value]) * left
    _end_plain(out, plain)
    return bytes(out)


def _end_plain(out: bytearray, plain: bytearray) -> None:
    for start in range(0, len(plain), _LONGEST_RUN):
        part = plain[start : start + _LONGEST_RUN]
        out += bytes([len(part) - 1]) + part
    plain.clear()


def c_source(animations: Sequence[Animation]) -> str:
    """The table that the firmware is built with. Raises `FrameError`."""
    numbers = [animation.number for animation in animations]
    if len(set(numbers)) != len(numbers):
        raise FrameError(f"animations {sorted(numbers)}, expected each number once")
    too_large = [each.name for each in animations if len(each.coded) > _MOST_BYTES]
    if too_large:
        raise FrameError(f"{too_large[0]}: over {_MOST_BYTES} bytes coded, expected at most those")
    ordered = sorted(animations, key=lambda animation: animation.number)
    lines = [
        "/* Written by `boardless device animation`. Do not edit. */",
        '#include "apps/command/animation.h"',
        "",
    ]
    for each in ordered:
        lines += [f"static const uint8_t {each.name}[] = {{", *_rows(each.coded), "};", ""]
    lines += ["const animation animations[] = {"]
    lines += [f"    {_entry(each)}," for each in ordered]
    lines += ["};", "const uint32_t animation_count = sizeof animations / sizeof animations[0];"]
    return "\n".join(lines) + "\n"


def _rows(data: bytes) -> Iterable[str]:
    for start in range(0, len(data), 16):
        yield "    " + " ".join(f"0x{byte:02x}," for byte in data[start : start + 16])


def _entry(each: Animation) -> str:
    return (
        f"{{{each.number}, {each.side}, {len(each.frames)}, {each.frame_ms}, "
        f"sizeof {each.name}, {each.name}}}"
    )
