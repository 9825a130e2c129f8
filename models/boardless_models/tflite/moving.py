"""What only moves values, as a selection of rows, columns and channels: borders, parts, repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boardless_models.graph.graph import Select, Value
from boardless_models.tflite.file import Options
from boardless_sim.errors import ModelError

LARGEST_BORDER = 255
NOWHERE = -1
Numbers = NDArray[np.int32]
# Of MIRROR_PAD, in the order of the schema.
MIRRORS = ("reflect", "symmetric")


@dataclass(frozen=True)
class Places:
    """The numbers of rows, columns and channels that an output takes from a value."""

    axes: tuple[Numbers, Numbers, Numbers]

    @classmethod
    def whole(cls, value: Value) -> Places:
        """All of a value."""
        shape = value.shape
        extents = shape.height, shape.width, shape.channels
        rows, columns, channels = (np.arange(extent, dtype=np.int32) for extent in extents)
        return cls((rows, columns, channels))

    def at(self, axis: int, numbers: Numbers) -> Places:
        """The same with others on one axis."""
        rows, columns, channels = (
            numbers.astype(np.int32) if place == axis else own
            for place, own in enumerate(self.axes)
        )
        return Places((rows, columns, channels))

    def selection(self, name: str, first: int, number: int, filler: int) -> Select:
        """As an operator."""
        return Select(name, first, number, *self.axes, filler)


def place_of(axis: int, rank: int) -> int:
    """Which of rows, columns and channels an axis is. Raises `ModelError` for that of the batch."""
    found = axis + rank if axis < 0 else axis
    if not 1 <= found < rank:
        raise ModelError(f"axis {axis} of {rank}, expected another than that of the batch")
    return found + 3 - rank


def bordered(source: Value, pairs: NDArray[np.int32], mirror: int | None = None) -> Places:
    """A border on every side, of nothing or of a mirror; `pairs` of every axis of the file."""
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not 2 <= len(pairs) <= 4:
        raise ModelError(f"paddings of shape {list(pairs.shape)}, expected a pair for each axis")
    if pairs.min() < 0 or pairs.max() > LARGEST_BORDER or pairs[0].any():
        raise ModelError(
            f"paddings {pairs.tolist()}, expected 0 to {LARGEST_BORDER} and none of the batch"
        )
    places = Places.whole(source)
    for axis, pair in enumerate(pairs.tolist()[1:], start=1):
        place = place_of(axis, len(pairs))
        own = places.axes[place]
        if mirror is None:
            numbers = np.pad(own, pair, constant_values=NOWHERE)
        else:
            if max(pair) > len(own) - (mirror == 0) or mirror >= len(MIRRORS):
                raise ModelError(f"paddings {pairs.tolist()}, more than there is to mirror")
            numbers = np.asarray(np.pad(own, pair, mode="reflect" if mirror == 0 else "symmetric"))
        places = places.at(place, numbers)
    return places


def part(source: Value, begins: Sequence[int], sizes: Sequence[int]) -> Places:
    """A box; a size of -1 goes to the end."""
    places, rank = Places.whole(source), len(begins)
    if len(sizes) != rank or not 2 <= rank <= 4 or begins[0] != 0:
        raise ModelError(f"from {list(begins)} of {list(sizes)}, expected all of the batch")
    for axis in range(1, rank):
        place = place_of(axis, rank)
        own = places.axes[place]
        end = len(own) if sizes[axis] == -1 else begins[axis] + sizes[axis]
        if not 0 <= begins[axis] < end <= len(own):
            raise ModelError(f"from {list(begins)} of {list(sizes)}, more than there is")
        places = places.at(place, own[begins[axis] : end])
    return places


def strided(source: Value, numbers: Sequence[Sequence[int]], options: Options) -> Places:
    """STRIDED_SLICE as Python slices; an axis that is dropped stays as one of a single number."""
    begins, ends, strides = numbers
    rank = len(begins)
    if options.ellipsis_mask or options.new_axis_mask:
        raise ModelError("a slice with an ellipsis or a new axis")
    if not len(ends) == len(strides) == rank or not 2 <= rank <= 4 or 0 in strides:
        raise ModelError(f"begin {list(begins)}, end {list(ends)}, strides {list(strides)}")
    places = Places.whole(source)
    for axis in range(1, rank):
        place, bit = place_of(axis, rank), 1 << axis
        begin = None if options.begin_mask & bit else begins[axis]
        end = None if options.end_mask & bit else ends[axis]
        if options.shrink_axis_mask & bit:
            begin, end = begins[axis], begins[axis] + 1 or None
        kept = places.axes[place][begin : end : strides[axis]]
        if not kept.size:
            raise ModelError(f"begin {list(begins)}, end {list(ends)}: nothing is left")
        places = places.at(place, kept)
    return places


def split(source: Value, axis: int, rank: int, sizes: Sequence[int]) -> list[Places]:
    """Parts one after the other along an axis."""
    place = place_of(axis, rank)
    whole = Places.whole(source)
    own = whole.axes[place]
    if min(sizes, default=0) < 1 or sum(sizes) != len(own):
        raise ModelError(f"parts of {list(sizes)}, expected {len(own)} in all")
    ends = np.cumsum(sizes).tolist()
    return [whole.at(place, own[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def nearest(source: Value, size: Sequence[int], options: Options) -> Places:
    """RESIZE_NEAREST_NEIGHBOR, as TensorFlow Lite's GetNearestNeighbor in float32."""
    places = Places.whole(source)
    for place, extent in enumerate(size):
        own = places.axes[place]
        if not 1 <= extent <= len(own) * LARGEST_BORDER:
            raise ModelError(f"a size of {list(size)}")
        corners = bool(options.align_corners) and extent > 1
        scale = np.float32(len(own) - corners) / np.float32(extent - corners)
        offset = np.float32(0.5 if options.half_pixel_centers else 0.0)
        steps = (np.arange(extent, dtype=np.float32) + offset) * scale
        # Half away from zero where corners meet; nothing is negative here.
        found = np.floor(steps + np.float32(0.5)) if options.align_corners else np.floor(steps)
        places = places.at(place, own[np.clip(found.astype(np.int64), 0, len(own) - 1)])
    return places
