"""`boardless test`: Robot suites, one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH, Whole, bounds_options, project_options

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice

_A_DAY_S = 86_400


@click.command("test")
@click.argument("suites", type=PATH, default=Path("robot/suites"))
@click.option("--out", type=PATH, default=Path("build/robot"), show_default=True, metavar="DIR")
@click.option("--jobs", type=Whole(1, 64), default=1, metavar="N", help="Processes.")
@click.option("--include", multiple=True, metavar="TAG", help="Only tests with the tag.")
@click.option("--exclude", multiple=True, metavar="TAG", help="No test with the tag.")
@click.option("--elf", type=PATH, metavar="FILE", help="The firmware under test (${FIRMWARE}).")
@click.option("--engine", metavar="NAME", help="What runs the firmware (${ENGINE}).")
@project_options
@bounds_options
@click.option("--variable", "variables", multiple=True, metavar="NAME:VALUE", help="For Robot.")
@click.option(
    "--require-engine",
    metavar="NAME",
    help="Fail, do not skip, where it is missing or lacks something.",
)
@click.option("--test", "tests", multiple=True, metavar="NAME", help="Only the test of the name.")
@click.option("--repeat", type=Whole(1, 1000), default=1, metavar="N", help="Runs, all alike.")
@click.option("--shuffle", type=Whole(0), metavar="SEED", help="Tests in an order by a seed.")
@click.option(
    "--debug",
    "debug_port",
    type=Whole(1, 65535),
    metavar="PORT",
    help="A failing keyword waits for a GDB there; no time-out.",
)
@click.option("--cores", is_flag=True, help="A failing keyword leaves a core in --out/cores.")
@click.option("--timeout", type=Whole(min=1), default=1800, show_default=True, metavar="SECONDS")
def command(
    choice: ProjectChoice,
    suites: Path,
    out: Path,
    jobs: int,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    elf: Path | None,
    engine: str | None,
    host_seconds: float,
    console_bytes: int,
    resets: int,
    variables: tuple[str, ...],
    require_engine: str | None,
    tests: tuple[str, ...],
    repeat: int,
    shuffle: int | None,
    debug_port: int | None,
    cores: bool,
    timeout: int,
) -> int:
    """Run Robot suites, and print one table and where the report lies.

    With --repeat a test whose boards do not say the same in every run fails by its name; with
    --shuffle each run has an order of its own.
    """
    from boardless.report.console import console
    from boardless.report.suites import suite_table
    from boardless.suites.runner import SuitePlan, run_suites
    from boardless_sim.engines.bounds import Bounds

    plan = SuitePlan(
        suites=suites,
        out=out,
        timeout_s=timeout if debug_port is None else _A_DAY_S,
        jobs=jobs,
        include=include,
        exclude=exclude,
        elf=elf,
        engine=engine,
        require_engine=require_engine,
        choice=choice,
        bounds=Bounds(host_seconds, console_bytes, resets),
        variables=variables,
        tests=tests,
        repeat=repeat,
        shuffle=shuffle,
        debug_port=debug_port,
        keeps_cores=cores,
    )
    if debug_port is not None:
        if jobs > 1:
            raise click.UsageError("--debug waits at one port, expected one job")
        click.echo(f"a failing keyword waits at 127.0.0.1:{debug_port}", err=True)
    outcome = run_suites(plan)
    console().print(suite_table(outcome))
    return ExitCode.PASSED if outcome.passed else ExitCode.FAILED
