"""`boardless debug`: a firmware on the virtual board, for any GDB."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Whole,
    limit_option,
    peripheral_option,
    project_options,
    strict_option,
)

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice

_PS_PER_UNIT = {"us": 10**6, "ms": 10**9, "s": 10**12}


@click.command("debug")
@click.argument("elf", type=PATH, required=False)
@click.option(
    "--core", type=PATH, metavar="DIR", help="Instead of an ELF: what a failed test has left there."
)
@click.option(
    "--frames", metavar="PATH", help="Shown to the camera: a file, a folder, pattern:NAME."
)
@limit_option
@click.option("--port", type=Whole(0, 65535), default=0, help="Of 127.0.0.1; 0: any that is free.")
@click.option(
    "--snapshot-every", default="50ms", show_default=True, metavar="TIME",
    help="Virtual time between two snapshots: the way back is short, the way forward slower.",
)  # fmt: skip
@click.option("--no-reverse", is_flag=True, help="No snapshots, no way back.")
@strict_option
@peripheral_option
@project_options
def command(
    choice: ProjectChoice,
    elf: Path | None,
    core: Path | None,
    frames: str | None,
    limit: int | None,
    port: int,
    snapshot_every: str,
    no_reverse: bool,
    strict: bool,
    peripherals: tuple[str, ...],
) -> int:
    """Power on a board with the firmware ELF and wait for a GDB, before the first instruction.

    Stops cost no virtual time: the run under the debugger is the run without it.
    """
    from boardless.debug.server import serve
    from boardless.debug.session import GdbSession
    from boardless.debug.target import DebugTarget
    from boardless.project.project import load_project
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import open_frames

    if (elf is None) == (core is None):
        raise click.UsageError("expected one of ELF and --core DIR")
    if elf is None:
        assert core is not None
        return _open_core(core, port)
    every_ps = None if no_reverse else _picoseconds(snapshot_every)
    project = load_project(choice, elf)
    setup = BoardSetup.of(project, elf, strict=strict, peripherals=peripherals)
    image = setup.load()
    with closing(setup.native()) as engine:
        engine.load(image)
        for frame in open_frames(frames, limit=limit) if frames else ():
            engine.show(frame)
        with closing(DebugTarget(engine, image, every_ps)) as target:
            serve(lambda link: GdbSession(target, link), port, click.echo)
    return ExitCode.PASSED


def _picoseconds(text: str) -> int:
    number = text.rstrip("smu")
    unit = _PS_PER_UNIT.get(text[len(number) :])
    if unit is None or not number.isdecimal() or not int(number):
        raise click.BadParameter(
            f"{text!r}, expected a time such as 50ms", param_hint="--snapshot-every"
        )
    return int(number) * unit


def _open_core(folder: Path, port: int) -> int:
    from boardless.debug.core_session import CoreSession
    from boardless.debug.server import serve
    from boardless.running.core_dump import read_core

    found = read_core(folder)
    for line in found.stands:
        click.echo(line, err=True)
    click.echo(f"of {found.elf}", err=True)
    serve(lambda link: CoreSession(found, link), port, click.echo)
    return ExitCode.PASSED
