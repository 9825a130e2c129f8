"""Pictures in files, read by Pillow: whatever they hold becomes 8-bit grey or colour.

A picture is hostile until its header was read: how large it says to be is held against a bound
before anything is unpacked.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boardless_sim.camera.fit import frame_of_picture
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import BORDER, HEIGHT, LARGE, WIDTH
from boardless_sim.errors import FrameError
from boardless_sim.files import require_regular

if TYPE_CHECKING:
    from PIL import Image

PICTURE_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
PICTURE_SUFFIXES = frozenset(
    [
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".bmp",
        ".tif",
        ".tiff",
        ".gif",
        ".webp",
        ".pgm",
        ".ppm",
        ".pbm",
        ".pnm",
    ]
)
PICTURE_NAMES = "PNG, JPEG, BMP, TIFF, GIF, WebP, PGM or PPM"
MOST_PIXELS = 50_000_000  # what the largest of today's phones take
MOST_BYTES = 256 << 20
_MOST_PICTURES = 100_000  # in one file
_SERIES = frozenset({"GIF", "TIFF", "WEBP", "PNG"})  # a phone's JPEG may carry its preview
_EXPECTED = f"expected a picture ({PICTURE_NAMES})"

# What Pillow's readers let through, beside OSError, for files that are not what they say.
_DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError,
    AttributeError, RuntimeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip


def is_picture(path: Path) -> bool:
    """Whether Pillow knows the file by its first bytes."""
    from PIL import Image, UnidentifiedImageError  # a run on arrays does not pay for it

    try:
        with _reading(path), Image.open(path, formats=PICTURE_FORMATS):
            return True
    except FrameError as error:
        if isinstance(error.__cause__, UnidentifiedImageError):
            return False
        raise


def count_pictures(path: Path) -> int:
    """How many pictures the file holds; an animation has several."""
    from PIL import Image

    with _reading(path), Image.open(path, formats=PICTURE_FORMATS) as picture:
        return _count(path, picture)


def read_pictures(path: Path, name: str, fit: str) -> Iterator[Frame]:
    """The frames of the pictures in a file, in order. Raises `FrameError`."""
    from PIL import Image

    require_regular(path, "a picture", FrameError, MOST_BYTES)
    with _reading(path):
        picture = Image.open(path, formats=PICTURE_FORMATS)
    with picture:
        with _reading(path):
            count = _count(path, picture)
        for index in range(count):
            # Not around the yield: the filter of warnings is everybody's.
            with _reading(path):
                if count > 1:
                    picture.seek(index)
                frame = _frame(path, picture, name if count == 1 else f"{name}[{index}]", fit)
            yield frame


def _count(path: Path, picture: Image.Image) -> int:
    count = getattr(picture, "n_frames", 1) if picture.format in _SERIES else 1
    if count > _MOST_PICTURES:
        raise FrameError(f"{path}: {count} pictures, expected at most {_MOST_PICTURES}")
    return count


def _frame(path: Path, picture: Image.Image, name: str, fit: str) -> Frame:
    from PIL import ImageOps

    if picture.width * picture.height > MOST_PIXELS:
        found = f"{picture.width}x{picture.height} pixels"
        raise FrameError(f"{path}: found {found}, expected at most {MOST_PIXELS:,}")
    # A JPEG is unpacked at a half, a quarter, an eighth of its size where that is enough.
    picture.draft(None, (2 * LARGE * WIDTH, 2 * LARGE * HEIGHT))
    upright = ImageOps.exif_transpose(picture)
    return frame_of_picture(name, _eight_bits(path, upright), fit)


def _eight_bits(path: Path, picture: Image.Image) -> Image.Image:
    """Grey or red, green and blue; what is transparent is as grey as what is around a frame."""
    from PIL import Image

    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _from_wide(path, picture)
    if picture.has_transparency_data:
        is_grey = picture.mode in ("L", "LA", "La")
        ground = Image.new("RGBA", picture.size, (BORDER, BORDER, BORDER, 255))
        ground.alpha_composite(picture.convert("RGBA"))
        return ground.convert("L" if is_grey else "RGB")
    if picture.mode in ("1", "L"):
        return picture.convert("L")
    return picture.convert("RGB")


def _from_wide(path: Path, picture: Image.Image) -> Image.Image:
    """16 bits of grey by their upper half; more than 16 have no scale that a file would state."""
    from PIL import Image

    values = np.asarray(picture)
    if values.dtype.kind == "f" or int(values.min()) < 0 or int(values.max()) > 0xFFFF:
        found = f"{values.dtype} of {values.min()} to {values.max()}"
        raise FrameError(f"{path}: found pixels of {found}, expected 8 or 16 bits of grey")
    return Image.fromarray((values.astype(np.uint32) >> 8).astype(np.uint8))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What Pillow raises on a hostile or damaged file, as one line."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise FrameError(f"{path}: found a picture far too large, {_EXPECTED}") from error
        except _DAMAGE as error:
            lines = str(error).splitlines()
            damage = lines[0][:120] if lines else type(error).__name__
            raise FrameError(f"{path}: found a damaged picture ({damage}), {_EXPECTED}") from error
