"""`boardless bisect`: the commit that broke accuracy, latency, stack or a suite."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH


@click.command("bisect", context_settings={"ignore_unknown_options": True})
@click.option("--good", required=True, metavar="REVISION", help="Where the check passes.")
@click.option("--bad", default="HEAD", show_default=True, metavar="REVISION", help="Fails there.")
@click.option("--build", required=True, metavar="COMMAND", help="Builds a revision; no shell.")
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write the way as JSON.")
@click.argument("check", nargs=-1, required=True, type=click.UNPROCESSED)
def command(good: str, bad: str, build: str, json_path: Path | None, check: tuple[str, ...]) -> int:
    """Find the first commit at which a command of boardless fails, as git bisect does.

    CHECK is a command with its options, after "--":

    boardless bisect --good v1.0 --build "make firmware" --
    run build/firmware/boardless.elf --frames test.npz --min-accuracy 0.9

    Each revision is built and checked in a work tree of its own; yours is not touched. A build that
    fails, or a check that could not be made (exit 2), says nothing: its commit is skipped.
    """
    import shlex

    from boardless.report.console import console
    from boardless.report.document import write_json
    from boardless.report.sweep import bisect_document, bisect_lines, step_line
    from boardless.sweep.bisect import BisectStep, bisect
    from boardless_sim.errors import ResultError
    from boardless_sim.files import require_writable

    if json_path is not None:
        require_writable(json_path)
    try:
        build_command = shlex.split(build)
    except ValueError as error:
        raise click.UsageError(f"--build: {error}, expected a command") from error
    if not build_command:
        raise click.UsageError("--build: empty, expected a command")

    def show(step: BisectStep) -> None:
        console().print(step_line(step), markup=False)

    result = bisect(Path.cwd(), good, bad, build_command, check, show)
    if json_path is not None:
        write_json(json_path, bisect_document(result))
    for line in bisect_lines(result):
        console().print(line, markup=False)
    if result.commit is None:
        raise ResultError("only skipped commits are left, expected one that can be built and run")
    return ExitCode.PASSED
