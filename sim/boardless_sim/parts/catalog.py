"""Which parts there are, by the name that `[[attach]] device` gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from boardless_sim.errors import BoardError
from boardless_sim.parts.eeprom import Eeprom
from boardless_sim.parts.part import Part
from boardless_sim.parts.sd_card import SdCard
from boardless_sim.parts.sdram import Sdram
from boardless_sim.parts.servo import Servo
from boardless_sim.parts.ssd1306 import Ssd1306
from boardless_sim.parts.switches import Button, Led
from boardless_sim.parts.tft import Ili9341, St7789
from boardless_sim.parts.w25q import W25q

PARTS: Mapping[str, Callable[[], Part]] = {
    "ili9341": Ili9341,
    "st7789": St7789,
    "ssd1306": Ssd1306,
    **{f"24c{kilobits:02}": partial(Eeprom, kilobits) for kilobits in (2, 32, 64, 128, 256, 512)},
    **{f"w25q{megabits}": partial(W25q, megabits) for megabits in (16, 32, 64, 128)},
    "sd-card": SdCard,
    "sdram": Sdram,
    "led": Led,
    "button": Button,
    "servo": Servo,
}


def make_part(name: str) -> Part:
    """A part by its name, as "ssd1306". Raises `BoardError`."""
    part = PARTS.get(name.lower())
    if part is None:
        known = ", ".join(PARTS)
        raise BoardError(f"device {name!r}, expected one of {known}, or your own as lamp.py:Lamp")
    return part()
