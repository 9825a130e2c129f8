"""A squarified treemap (Bruls, Huizing, van Wijk): areas by size, as close to squares as may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Square:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


def squares(sizes: Sequence[int], area: Square) -> list[Square]:
    """One rectangle a size, in the order given, which is the largest first; they fill the area."""
    total = sum(sizes)
    if not total or area.width <= 0 or area.height <= 0:
        return [Square(area.x, area.y, 0, 0) for _ in sizes]
    scale = area.width * area.height / total
    found: list[Square] = []
    row: list[float] = []
    for size in (size * scale for size in sizes):
        side = min(area.width, area.height)
        if row and _worst([*row, size], side) > _worst(row, side):
            placed, area = _lay(row, area)
            found += placed
            row = []
        row.append(size)
    return found + _lay(row, area)[0]


def _worst(row: Sequence[float], side: float) -> float:
    """The most oblong of a row's rectangles: its long side over its short one."""
    total = sum(row)
    if not total or side <= 0 or not row[-1]:
        return float("inf")
    return max(side**2 * row[0] / total**2, total**2 / (side**2 * row[-1]))


def _lay(row: Sequence[float], area: Square) -> tuple[list[Square], Square]:
    """A row along the shorter side, and what is left of the area."""
    total, along_height = sum(row), area.width >= area.height
    side = area.height if along_height else area.width
    depth = total / side if side else 0.0
    found, at = [], 0.0
    for size in row:
        length = size / depth if depth else 0.0
        if along_height:
            found.append(Square(area.x, area.y + at, depth, length))
        else:
            found.append(Square(area.x + at, area.y, length, depth))
        at += length
    if along_height:
        return found, Square(area.x + depth, area.y, area.width - depth, area.height)
    return found, Square(area.x, area.y + depth, area.width, area.height - depth)
