"""`boardless doctor`: what this machine has, and how well the board knows what a firmware uses."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH, project_options

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--board", type=PATH, metavar="ELF", help="The devices that this firmware touches instead."
)
@project_options
def command(choice: ProjectChoice, as_json: bool, board: Path | None) -> int:
    """Say what this machine has, and how to install what it lacks; in a project, its files too.

    With --board: how well the virtual board knows each device that the firmware touches in its
    first 200 ms, with the camera's frames before it. Fails where one is not modelled.
    """
    if board is not None:
        return _examine_board(board, choice, as_json)
    from boardless.project.doctor import can_run, doctor_document, examine, examine_project

    checks = [*examine(), *examine_project(Path())]
    if as_json:
        click.echo(json.dumps(doctor_document(checks), indent=2))
    else:
        from boardless.report.console import console
        from boardless.report.doctor import doctor_table

        console().print(doctor_table(checks))
    return ExitCode.PASSED if can_run(checks) else ExitCode.FAILED


def _examine_board(elf: Path, choice: ProjectChoice, as_json: bool) -> int:
    from boardless.project.fidelity import Standing, ledger_document, load_ledger
    from boardless.project.project import load_project
    from boardless.running.session import BoardSetup
    from boardless.running.touched import known_devices

    project = load_project(choice, elf)
    setup = BoardSetup(elf, contract=project.contract, board=project.board, image=project.image)
    with closing(setup.native()) as engine:
        engine.load(setup.load())
        known = known_devices(engine, load_ledger())
    if as_json:
        click.echo(json.dumps(ledger_document(known), indent=2, ensure_ascii=False))
    else:
        from boardless.report.console import console
        from boardless.report.doctor import board_table

        console().print(board_table(known))
    missing = any(found.standing is Standing.NAMED for _, found in known)
    return ExitCode.FAILED if missing else ExitCode.PASSED
