"""A board as data: a chip, its crystals, and what is wired to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from boardless_sim.chips.chip import Chip

BY_HAND = "gpio:"  # before the two pins of a bus that the firmware drives
HERTZ = re.compile(r"(\d+(?:\.\d+)?)(M|k)?", re.ASCII)  # an oscillator, as "24M"


@dataclass(frozen=True)
class CameraWiring:
    """How a sensor hangs on the chip.

    `bus`: which configures it, "I2C1", or "gpio:PD6,PD7", two pins
    that the firmware drives by hand. `xclk`: what clocks it, a clock output ("MCO1", "TIM1_CH1")
    or an oscillator ("24M"). `powerdown` and `reset`: the pins on PWDN and RESET#, as "PG9".
    """

    sensor: str
    bus: str
    xclk: str
    powerdown: str | None = None
    reset: str | None = None


@dataclass(frozen=True)
class Attachment:
    """A part and where it hangs.

    `device`: its name, "ssd1306", or a class of the user's own, "lamp.py:Lamp". `at`: what the part
    understands, as "i2c1", "fsmc:0x60000000", "PD12".
    """

    device: str
    at: str


@dataclass(frozen=True)
class Board:
    """Everything that distinguishes one board from another.

    `crystal_hz` (HSE) and `watch_crystal_hz` (LSE) are None where none is fitted. `supply_mv`: VDD.
    `console_bauds`: at which rate the far end of a port reads, by port. `semihosting`: the folder
    whose files the firmware may open, on the host.
    """

    name: str
    chip: Chip
    crystal_hz: int | None
    watch_crystal_hz: int | None = None
    camera: CameraWiring | None = None
    supply_mv: int = 3300
    console_bauds: Mapping[str, int] = field(default_factory=dict)
    attached: tuple[Attachment, ...] = ()
    semihosting: Path | None = None

    @property
    def flash_limits(self) -> tuple[int, ...]:
        """The highest HCLK for 0, 1, 2 … wait states at this supply."""
        steps = [least for least in self.chip.wait_states if least <= self.supply_mv]
        return self.chip.wait_states[max(steps)] if steps else ()
