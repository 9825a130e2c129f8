"""Any picture to a frame: scaled, cropped or letter-boxed into the camera's field of view.

`scale`: a square picture becomes the square in the middle, where a 28x28 frame stands; any other is
stretched over the whole field. `crop`: the field is filled, what sticks out is cut off evenly.
`letterbox`: the whole picture is seen, in its proportions, between grey borders. Each pixel of the
result is the mean of what it covers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boardless_sim.camera.frame import Frame, Luma
from boardless_sim.camera.scene import BORDER, HEIGHT, LARGE, SIZES, SQUARE, WIDTH
from boardless_sim.errors import FrameError

if TYPE_CHECKING:
    from PIL import Image

FITS = ("scale", "crop", "letterbox")
DEFAULT_FIT = "scale"


def require_fit(fit: str) -> None:
    """Raises `FrameError` for a name that is none of `FITS`."""
    if fit not in FITS:
        raise FrameError(f"fit {fit!r}, expected one of: {', '.join(FITS)}")


def frame_of_pixels(name: str, pixels: NDArray[np.uint8], fit: str = DEFAULT_FIT) -> Frame:
    """A frame of an array [H,W], or [H,W,3] in red, green and blue."""
    require_fit(fit)
    if pixels.ndim == 2 and fit == DEFAULT_FIT and pixels.shape in SIZES:
        return Frame(name, pixels)  # the array itself: a data set is not copied
    from PIL import Image  # a run on an array of frames does not pay for it

    return frame_of_picture(name, Image.fromarray(pixels), fit)


def frame_of_picture(name: str, picture: Image.Image, fit: str = DEFAULT_FIT) -> Frame:
    """A frame of a Pillow image of mode L or RGB."""
    require_fit(fit)
    placed = _placed(picture, fit)
    luma = _pixels(placed.convert("L"))  # ITU-R BT.601, as Pillow's manual says of convert
    return Frame(name, luma, colour=_pixels(placed) if placed.mode == "RGB" else None)


def _placed(picture: Image.Image, fit: str) -> Image.Image:
    from PIL import Image, ImageOps

    is_square = picture.width == picture.height
    if fit == "scale" and (picture.height, picture.width) in SIZES:
        return picture
    whole = (SQUARE, SQUARE) if fit == "scale" and is_square else (WIDTH, HEIGHT)
    is_fine = picture.width > whole[0] or picture.height > whole[1]
    size = tuple(side * (LARGE if is_fine else 1) for side in whole)
    means = Image.Resampling.BOX
    if fit == "crop":
        return ImageOps.fit(picture, (size[0], size[1]), means)
    if fit == "letterbox":
        border: Any = BORDER if picture.mode == "L" else (BORDER,) * 3
        return ImageOps.pad(picture, (size[0], size[1]), means, color=border)
    return picture.resize((size[0], size[1]), means)


def _pixels(picture: Image.Image) -> Luma:
    return np.array(picture, dtype=np.uint8)
