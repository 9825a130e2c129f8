"""`boardless run`: frames through a firmware, one result a frame."""

from __future__ import annotations

from contextlib import closing
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Finite,
    config_option,
    limit_option,
    limit_us_option,
    model_option,
    peripheral_option,
    strict_option,
)
from boardless_sim.errors import LabelError

if TYPE_CHECKING:
    from boardless.running.classify import RunReport
    from boardless.running.session import BoardSetup


@click.command("run")
@click.argument("elf", type=PATH)
@click.option("--frames", required=True, metavar="PATH", help="A file, a folder, pattern:NAME.")
@click.option("--labels", type=PATH, metavar="FILE", help="The true class of every frame.")
@limit_option
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write the run as JSON.")
@click.option("--plot", type=PATH, metavar="FILE", help="Every frame's latency, as PNG.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, metavar="N", help="Processes.")
@click.option(
    "--engine", default="native", show_default=True, metavar="NAME", help="native, renode or qemu."
)
@model_option
@strict_option
@click.option("--no-fast-forward", is_flag=True, help="Execute polling loops turn by turn.")
@peripheral_option
@config_option
@limit_us_option
@click.option("--min-accuracy", type=Finite(0, 1), metavar="SHARE", help="Fail below it (0 to 1).")
def command(
    elf: Path,
    frames: str,
    labels: Path | None,
    limit: int | None,
    json_path: Path | None,
    plot: Path | None,
    jobs: int,
    engine: str,
    model: Path | None,
    strict: bool,
    no_fast_forward: bool,
    peripherals: tuple[str, ...],
    config: Path | None,
    limit_us: float,
    min_accuracy: float | None,
) -> int:
    """Show frames to the firmware ELF and tell what it said about each, and how long it took."""
    from boardless.project.contract import load_contract
    from boardless.running.session import BoardSetup

    contract = load_contract(config)
    if json_path is not None:
        from boardless_sim.files import require_writable

        require_writable(json_path)
    if plot is not None:
        from boardless.report.latency_plot import require_matplotlib
        from boardless_sim.files import require_writable

        require_matplotlib()
        require_writable(plot)
    if model is not None:
        from boardless.project.model_hash import require_model

        require_model(elf, model, contract.symbols)
    setup = BoardSetup(elf, engine, strict, not no_fast_forward, peripherals, contract=contract)
    report = _classify(setup, frames, labels, limit, jobs, limit_us)
    failures = _failures(report, min_accuracy, frames)
    if json_path is not None:
        from boardless.report.document import run_document, write_json

        write_json(json_path, run_document(report))  # first: a closed pipe ends the table
    if plot is not None:
        from boardless.report.latency_plot import draw

        draw(report.results, report.timing_basis, plot)
    _print_run(report)
    for failure in failures:
        click.echo(f"FAILED     {failure}")
    return ExitCode.FAILED if failures else ExitCode.PASSED


def _classify(
    setup: BoardSetup,
    frames: str,
    labels: Path | None,
    limit: int | None,
    jobs: int,
    limit_us: float,
) -> RunReport:
    from boardless.report.progress import progress_bar
    from boardless.running.classify import classify, require_results
    from boardless_sim.camera.source import open_frames

    source = open_frames(frames, labels=labels, limit=limit)
    with progress_bar("frames", limit or length_hint(source) or None) as progress:
        if jobs > 1:
            from boardless.running.jobs import classify_in_jobs

            return require_results(classify_in_jobs(setup, source, jobs, limit_us, progress))
        with closing(setup.power_on()) as engine:
            return require_results(classify(engine, source, limit_us, progress))


def _failures(report: RunReport, min_accuracy: float | None, frames: str) -> list[str]:
    found = []
    if not report.is_complete:
        stopped = report.stop_reason.value
        found.append(f"{stopped} after {len(report.results)} frames, expected a result for each")
    if min_accuracy is not None:
        if report.accuracy is None:
            raise LabelError(f"{frames}: frames without labels, expected some for --min-accuracy")
        if report.accuracy < min_accuracy:
            found.append(f"accuracy {report.accuracy:.4f}, expected at least {min_accuracy:g}")
    return found


def _print_run(report: RunReport) -> None:
    from boardless.report.console import console
    from boardless.report.run import run_table

    console().print(run_table(report))
