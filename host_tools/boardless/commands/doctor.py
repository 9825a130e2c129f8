"""`boardless doctor`: what this machine has, and how well the board knows what a firmware uses."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--board", type=PATH, metavar="ELF", help="The devices that this firmware touches instead."
)
def command(as_json: bool, board: Path | None) -> int:
    """Say what this machine has, and how to install what it lacks.

    With --board: how well the virtual board knows each device that the firmware touches in its
    first 200 ms, with the camera's frames before it. Fails where one is not modelled.
    """
    if board is not None:
        return _examine_board(board, as_json)
    from boardless.project.doctor import can_run, doctor_document, examine

    checks = examine()
    if as_json:
        click.echo(json.dumps(doctor_document(checks), indent=2))
    else:
        from boardless.report.console import console
        from boardless.report.doctor import doctor_table

        console().print(doctor_table(checks))
    return ExitCode.PASSED if can_run(checks) else ExitCode.FAILED


def _examine_board(elf: Path, as_json: bool) -> int:
    from boardless.project.fidelity import Standing, ledger_document, load_ledger
    from boardless.running.touched import known_devices
    from boardless_sim.elf.image import load_image
    from boardless_sim.engines.native import NativeEngine

    image = load_image(elf)
    with closing(NativeEngine()) as engine:
        engine.load(image)
        known = known_devices(engine, load_ledger())
    if as_json:
        click.echo(json.dumps(ledger_document(known), indent=2, ensure_ascii=False))
    else:
        from boardless.report.console import console
        from boardless.report.doctor import board_table

        console().print(board_table(known))
    missing = any(found.standing is Standing.NAMED for _, found in known)
    return ExitCode.FAILED if missing else ExitCode.PASSED
