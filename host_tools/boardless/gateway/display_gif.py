"""What a display showed, as an animated GIF in its own time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from boardless_sim.errors import BoardlessError
from boardless_sim.files import write_file
from boardless_sim.parts.ssd1306 import HEIGHT, WIDTH, Drawing

_SCALE = 3
_LEAST_MS, _LAST_MS = 20, 1000


def write_gif(path: Path, drawings: Sequence[Drawing]) -> None:
    """Every picture that stood there, for as long as it did."""
    shown = [each for each in drawings if each.pixels]
    if not shown:
        raise BoardlessError(f"{path}: the display showed nothing, expected pictures")
    ends = [each.begin_us for each in shown[1:]] + [shown[-1].begin_us + 1000 * _LAST_MS]
    frames = [_picture(each.pixels) for each in shown]
    durations = [
        max(round((end - each.begin_us) / 1000), _LEAST_MS)
        for each, end in zip(shown, ends, strict=True)
    ]
    drawn = io.BytesIO()
    frames[0].save(
        drawn, save_all=True, append_images=frames[1:], duration=durations, loop=0, format="GIF"
    )
    write_file(path, drawn.getvalue())


def _picture(pixels: bytes) -> Image.Image:
    grey = Image.frombytes("L", (WIDTH, HEIGHT), bytes(255 * pixel for pixel in pixels))
    return grey.resize((_SCALE * WIDTH, _SCALE * HEIGHT), Image.Resampling.NEAREST)
