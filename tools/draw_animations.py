"""Draws the pictures of the command device: firmware/apps/command/animations/*.gif.

Usage: tools/draw_animations.py; then `boardless device animation` makes the C source of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path("firmware/apps/command/animations")
FRAMES, FRAME_MS = 6, 100
Draw = Callable[[ImageDraw.ImageDraw, float, int], None]


def person(draw: ImageDraw.ImageDraw, side: int, lift: float = 0.0, lean: float = 0.0) -> None:
    """A matchstick man, `lift` pixels above the ground."""
    unit, middle = side / 16, side / 2
    foot = side - 1 - lift
    head, hip = foot - 13 * unit, foot - 5 * unit
    x = middle + lean
    draw.ellipse((x - 2 * unit, head, x + 2 * unit, head + 4 * unit), fill=255)
    draw.line((x, head + 4 * unit, middle, hip), fill=255, width=max(1, side // 16))
    for way in (-1, 1):
        draw.line((middle, hip, middle + way * 3 * unit, foot), fill=255)
        draw.line((x, head + 6 * unit, x + way * 4 * unit, head + 6 * unit - lift / 2), fill=255)


def jump(draw: ImageDraw.ImageDraw, phase: float, side: int) -> None:
    """Up and down."""
    person(draw, side, lift=abs(math.sin(math.pi * phase)) * side / 5)


def turn(draw: ImageDraw.ImageDraw, phase: float, side: int) -> None:
    """An arrow that goes round."""
    middle, radius = side / 2, side * 0.4
    angle = 360 * phase
    box = (middle - radius, middle - radius, middle + radius, middle + radius)
    draw.arc(box, angle, angle + 270, fill=255, width=max(1, side // 12))
    end = math.radians(angle + 270)
    x, y = middle + radius * math.cos(end), middle + radius * math.sin(end)
    draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=255)


def still(draw: ImageDraw.ImageDraw, phase: float, side: int) -> None:
    """A man who breathes."""
    person(draw, side, lift=1.0 * (phase >= 0.5))


def enter(draw: ImageDraw.ImageDraw, phase: float, side: int) -> None:
    """An arrow into a door."""
    arrow(draw, side, phase * side / 4)
    draw.line((side - 3, 2, side - 3, side - 3), fill=255, width=2)


def leave(draw: ImageDraw.ImageDraw, phase: float, side: int) -> None:
    """An arrow out of a door."""
    draw.line((2, 2, 2, side - 3), fill=255, width=2)
    arrow(draw, side, phase * side / 4)


def arrow(draw: ImageDraw.ImageDraw, side: int, shift: float) -> None:
    """To the right."""
    y, start, tip = side / 2, 4 + shift, side * 0.55 + shift
    draw.line((start, y, tip, y), fill=255, width=2)
    draw.polygon(((tip, y - side / 6), (tip + side / 6, y), (tip, y + side / 6)), fill=255)


def safe(draw: ImageDraw.ImageDraw, _phase: float, side: int) -> None:
    """A triangle with a mark of exclamation."""
    draw.polygon(((side / 2, 1), (side - 2, side - 2), (1, side - 2)), outline=255)
    draw.line((side / 2, side * 0.35, side / 2, side * 0.65), fill=255, width=2)
    draw.rectangle((side / 2 - 1, side * 0.75, side / 2, side * 0.75 + 1), fill=255)


PICTURES: dict[str, tuple[Draw, int, int]] = {
    "1_jump": (jump, 32, FRAMES),
    "2_turn": (turn, 32, FRAMES),
    "3_still": (still, 16, 2),
    "4_enter": (enter, 16, FRAMES),
    "5_leave": (leave, 16, FRAMES),
    "255_safe": (safe, 32, 1),
}


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (drawn, side, count) in PICTURES.items():
        frames = []
        for number in range(count):
            picture = Image.new("L", (side, side))
            drawn(ImageDraw.Draw(picture), number / count, side)
            frames.append(picture.point(lambda value: 255 if value else 0).convert("1"))
        path = FOLDER / f"{name}.gif"
        if count == 1:
            frames[0].save(path)
        else:
            frames[0].save(path, save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0)


if __name__ == "__main__":
    main()
