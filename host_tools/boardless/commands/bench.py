"""`boardless bench`: figures about Boardless itself."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.options import Whole

_PATH = click.Path(path_type=Path)


@click.group("bench")
def command() -> None:
    """Hold Boardless's own figures against others'."""


@command.command("cycles")
@click.option("--elfs", required=True, type=_PATH, metavar="DIR", help="PROGRAM.elf for each.")
@click.option(
    "--baseline", required=True, type=_PATH, metavar="FILE", help="JSON: program to milliseconds."
)
@click.option("--hz", type=Whole(1), default=16_000_000, show_default=True)
@click.option("--start", default="start_trigger", show_default=True, help="Function at its start.")
@click.option("--stop", default="stop_trigger", show_default=True, help="Function at its end.")
@click.option(
    "--counter", metavar="NAME", help="Variable with what it counted by DWT_CYCCNT itself."
)
@click.option("--exit", "exit_name", metavar="NAME", help="Where it ends; r0 must be 0 there.")
@click.option(
    "--says", multiple=True, metavar="TEXT", help="Text that it prints by --exit; repeatable."
)
@click.option(
    "--leave-one-out", is_flag=True, help="Each program by the constants that the others choose."
)
@click.option("--least", type=Whole(0), metavar="N", help="Fail below N within the band.")
@click.option("--json", "json_path", type=_PATH, metavar="FILE", help="Write it as JSON.")
def cycles_command(
    elfs: Path,
    baseline: Path,
    hz: int,
    start: str,
    stop: str,
    counter: str | None,
    exit_name: str | None,
    says: tuple[str, ...],
    leave_one_out: bool,
    least: int | None,
    json_path: Path | None,
) -> int:
    """Compare estimated cycles with cycles that a board measured, program by program.

    The measured part of a program lies between two functions that mark it, or the program has
    counted it, into a variable that is read at --stop. Exit codes: 0 compared,
    1 fewer than --least within the band or a program's own check failed, 2 not comparable.
    """
    from rich.console import Console

    from boardless.report.cycles import cycle_summary, cycle_table
    from boardless.report.document import write_json
    from boardless.timing.published import Correctness, MeasuredSpan, compare, read_baseline
    from boardless_sim.files import require_writable

    if says and exit_name is None:
        raise click.UsageError("--says needs --exit: where the program has printed it")
    if json_path is not None:
        require_writable(json_path)
    check = None if exit_name is None else Correctness(exit_name, says)
    report = compare(
        elfs,
        read_baseline(baseline, hz),
        hz,
        MeasuredSpan(start, stop, counter),
        check,
        leave_one_out=leave_one_out,
    )
    if json_path is not None:
        write_json(json_path, report.document())
    Console(width=100, highlight=False).print(cycle_table(report))
    click.echo("")
    for line in cycle_summary(report):
        click.echo(line)
    if least is not None and report.within() < least:
        click.echo(f"FAILED     {report.within()} within the band, expected at least {least}")
        return 1
    return 1 if any(comparison.wrong for comparison in report.comparisons) else 0
