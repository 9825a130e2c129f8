"""`boardless bench`: figures about Boardless itself."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.group("bench")
def bench_group() -> None:
    """Hold Boardless's own figures against others'."""


@bench_group.command("cycles")
@click.option("--elfs", required=True, type=_PATH, metavar="DIR", help="PROGRAM.elf for each.")
@click.option(
    "--baseline", required=True, type=_PATH, metavar="FILE", help="JSON: program to milliseconds."
)
@click.option("--hz", type=click.IntRange(1), default=16_000_000, show_default=True)
@click.option("--start", default="start_trigger", show_default=True, help="Function at its start.")
@click.option("--stop", default="stop_trigger", show_default=True, help="Function at its end.")
@click.option("--least", type=click.IntRange(0), metavar="N", help="Fail below N within 15 %.")
@click.option("--json", "json_path", type=_PATH, metavar="FILE", help="Write it as JSON.")
def cycles_command(
    elfs: Path,
    baseline: Path,
    hz: int,
    start: str,
    stop: str,
    least: int | None,
    json_path: Path | None,
) -> int:
    """Compare estimated cycles with cycles that a board measured, program by program."""
    from rich.console import Console

    from boardless.cycles import Region, compare, read_baseline
    from boardless.report.cycles import cycle_summary, cycle_table

    report = compare(elfs, read_baseline(baseline, hz), Region(start, stop))
    if json_path is not None:
        from boardless.report.document import write_json

        write_json(json_path, report.document())
    Console(width=100, highlight=False).print(cycle_table(report))
    click.echo(f"\n{cycle_summary(report)}")
    if least is not None and report.within() < least:
        click.echo(f"FAILED     {report.within()} within 15 %, expected at least {least}")
        return 1
    return 0
