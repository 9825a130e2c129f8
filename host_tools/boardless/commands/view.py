"""`boardless view`: the live viewfinder, a page on loopback."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    Whole,
    elf_argument,
    limit_option,
    peripheral_option,
    project_options,
    strict_option,
)
from boardless_sim.errors import BoardlessError

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice

_NOISE, _NOISE_FRAMES = "pattern:noise:1", 30


@click.command("view")
@elf_argument
@click.option(
    "--frames", metavar="PATH",
    help="Shown to the camera over and over: a file, a folder, pattern:NAME.  "
    f"[default: {_NOISE_FRAMES} frames of noise]",
)  # fmt: skip
@limit_option
@click.option("--port", type=Whole(0, 65535), default=0, help="Of 127.0.0.1; 0: any that is free.")
@click.option("--display", "has_display", is_flag=True, help="An SSD1306 on I2C1.")
@click.option("--paused", is_flag=True, help="Do not run before the page says so.")
@strict_option
@peripheral_option
@project_options
def command(
    choice: ProjectChoice,
    elf: Path,
    frames: str | None,
    limit: int | None,
    port: int,
    has_display: bool,
    paused: bool,
    strict: bool,
    peripherals: tuple[str, ...],
) -> int:
    """Run the firmware ELF at a pace for the eye and print the address of a page that shows it.

    The page has the camera's picture, what the network saw, every layer, the UARTs, the stack, the
    pins, and buttons for pause, step, back, speed and faults. Ctrl-C ends it. Needs the extra view.
    """
    from boardless.debug.viewfinder.board import WatchedBoard, fit_display
    from boardless.debug.viewfinder.player import Player
    from boardless.project.project import load_project
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import open_frames

    try:
        from boardless.debug.viewfinder.server import serve
    except ImportError as error:
        raise BoardlessError(
            f"view: {error.name} is not installed, expected it: pip install 'boardless[view]'"
        ) from None
    source = open_frames(frames or _NOISE, limit=limit if frames else limit or _NOISE_FRAMES)
    project = load_project(choice, elf)
    setup = BoardSetup.of(project, elf, strict=strict, peripherals=peripherals)
    with closing(setup.native()) as engine:
        engine.load(setup.load())
        display = fit_display(engine) if has_display else None
        player = Player(WatchedBoard(engine, source), display, running=not paused)
        try:
            serve(player, port, click.echo)
        finally:
            player.close()
    return ExitCode.PASSED
