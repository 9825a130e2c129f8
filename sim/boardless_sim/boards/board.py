"""A board as data: a chip, its crystals, and what is wired to it."""

from __future__ import annotations

from dataclasses import dataclass

from boardless_sim.chips.chip import Chip


@dataclass(frozen=True)
class CameraWiring:
    """Which sensor, which bus configures it, and the clock on its XCLK pin in hertz."""

    sensor: str
    bus: str
    xclk_hz: int


@dataclass(frozen=True)
class Board:
    """Everything that distinguishes one board from another.

    `crystal_hz` (HSE) and `watch_crystal_hz` (LSE) are None where none is fitted.
    """

    name: str
    chip: Chip
    crystal_hz: int | None
    watch_crystal_hz: int | None = None
    camera: CameraWiring | None = None
