"""What can go wrong before the sensor: each disturbance at a severity of 0 (none) to 1. ::

    for frame in disturbed(open_frames("shoes/"), "blur", severity=0.5, seed=1):
        engine.show(frame)

The same seed disturbs the same frames in the same way. None of them can be told by firmware from a
scene that looks so; what they cost is a curve of accuracy over severity.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boardless_sim.camera.frame import Frame, Luma
from boardless_sim.errors import FaultError

_Pixels = NDArray[np.float64]  # [H,W] or [H,W,C], 0 to 255
_FLICKER_HZ, _FRAME_S = 100.0, 1 / 30  # mains of 50 Hz, and the frames of the sensor at 30 a second
_LINES_SHARE = 0.92  # of a frame's time, for its visible lines


@dataclass(frozen=True)
class _Shot:
    """One frame that is disturbed: how much, the chance that is its own, its number."""

    severity: float
    chance: np.random.Generator
    number: int


_Disturbance = Callable[[_Pixels, _Shot], _Pixels]


def disturbed(frames: Iterable[Frame], name: str, severity: float, seed: int) -> Iterator[Frame]:
    """The frames as they look through it. Raises `FaultError` for a name or severity that is none.

    A severity of 0 leaves them as they are.
    """
    disturbance = OPTICS.get(name)
    if disturbance is None:
        raise FaultError(f"optics {name!r}, expected one of: {', '.join(OPTICS)}")
    if not 0 <= severity <= 1:
        raise FaultError(f"optics {name}: found severity {severity}, expected 0 to 1")
    return _each(iter(frames), disturbance, severity, seed)


def _each(
    frames: Iterator[Frame], disturbance: _Disturbance, severity: float, seed: int
) -> Iterator[Frame]:
    for number, frame in enumerate(frames):
        if severity == 0:
            yield frame
            continue

        def seen(pixels: Luma, number: int = number) -> Luma:
            # Grey and colour of one frame are disturbed alike.
            shot = _Shot(severity, np.random.default_rng((seed, number)), number)
            values = disturbance(pixels.astype(np.float64), shot)
            return np.clip(np.rint(values), 0, 255).astype(np.uint8)

        colour = None if frame.colour is None else seen(frame.colour)
        yield replace(frame, luma=seen(frame.luma), colour=colour)


def noisy(frames: Iterable[Frame], sigma: float, seed: int) -> Iterator[Frame]:
    """Gaussian noise of standard deviation `sigma` on every frame, the same for the same seed."""
    generator = np.random.default_rng(seed)
    for frame in frames:
        noise = generator.normal(0.0, sigma, frame.luma.shape)
        luma = np.clip(np.rint(frame.luma + noise), 0, 255).astype(np.uint8)
        yield replace(frame, luma=luma)


def _noise(pixels: _Pixels, shot: _Shot) -> _Pixels:
    return pixels + shot.chance.normal(0.0, 80 * shot.severity, pixels.shape)


def _blur(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """A box of up to a seventh of the height, twice: what is out of focus."""
    radius, share = divmod(shot.severity * pixels.shape[0] / 14, 1)
    for axis in (0, 1, 0, 1):
        smaller, larger = (_box(pixels, int(radius) + more, axis) for more in (0, 1))
        pixels = smaller + share * (larger - smaller)
    return pixels


def _box(pixels: _Pixels, radius: int, axis: int) -> _Pixels:
    if radius == 0:
        return pixels
    edges = [(0, 0)] * pixels.ndim
    edges[axis] = (radius + 1, radius)
    sums = np.cumsum(np.pad(pixels, edges, mode="edge"), axis=axis)
    size = 2 * radius + 1
    ends = np.arange(size, sums.shape[axis])
    means: _Pixels = (sums.take(ends, axis) - sums.take(ends - size, axis)) / size
    return means


def _exposure_drift(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """Brighter and darker by up to three stops, over sixty frames."""
    stops = 3 * shot.severity * math.sin(2 * math.pi * (shot.number + 0.5) / 60)
    return pixels * math.pow(2.0, stops)


def _flicker(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """Light that comes and goes at 100 Hz: bands that wander from frame to frame."""
    rows = np.arange(pixels.shape[0]) / pixels.shape[0]
    seconds = (shot.number + rows * _LINES_SHARE) * _FRAME_S
    light = 1 - shot.severity * (0.5 - 0.5 * np.cos(2 * np.pi * _FLICKER_HZ * seconds))
    return pixels * _over_rows(light, pixels)


def _skew(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """A rolling shutter before something that moves: each row a little further."""
    height, width = pixels.shape[:2]
    shifts = np.rint(np.linspace(-0.5, 0.5, height) * shot.severity * width).astype(int)
    columns = np.clip(np.arange(width) - shifts[:, np.newaxis], 0, width - 1)
    skewed: _Pixels = pixels[np.arange(height)[:, np.newaxis], columns]
    return skewed


def _rotation(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """By up to 90 degrees, to the left or to the right."""
    angle = math.radians(90 * shot.severity) * shot.chance.choice((-1, 1))
    height, width = pixels.shape[:2]
    y, x = np.indices((height, width)) - np.array([height - 1, width - 1]).reshape(2, 1, 1) / 2
    rows = y * math.cos(angle) - x * math.sin(angle) + (height - 1) / 2
    columns = y * math.sin(angle) + x * math.cos(angle) + (width - 1) / 2
    return _at(pixels, rows, columns)


def _shift(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """By up to half of the picture, in a direction of its own."""
    angle = shot.chance.uniform(0, 2 * math.pi)
    y, x = np.indices(pixels.shape[:2], dtype=np.float64)
    far = shot.severity / 2
    rows = y + far * pixels.shape[0] * math.sin(angle)
    return _at(pixels, rows, x + far * pixels.shape[1] * math.cos(angle))


def _dirt(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """Up to forty dark specks on the lens."""
    return pixels * _over_channels(
        1 - 0.9 * _specks(pixels, shot, round(40 * shot.severity)), pixels
    )


def _glare(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """A lamp somewhere in the picture, and its halo."""
    height, width = pixels.shape[:2]
    y, x = np.indices((height, width), dtype=np.float64)
    centre_y, centre_x = shot.chance.uniform(0, height), shot.chance.uniform(0, width)
    distance = np.hypot(y - centre_y, x - centre_x) / (0.5 * height)
    return pixels + _over_channels(400 * shot.severity * np.exp(-(distance**2) / 0.3), pixels)


def _occlusion(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """A dark square before up to four fifths of the picture's sides."""
    height, width = pixels.shape[:2]
    rows, columns = (round(0.8 * shot.severity * side) for side in (height, width))
    top, left = (int(shot.chance.integers(0, n + 1)) for n in (height - rows, width - columns))
    covered = pixels.copy()
    covered[top : top + rows, left : left + columns] = 30
    return covered


def _low_light(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """Down to a hundredth of the light, amplified again: shot noise of few photons."""
    photons = 2000 * 0.01**shot.severity
    counted = shot.chance.poisson(np.maximum(pixels, 0) * (photons / 255))
    return np.asarray(counted * (255 / photons), dtype=np.float64)


def _jpeg(pixels: _Pixels, shot: _Shot) -> _Pixels:
    """Compressed by a quality of 60 to 1 on the way."""
    from PIL import Image  # only who asks for it pays for it

    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(
        stream, "JPEG", quality=60 - round(59 * shot.severity)
    )
    seen: _Pixels = np.asarray(Image.open(stream), dtype=np.float64)
    return seen


def _at(pixels: _Pixels, rows: _Pixels, columns: _Pixels) -> _Pixels:
    """The nearest pixel to each place; the edge goes on beyond the picture."""
    nearest_row = np.clip(np.rint(rows), 0, pixels.shape[0] - 1).astype(int)
    nearest_column = np.clip(np.rint(columns), 0, pixels.shape[1] - 1).astype(int)
    found: _Pixels = pixels[nearest_row, nearest_column]
    return found


def _specks(pixels: _Pixels, shot: _Shot, count: int) -> _Pixels:
    """How much each pixel is covered, 0 to 1."""
    height, width = pixels.shape[:2]
    y, x = np.indices((height, width), dtype=np.float64)
    covered = np.zeros((height, width))
    for _ in range(count):
        radius = shot.chance.uniform(0.01, 0.06) * height
        centre = shot.chance.uniform(0, height), shot.chance.uniform(0, width)
        covered = np.maximum(covered, np.hypot(y - centre[0], x - centre[1]) < radius)
    return covered


def _over_rows(factors: _Pixels, pixels: _Pixels) -> _Pixels:
    shaped: _Pixels = factors.reshape(-1, *([1] * (pixels.ndim - 1)))
    return shaped


def _over_channels(values: _Pixels, pixels: _Pixels) -> _Pixels:
    return values if pixels.ndim == 2 else values[..., np.newaxis]


OPTICS: Mapping[str, _Disturbance] = {
    "noise": _noise,
    "blur": _blur,
    "exposure drift": _exposure_drift,
    "flicker": _flicker,
    "skew": _skew,
    "rotation": _rotation,
    "shift": _shift,
    "dirt": _dirt,
    "glare": _glare,
    "occlusion": _occlusion,
    "low light": _low_light,
    "jpeg": _jpeg,
}
