"""The options that several commands have, in the same words."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from boardless.project.choice import ProjectChoice
from boardless_sim.engines.bounds import CONSOLE_BYTES, HOST_S, RESETS

PATH = click.Path(path_type=Path)
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(us|ms|s)", re.ASCII)
_US = {"us": 1.0, "ms": 1e3, "s": 1e6}
_MOST_US = 7 * 24 * 3600 * 1e6


# Above it no figure of ours means anything, and numbers stop being exact (2^53).
LARGEST = 1 << 53


class Finite(click.FloatRange):
    """A number in a range. `nan` compares as false with every bound, so that click lets it pass."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is no number that can be compared.", param, ctx)
        if abs(number) > LARGEST:
            self.fail(f"{number:g} is over {LARGEST:g}.", param, ctx)
        return number


class Whole(click.IntRange):
    """A whole number in a range, never one of thousands of digits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = int(super().convert(value, param, ctx))
        if abs(number) > LARGEST:
            self.fail(
                f"a number of {len(str(abs(number)))} digits is over {LARGEST:g}.", param, ctx
            )
        return number


class Duration(click.ParamType[float]):
    """A stretch of virtual time, as 2s, 100ms or 500us, in microseconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        match = _TIME.fullmatch(str(value))
        time_us = 0.0 if match is None else float(match[1]) * _US[match[2]]
        if not 0 < time_us <= _MOST_US:
            self.fail(f"{value!r}, expected a time as 2s, 100ms or 500us.", param, ctx)
        return time_us


limit_option = click.option(
    "--limit", type=Whole(min=1), metavar="N", help="Only the first N frames."
)
fit_option = click.option(
    "--fit",
    type=click.Choice(["scale", "crop", "letterbox"]),
    default="scale",
    show_default=True,
    help="How a picture of another size is placed in the camera's field of view.",
)
tensors_option = click.option(
    "--tensors",
    type=PATH,
    metavar="FILE",
    help="Instead of frames: inputs that are no picture, .npy of int8 or uint8 [N,...], for a "
    "firmware with a mailbox.",
)
model_option = click.option(
    "--model", type=PATH, metavar="FILE", help="The artifact that the ELF must carry."
)
ram_fill_option = click.option(
    "--ram-fill",
    type=Whole(min=0),
    metavar="SEED",
    help="Another pattern in RAM at power-on; 0: zeros.",
)
strict_option = click.option("--strict", is_flag=True, help="An unmodelled register is an error.")
config_option = click.option(
    "--config",
    type=PATH,
    metavar="FILE",
    help="The project: board, camera, console.  [default: boardless.toml, where there is one]",
)
chip_option = click.option("--chip", metavar="NAME", help="Another chip, as stm32f429zi.")
symbols_option = click.option(
    "--symbols", type=PATH, metavar="ELF", help="Names for a stripped ELF, a HEX or a BIN."
)


def project_options(command: Callable[..., int]) -> Callable[..., int]:
    """--config, --chip and --symbols, handed on as one: `choice`."""

    @functools.wraps(command)
    def chosen(
        config: Path | None, chip: str | None, symbols: Path | None, **others: object
    ) -> int:
        return command(choice=ProjectChoice(config, chip, symbols), **others)

    return config_option(chip_option(symbols_option(chosen)))


host_seconds_option = click.option(
    "--host-seconds",
    type=Finite(min=0.001, max=1e6),
    default=HOST_S,
    show_default=True,
    metavar="S",
    help="This machine's time for one frame, then the run ends without a verdict.",
)
console_bytes_option = click.option(
    "--console-bytes",
    type=Whole(1, 1 << 40),
    default=CONSOLE_BYTES,
    show_default=True,
    metavar="N",
    help="The same for what the firmware says.",
)
resets_option = click.option(
    "--resets",
    type=Whole(0, 1 << 40),
    default=RESETS,
    show_default=True,
    metavar="N",
    help="The same for how often it resets.",
)


def bounds_options(command: Callable[..., int]) -> Callable[..., int]:
    """The three bounds of the host, in one."""
    return host_seconds_option(console_bytes_option(resets_option(command)))


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
