"""`boardless doctor`: what this machine has, and how to get what it lacks."""

from __future__ import annotations

import json

import click

from boardless.commands.exit_codes import ExitCode


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Say what this machine has, and how to install what it lacks."""
    from boardless.project.doctor import can_run, doctor_document, examine

    checks = examine()
    if as_json:
        click.echo(json.dumps(doctor_document(checks), indent=2))
    else:
        from boardless.report.console import console
        from boardless.report.doctor import doctor_table

        console().print(doctor_table(checks))
    return ExitCode.PASSED if can_run(checks) else ExitCode.FAILED
