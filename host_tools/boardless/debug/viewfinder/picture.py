"""A picture that somebody dropped on the page, as a frame; hostile until it is one."""

from __future__ import annotations

import io
import warnings

import numpy as np

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import SQUARE
from boardless_sim.errors import FrameError

MOST_BYTES = 8 << 20
_MOST_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_EXPECTED = f"expected one of {', '.join(_FORMATS)}"


def frame_of(data: bytes, name: str) -> Frame:
    """The middle of the picture, as large as the camera's square. Raises `FrameError`."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                width, height = picture.size
                if width * height > _MOST_PIXELS:
                    raise FrameError(f"{name}: {width}x{height}, expected at most 40 megapixels")
                picture.draft("RGB", (SQUARE, SQUARE))  # a JPEG is decoded as small as will do
                upright = ImageOps.exif_transpose(picture).convert("RGB")
                square = ImageOps.fit(upright, (SQUARE, SQUARE))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        reason = (str(error).splitlines() or ["?"])[0][:120]
        raise FrameError(f"{name}: no picture ({reason}), {_EXPECTED}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FrameError(f"{name}: far too large, expected at most 40 megapixels") from error
    return Frame(name, np.array(square.convert("L"), np.uint8), colour=np.array(square, np.uint8))
