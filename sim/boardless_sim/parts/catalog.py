"""Which parts there are, by the name that `[[attach]] device` gives."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from boardless_sim.errors import BoardError
from boardless_sim.parts.part import Part

# Module, class and what it is made with: a board pays for the parts that it has.
PARTS: Mapping[str, tuple[str, str, tuple[int, ...]]] = {
    "ili9341": ("tft", "Ili9341", ()),
    "st7789": ("tft", "St7789", ()),
    "ssd1306": ("ssd1306", "Ssd1306", ()),
    **{f"24c{size:02}": ("eeprom", "Eeprom", (size,)) for size in (2, 32, 64, 128, 256, 512)},
    **{f"w25q{size}": ("w25q", "W25q", (size,)) for size in (16, 32, 64, 128)},
    "sd-card": ("sd_card", "SdCard", ()),
    "sdram": ("sdram", "Sdram", ()),
    "led": ("switches", "Led", ()),
    "button": ("switches", "Button", ()),
    "servo": ("servo", "Servo", ()),
}


def make_part(name: str) -> Part:
    """A part by its name, as "ssd1306". Raises `BoardError`."""
    known = PARTS.get(name.lower())
    if known is None:
        names = ", ".join(PARTS)
        raise BoardError(f"device {name!r}, expected one of {names}, or your own as lamp.py:Lamp")
    module, kind, arguments = known
    made = getattr(import_module(f"boardless_sim.parts.{module}"), kind)(*arguments)
    return cast("Part", made)
