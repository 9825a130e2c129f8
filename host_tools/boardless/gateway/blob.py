"""The one object before a fixed background: where it stands in each frame, in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # grey [120,160]
HEIGHT, WIDTH = 120, 160

LEARNING_FRAMES = 8
_LEARNING_RATE = 0.05  # of the background, where nothing stands
_LEAST_NOISE = 1.0
# Of the difference, in units of its noise; never below so many steps of grey.
_FAINT, _LEAST_FAINT = 3.5, 7.0
_CLEAR, _LEAST_CLEAR = 6.0, 14.0
_LEAST_PIXELS = 40
_EDGE = 0.04  # of the pixels on each side that may be stray
_MAD = 1.4826  # from the median of deviations to a standard deviation
_SPARSE = 3  # every so many rows and columns are enough for a median
_GAP_COLUMNS, _LEAST_SHARE = 6, 0.2  # between two objects; of the smaller one


@dataclass(frozen=True)
class Blob:
    """The object in one frame, in pixels; `contrast` in units of the noise."""

    x: float
    left: float
    right: float
    top: float
    bottom: float
    pixels: int
    contrast: float

    @property
    def height(self) -> float:
        """From its upper to its lower edge."""
        return self.bottom - self.top

    @property
    def fill(self) -> float:
        """How much of its box it covers: a thing does mostly, edges all over the picture do not."""
        return self.pixels / ((self.right - self.left + 1) * (self.height + 1))


@dataclass(frozen=True)
class FrameContent:
    """What one frame shows: an object or none, how much of it changed, in how many pieces.

    `noise`: of a pixel that nothing stands before, in steps of grey.
    """

    blob: Blob | None
    changed: float
    pieces: int
    noise: float


class BlobFinder:
    """Learns the background from the first frames, and goes on where nothing stands."""

    def __init__(self) -> None:
        self._first: list[NDArray[np.float32]] = []
        self._background: NDArray[np.float32] | None = None

    def look(self, picture: Picture) -> FrameContent | None:
        """The object in a frame; None while the background is learnt."""
        frame = picture.astype(np.float32)
        if self._background is None:
            self._first.append(frame)
            if len(self._first) == LEARNING_FRAMES:
                self._background = np.median(np.stack(self._first), axis=0).astype(np.float32)
                self._first.clear()
            return None
        difference = frame * self._gain(frame) - self._background
        deviation = np.abs(difference)
        noise = max(_LEAST_NOISE, _MAD * float(np.median(deviation[::_SPARSE, ::_SPARSE])))
        smooth = _box3(deviation)
        faint = smooth > max(_LEAST_FAINT, _FAINT * noise)
        clear = smooth > max(_LEAST_CLEAR, _CLEAR * noise)
        mask = faint & _near(clear)
        self._learn(frame, _near(mask))
        return FrameContent(_blob(mask, smooth, noise), float(mask.mean()), _pieces(mask), noise)

    def _gain(self, frame: NDArray[np.float32]) -> float:
        """The lamp's brightness against that of the background: the median pixel tells."""
        assert self._background is not None
        sparse = np.s_[::_SPARSE, ::_SPARSE]
        return float(np.median((self._background[sparse] + 1) / (frame[sparse] + 1)))

    def _learn(self, frame: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
        assert self._background is not None
        rate = np.where(mask, 0.0, _LEARNING_RATE).astype(np.float32)
        self._background += rate * (frame - self._background)


def _box3(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of 3×3, the border repeated."""
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9, np.float32)


def _near(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Grown by three pixels to all sides."""
    grown = np.pad(mask, 3)
    for step in (1, 2):  # two ways by one, then by two: three
        grown[step:] |= grown[:-step].copy()
        grown[:-step] |= grown[step:].copy()
        grown[:, step:] |= grown[:, :-step].copy()
        grown[:, :-step] |= grown[:, step:].copy()
    return grown[3:-3, 3:-3]


def _edges(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Between which of the rows or columns all but the stray pixels lie."""
    share = np.cumsum(counts) / counts.sum()
    return float(np.searchsorted(share, _EDGE)), float(np.searchsorted(share, 1 - _EDGE))


def _blob(mask: NDArray[np.bool_], smooth: NDArray[np.float32], noise: float) -> Blob | None:
    rows, columns = mask.sum(axis=1), mask.sum(axis=0)
    pixels = int(rows.sum())
    if pixels < _LEAST_PIXELS:
        return None
    left, right = _edges(columns)
    top, bottom = _edges(rows)
    contrast = float(smooth[mask].mean()) / noise
    x = float(columns @ np.arange(len(columns))) / pixels
    return Blob(x, left, right, top, bottom, pixels, contrast)


def _pieces(mask: NDArray[np.bool_]) -> int:
    """Objects side by side: runs of columns with a gap between them, each of some size."""
    columns = mask.sum(axis=0)
    total, pieces, run, gap = int(columns.sum()), 0, 0, 0
    for count in [*columns.tolist(), *[0] * _GAP_COLUMNS]:
        gap = 0 if count else gap + 1
        run += count
        if gap == _GAP_COLUMNS:
            pieces += run >= max(_LEAST_PIXELS, _LEAST_SHARE * total)
            run = 0
    return pieces
