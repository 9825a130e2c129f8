"""Test pictures by name: "pattern:bars", ":gradient", ":checker", "pattern:noise:SEED"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from boardless_sim.camera.frame import Frame, Luma
from boardless_sim.camera.scene import HEIGHT, WIDTH
from boardless_sim.errors import FrameError

PATTERN_PREFIX = "pattern:"
_EXPECTED = "expected bars, gradient, checker or noise:SEED"


def pattern_frames(name: str, limit: int | None) -> tuple[int, Callable[[int], Frame]]:
    """One frame of a pattern; of noise as many as `limit` says, each its own."""
    kind, _, seed = name.removeprefix(PATTERN_PREFIX).partition(":")
    if kind == "noise" and seed.isdecimal() and len(seed) <= 9:
        count = 1 if limit is None else limit
        return count, lambda index: Frame(f"{name}[{index}]", _noise(int(seed), index))
    if seed or kind not in _FIXED:
        raise FrameError(f"{name}: found pattern {kind!r}, {_EXPECTED}")
    luma = _FIXED[kind]()
    return 1, lambda index: Frame(name, luma)


def _bars() -> Luma:
    """Eight grey bars from white to black."""
    row = 255 - (np.arange(WIDTH) * 8 // WIDTH) * 255 // 7
    return np.tile(row.astype(np.uint8), (HEIGHT, 1))


def _gradient() -> Luma:
    row = np.arange(WIDTH) * 255 // (WIDTH - 1)
    return np.tile(row.astype(np.uint8), (HEIGHT, 1))


def _checker() -> Luma:
    """Squares of 8 pixels, black at the top left."""
    y, x = np.indices((HEIGHT, WIDTH)) // 8
    return ((x + y) % 2 * 255).astype(np.uint8)


def _noise(seed: int, index: int) -> Luma:
    generator = np.random.default_rng((seed, index))
    return generator.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)


_FIXED: dict[str, Callable[[], Luma]] = {"bars": _bars, "gradient": _gradient, "checker": _checker}
