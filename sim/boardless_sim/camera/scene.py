"""Frame to scene: what stands before the lens, in the proportions of the field of view."""

from __future__ import annotations

import numpy as np

from boardless_sim.camera.frame import Frame, Luma
from boardless_sim.errors import FrameError

WIDTH, HEIGHT = 160, 120
BORDER = 128
SQUARE = 112  # the largest square of whole 4x4 blocks; square frames stand here
LEFT, TOP = (WIDTH - SQUARE) // 2, (HEIGHT - SQUARE) // 2
SMALL = 28  # shown four times its size, so that 4x4 means give back exactly its pixels
LARGE = 4  # a frame with more detail than the smallest camera format has it at VGA's

_COARSE = ((SMALL, SMALL), (SQUARE, SQUARE), (HEIGHT, WIDTH))
_FINE = ((LARGE * SQUARE, LARGE * SQUARE), (LARGE * HEIGHT, LARGE * WIDTH))
SIZES = (*_COARSE, *_FINE)
SIZES_TEXT = "28x28, 112x112, 160x120, 448x448 or 640x480"

NO_FRAME = Frame("(no frame shown)", np.full((HEIGHT, WIDTH), BORDER, dtype=np.uint8))


def check(frame: Frame) -> None:
    """Raises `FrameError` for a frame that has no place in the scene; `fit.py` gives it one."""
    luma = frame.luma
    if luma.dtype != np.uint8 or luma.shape not in SIZES:
        found = "x".join(str(side) for side in reversed(luma.shape))
        raise FrameError(f"{frame.name}: found {found} {luma.dtype}, expected uint8 {SIZES_TEXT}")


def compose(frame: Frame, scale: int = 1) -> Luma:
    """The scene that shows `frame`: [120,160], or that times `scale` where the frame is finer.

    `scale` is 1, 2 or 4. Raises `FrameError` for a size without a place.
    """
    check(frame)
    return _place(frame.luma, scale)


def compose_colour(frame: Frame, scale: int = 1) -> Luma | None:
    """The same scene in red, green and blue, [H,W,3]; None where the frame is grey."""
    return None if frame.colour is None else _place(frame.colour, scale)


def scale_for(width: int) -> int:
    """The coarsest scene that has as many columns as an output of this width."""
    return next((scale for scale in (1, 2) if scale * WIDTH >= width), LARGE)


def _place(picture: Luma, scale: int) -> Luma:
    if picture.shape[:2] in _FINE:
        picture = _means(picture, LARGE // scale)
    else:
        scale = 1
    if picture.shape[:2] == (scale * HEIGHT, scale * WIDTH):
        return np.ascontiguousarray(picture)
    if picture.shape[:2] == (SMALL, SMALL):
        picture = picture.repeat(SQUARE // SMALL, axis=0).repeat(SQUARE // SMALL, axis=1)
    top, left, side = scale * TOP, scale * LEFT, scale * SQUARE
    scene = np.full((scale * HEIGHT, scale * WIDTH, *picture.shape[2:]), BORDER, dtype=np.uint8)
    scene[top : top + side, left : left + side] = picture
    return scene


def _means(picture: Luma, factor: int) -> Luma:
    """Each pixel the mean of factor by factor, as the sensor averages what it scales down."""
    if factor == 1:
        return picture
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    blocks = picture.reshape(height, factor, width, factor, *picture.shape[2:])
    sums = blocks.sum(axis=(1, 3), dtype=np.uint16)
    means: Luma = ((sums + factor * factor // 2) // (factor * factor)).astype(np.uint8)
    return means
