"""Frame to scene: what stands before the lens, at the resolution of the smallest camera format."""

from __future__ import annotations

import numpy as np

from boardless_sim.camera.frame import Frame, Luma
from boardless_sim.errors import FrameError

WIDTH, HEIGHT = 160, 120
BORDER = 128
SQUARE = 112  # the largest square of whole 4x4 blocks; the small frames stand here
LEFT, TOP = (WIDTH - SQUARE) // 2, (HEIGHT - SQUARE) // 2
SMALL = 28  # shown four times its size, so that 4x4 means give back exactly its pixels

SIZES = ((SMALL, SMALL), (SQUARE, SQUARE), (HEIGHT, WIDTH))
SIZES_TEXT = "28x28, 112x112 or 160x120"

NO_FRAME = Frame("(no frame shown)", np.full((HEIGHT, WIDTH), BORDER, dtype=np.uint8))


def check(frame: Frame) -> None:
    """Raises `FrameError` for a frame that has no place in the scene."""
    luma = frame.luma
    if luma.dtype != np.uint8 or luma.shape not in SIZES:
        found = "x".join(str(side) for side in reversed(luma.shape))
        raise FrameError(f"{frame.name}: found {found} {luma.dtype}, expected uint8 {SIZES_TEXT}")


def compose(frame: Frame) -> Luma:
    """The scene [120,160] that shows `frame`. Raises `FrameError` for a size without a place."""
    check(frame)
    return _place(frame.luma)


def compose_colour(frame: Frame) -> Luma | None:
    """The same scene in red, green and blue, [120,160,3]; None where the frame is grey."""
    return None if frame.colour is None else _place(frame.colour)


def _place(picture: Luma) -> Luma:
    if picture.shape[:2] == (HEIGHT, WIDTH):
        return np.ascontiguousarray(picture)
    if picture.shape[:2] == (SMALL, SMALL):
        picture = picture.repeat(SQUARE // SMALL, axis=0).repeat(SQUARE // SMALL, axis=1)
    scene = np.full((HEIGHT, WIDTH, *picture.shape[2:]), BORDER, dtype=np.uint8)
    scene[TOP : TOP + SQUARE, LEFT : LEFT + SQUARE] = picture
    return scene
