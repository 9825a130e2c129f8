"""The options that several commands have, in the same words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)


class Finite(click.FloatRange):
    """A number in a range. `nan` compares as false with every bound, so that click lets it pass."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is no number that can be compared.", param, ctx)
        return number


limit_option = click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N frames."
)
model_option = click.option(
    "--model", type=PATH, metavar="FILE", help="The artifact that the ELF must carry."
)
ram_fill_option = click.option(
    "--ram-fill",
    type=click.IntRange(min=0),
    metavar="SEED",
    help="Another pattern in RAM at power-on; 0: zeros.",
)
strict_option = click.option("--strict", is_flag=True, help="An unmodelled register is an error.")
config_option = click.option(
    "--config",
    type=PATH,
    metavar="FILE",
    help="What the project says of its firmware.  [default: boardless.toml, where there is one]",
)
peripheral_option = click.option(
    "--peripheral",
    "peripherals",
    multiple=True,
    metavar="FILE:CLASS@BASE",
    help="A device of your own, as rng.py:Rng@0x50060800. Repeatable.",
)
limit_us_option = click.option(
    "--limit-us",
    type=Finite(min=1),
    default=1_000_000,
    show_default=True,
    metavar="US",
    help="Virtual time that one frame may take, boot included.",
)
