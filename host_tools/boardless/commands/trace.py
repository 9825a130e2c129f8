"""`boardless trace`: what a firmware did to its devices, and when."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Finite,
    elf_argument,
    limit_option,
    peripheral_option,
    project_options,
    strict_option,
)

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice


@click.command("trace")
@elf_argument
@click.option("--for-us", type=Finite(min=1), required=True, metavar="US", help="So long.")
@click.option(
    "--frames", metavar="PATH", help="Shown to the camera: a file, a folder, pattern:NAME."
)
@limit_option
@click.option("--json-lines", "json_path", type=PATH, metavar="FILE", help="An object a line.")
@click.option("--vcd", "vcd_path", type=PATH, metavar="FILE", help="For GTKWave.")
@click.option("--perfetto", "perfetto_path", type=PATH, metavar="FILE", help="For ui.perfetto.dev.")
@click.option("--device", "devices", multiple=True, metavar="NAME", help="As USART2. Repeatable.")
@click.option("--function", "functions", multiple=True, metavar="NAME", help="Whose. Repeatable.")
@click.option("--from-us", type=Finite(min=0), default=0, metavar="US", help="Not before.")
@strict_option
@peripheral_option
@project_options
def command(
    choice: ProjectChoice,
    elf: Path,
    for_us: float,
    frames: str | None,
    limit: int | None,
    json_path: Path | None,
    vcd_path: Path | None,
    perfetto_path: Path | None,
    devices: tuple[str, ...],
    functions: tuple[str, ...],
    from_us: float,
    strict: bool,
    peripherals: tuple[str, ...],
) -> int:
    """Run the firmware ELF for a while and tell what happened, as text unless a file is named.

    Accesses to registers by name, exceptions, lines of the UARTs, captures; nothing is added to the
    firmware's time.
    """
    from boardless.debug.trace import Filter, Tracer
    from boardless.project.project import load_project
    from boardless.report.execution.trace import json_lines, perfetto, text, vcd
    from boardless.running.post_mortem import fault_lines
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import open_frames
    from boardless_sim.files import require_writable, write_text

    wanted = ((json_path, json_lines), (vcd_path, vcd), (perfetto_path, perfetto))
    outputs = [(path, write) for path, write in wanted if path is not None]
    for path, _ in outputs:
        require_writable(path)
    project = load_project(choice, elf)
    setup = BoardSetup.of(project, elf, strict=strict, peripherals=peripherals)
    image = setup.load()
    with closing(setup.native()) as engine:
        engine.load(image)
        for frame in open_frames(frames, limit=limit) if frames else ():
            engine.show(frame)
        tracer = Tracer(engine, image)
        engine.run(for_us)
        trace = tracer.take(Filter(frozenset(devices), frozenset(functions), from_us))
        stands = fault_lines(engine)
    for path, write in outputs:
        write_text(path, "".join(write(trace)))
    if not outputs:
        for line in text(trace):
            click.echo(line, nl=False)
    for line in stands:
        click.echo(line, err=True)
    return ExitCode.PASSED
