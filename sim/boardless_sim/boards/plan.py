"""A board by names: what a user says of it, small enough to hand to a worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from boardless_sim.boards.board import Attachment, Board, CameraWiring

DEFAULT_CHIP = "stm32f407vg"
_CRYSTAL_HZ, _WATCH_CRYSTAL_HZ = 8_000_000, 32_768
CAMERA = CameraWiring(sensor="ov7670", bus="i2c1", xclk="MCO1")


@dataclass(frozen=True)
class BoardPlan:
    """The reference board, but for what is said otherwise.

    `camera`: None for the reference board's, where the chip can have one. `crystal_hz`: None where
    there is none. `console_bauds`: at which rate the far end of a port reads. `semihosting`: the
    folder whose files the firmware may open.
    """

    chip: str = DEFAULT_CHIP
    crystal_hz: int | None = _CRYSTAL_HZ
    watch_crystal_hz: int | None = _WATCH_CRYSTAL_HZ
    camera: CameraWiring | None = None
    attached: tuple[Attachment, ...] = ()
    console_bauds: Mapping[str, int] = field(default_factory=dict)
    semihosting: Path | None = None

    def on_chip(self, chip: str | None) -> BoardPlan:
        """The same board with another chip on it; None: the same."""
        return self if chip is None else replace(self, chip=chip)


PLAIN = BoardPlan()


def make_board(plan: BoardPlan) -> Board:
    """The board of a plan. Raises `BoardError` for what no board can be."""
    from boardless_sim.boards.wiring import require_possible
    from boardless_sim.chips.stm32f4 import stm32f4  # here: it imports every device

    require_possible(plan)
    chip = stm32f4(plan.chip)
    has_dcmi = any(place.name == "DCMI" for place in chip.placements)
    return Board(
        name=chip.name,
        chip=chip,
        crystal_hz=plan.crystal_hz,
        watch_crystal_hz=plan.watch_crystal_hz,
        camera=plan.camera or (CAMERA if has_dcmi else None),
        console_bauds=plan.console_bauds,
        attached=plan.attached,
        semihosting=plan.semihosting,
    )
