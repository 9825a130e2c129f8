"""`boardless init`: the first files of a project, from what its ELF shows."""

from __future__ import annotations

import os
from pathlib import Path

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH
from boardless_sim.errors import ConfigError


@click.command("init")
@click.argument("elf", type=PATH)
@click.option("--into", type=PATH, default=Path(), metavar="DIR", help="The project's folder.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def command(elf: Path, into: Path, force: bool) -> int:
    """Write boardless.toml, a first suite, a workflow and .vscode for the firmware ELF.

    The ELF is looked at and run for half a second of virtual time; what is guessed is said, with
    what it rests on. `boardless doctor` checks the files.
    """
    from boardless.project.starter import Starter, starter_files
    from boardless.running.guess import guess
    from boardless_sim.files import write_text

    found = guess(elf)
    starter = Starter(
        elf=Path(os.path.relpath(elf, into)).as_posix(),
        values={each.key: (each.value, each.basis) for each in found.guesses},
        port=found.port,
        baud=found.baud,
        first_line=found.lines[0] if found.lines else "",
        has_camera=found.board.camera is not None,
        has_results=found.has_results,
    )
    files = starter_files(starter)
    taken = [str(path) for path in files if (into / path).exists()]
    if taken and not force:
        raise ConfigError(f"{into / taken[0]}: already there, expected a new project (or --force)")
    for each in found.guesses:
        sure = "read     " if each.is_read else "supposed "
        click.echo(f"{sure} {each.key:<15} {each.value:<12} {each.basis}")
    said = f"{len(found.lines)} lines on {found.port}" if found.lines else "the console is silent"
    click.echo(f"seen      {said}, {found.captured} frames captured")
    for path, text in files.items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        write_text(into / path, text)
        click.echo(f"written   {into / path}")
    return ExitCode.PASSED
