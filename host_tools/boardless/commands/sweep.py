"""`boardless sweep`: many runs from one plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH, Whole

if TYPE_CHECKING:
    from boardless.sweep.execute import SweepReport, Workers
    from boardless.sweep.grid import Grid
    from boardless.sweep.plan import SweepPlan


@click.command("sweep")
@click.argument("plan_path", metavar="PLAN", type=PATH)
@click.option(
    "--out", type=PATH, required=True, metavar="FOLDER", help="Results; what stands there is known."
)
@click.option("--jobs", type=Whole(1, 1024), metavar="N", help="Processes.  [all cores]")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask cluster, as tcp://10.0.0.1:8786.")
@click.option("--parquet", type=PATH, metavar="FILE", help="Write the results as a table too.")
@click.option("--html", type=PATH, metavar="FILE", help="Write the table with its curves.")
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write the table as JSON.")
@click.option(
    "--since", type=PATH, metavar="FOLDER", help="An older sweep: what is other than there."
)
def command(
    plan_path: Path,
    out: Path,
    jobs: int | None,
    scheduler: str | None,
    parquet: Path | None,
    html: Path | None,
    json_path: Path | None,
    since: Path | None,
) -> int:
    """Run the firmwares of PLAN (TOML) on its boards, over its frames, and print one table.

    What FOLDER knows already is not run again: a result is known by the content of firmware,
    frames, settings and this program. A sweep that was ended goes on where it was.
    """
    from boardless.report.console import console
    from boardless.report.document import write_json
    from boardless.report.progress import progress_bar
    from boardless.report.sweep import sweep_document, sweep_table
    from boardless.report.sweep_html import sweep_html
    from boardless.sweep.execute import sweep
    from boardless.sweep.plan import read_plan
    from boardless.sweep.store import open_store, read_rows, write_parquet
    from boardless_sim.files import require_writable, write_text

    for path in (parquet, html, json_path):
        if path is not None:
            require_writable(path)
    plan = read_plan(plan_path)
    before = None if since is None else read_rows(since)
    with open_store(out) as store:
        grid = _grid(plan)
        with (
            _workers(grid, jobs, scheduler) as workers,
            progress_bar("tasks", len(grid.tasks), time_left=True) as progress,
        ):
            report = sweep(plan, grid, store, workers, progress)
    if json_path is not None:
        write_json(json_path, sweep_document(report, before))
    if parquet is not None:
        write_parquet(parquet, list(report.lines))
    if html is not None:
        write_text(html, sweep_html(report, before))
    console().print(sweep_table(report, before))
    return _verdict(report)


def _grid(plan: SweepPlan) -> Grid:
    from boardless.sweep.grid import firmwares, make_grid
    from boardless.sweep.revisions import build_revisions

    if not plan.revisions:
        return make_grid(plan, firmwares(plan))
    return make_grid(plan, build_revisions(plan.folder, plan.revisions, plan.build, plan.elfs))


@contextmanager
def _workers(grid: Grid, jobs: int | None, scheduler: str | None) -> Iterator[Workers]:
    import os

    if scheduler is None:
        from boardless.sweep.local import LocalWorkers

        yield LocalWorkers(grid, jobs or len(os.sched_getaffinity(0)))
        return
    if jobs is not None:
        raise click.UsageError("--jobs and --scheduler, expected one of them")
    from boardless.sweep.cluster import ClusterWorkers

    cluster = ClusterWorkers(grid, scheduler)
    try:
        yield cluster
    finally:
        cluster.close()


def _verdict(report: SweepReport) -> int:
    """A row that could not be run at all is no verdict; one that fails is."""
    from boardless_sim.errors import ResultError

    nothing = [row for row in report.rows if not row.frames and row.problems]
    if nothing:
        raise ResultError(
            f"{len(nothing)} of {len(report.rows)} rows gave no result: {nothing[0].problems[0]}"
        )
    return ExitCode.FAILED if report.failing else ExitCode.PASSED
