"""Which parts there are, by the name that `[[attach]] device` gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boardless_sim.errors import BoardError
from boardless_sim.parts.part import Part
from boardless_sim.parts.sd_card import SdCard
from boardless_sim.parts.ssd1306 import Ssd1306

PARTS: Mapping[str, Callable[[], Part]] = {
    "sd-card": SdCard,
    "ssd1306": Ssd1306,
}


def make_part(name: str) -> Part:
    """A part by its name, as "ssd1306". Raises `BoardError`."""
    part = PARTS.get(name.lower())
    if part is None:
        known = ", ".join(PARTS)
        raise BoardError(f"device {name!r}, expected one of {known}, or your own as lamp.py:Lamp")
    return part()
