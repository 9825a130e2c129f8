"""The command line: 0 passed, 1 a check failed, 2 no run could be made, 3 we are proven wrong.

Heavy imports stand inside the functions that need them: a run's first result must not wait for a
table that comes last.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.bench_cli import bench_group
from boardless.gate import budget_command
from boardless.model import model_group
from boardless.options import (
    PATH,
    limit_option,
    limit_us_option,
    model_option,
    peripheral_option,
    ram_fill_option,
    strict_option,
)
from boardless.profile_cli import profile_command
from boardless_sim.errors import AnalyserError, BoardlessError, LabelError

if TYPE_CHECKING:
    from boardless.run import RunReport
    from boardless.session import BoardSetup
    from boardless.suites import SuiteOutcome

PASSED, FAILED, NOT_RUN, PROVEN_WRONG, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. The only place that catches `BoardlessError`."""
    try:
        code = cli.main(args=arguments, prog_name="boardless", standalone_mode=False)
    except BoardlessError as error:
        click.echo(f"boardless: {error}", err=True)
        return PROVEN_WRONG if isinstance(error, AnalyserError) else NOT_RUN
    except click.ClickException as error:
        error.show()
        return NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("boardless: interrupted", err=True)
        return INTERRUPTED
    return int(code or PASSED)


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("boardless")
    except PackageNotFoundError:
        found = "(not installed)"
    click.echo(f"boardless {found}")
    context.exit(PASSED)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Test STM32 camera firmware without the board.

    Exit codes: 0 passed, 1 a check failed, 2 the run could not be made, 3 our own measurement is
    proven wrong.
    """


@cli.command("run")
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
@ram_fill_option
@click.option("--no-fast-forward", is_flag=True, help="Execute polling loops turn by turn.")
@peripheral_option
@limit_us_option
@click.option(
    "--min-accuracy", type=click.FloatRange(0, 1), metavar="SHARE", help="Fail below it (0 to 1)."
)
def run_command(
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
    ram_fill: int | None,
    no_fast_forward: bool,
    peripherals: tuple[str, ...],
    limit_us: float,
    min_accuracy: float | None,
) -> int:
    """Show frames to the firmware ELF and tell what it said about each, and how long it took."""
    from boardless.session import BoardSetup

    if json_path is not None:
        from boardless.report.document import require_writable

        require_writable(json_path)
    if plot is not None:
        from boardless.report.document import require_writable
        from boardless.report.latency_plot import require_matplotlib

        require_matplotlib()
        require_writable(plot)
    if model is not None:
        from boardless.model_hash import require_model

        require_model(elf, model)
    setup = BoardSetup(elf, engine, strict, not no_fast_forward, peripherals, ram_fill)
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
    return FAILED if failures else PASSED


def _classify(
    setup: BoardSetup,
    frames: str,
    labels: Path | None,
    limit: int | None,
    jobs: int,
    limit_us: float,
) -> RunReport:
    from boardless.report.progress import progress_bar
    from boardless.run import classify, require_results
    from boardless_sim.camera.source import open_frames

    source = open_frames(frames, labels=labels, limit=limit)
    with progress_bar("frames", limit or length_hint(source) or None) as progress:
        if jobs > 1:
            from boardless.jobs import classify_in_jobs

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
    from boardless.report.table import run_table

    console().print(run_table(report))


@cli.command("test")
@click.argument("suites", type=PATH, default=Path("robot/suites"))
@click.option("--out", type=PATH, default=Path("build/robot"), show_default=True, metavar="DIR")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, metavar="N", help="Processes.")
@click.option("--include", multiple=True, metavar="TAG", help="Only tests with the tag.")
@click.option("--exclude", multiple=True, metavar="TAG", help="No test with the tag.")
@click.option("--elf", type=PATH, metavar="FILE", help="The firmware under test (${FIRMWARE}).")
@click.option("--engine", metavar="NAME", help="What runs the firmware (${ENGINE}).")
@click.option(
    "--require-engine",
    metavar="NAME",
    help="Fail, do not skip, where it is missing or lacks something.",
)
@click.option(
    "--timeout", type=click.IntRange(min=1), default=1800, show_default=True, metavar="SECONDS"
)
def test_command(
    suites: Path,
    out: Path,
    jobs: int,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    elf: Path | None,
    engine: str | None,
    require_engine: str | None,
    timeout: int,
) -> int:
    """Run Robot suites, and print one table and where the report lies."""
    from boardless.suites import SuitePlan, run_suites

    plan = SuitePlan(suites, out, timeout, jobs, include, exclude, elf, engine, require_engine)
    outcome = run_suites(plan)
    _print_suites(outcome)
    return PASSED if outcome.passed else FAILED


def _print_suites(outcome: SuiteOutcome) -> None:
    from boardless.report.console import console
    from boardless.report.suites import suite_table

    console().print(suite_table(outcome))


@cli.command("compare")
@click.argument("elf", type=PATH)
@click.option(
    "--engines",
    default="native,qemu",
    show_default=True,
    metavar="NAMES",
    help="Two or more; the first is what the others are held against.",
)
@click.option("--frames", required=True, metavar="PATH", help="A file, a folder, pattern:NAME.")
@limit_option
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write it all as JSON.")
@click.option(
    "--selftest",
    type=PATH,
    metavar="FILE",
    help="A program of `t-` lines.  [default: selftest.elf beside ELF]",
)
@click.option(
    "--limit-us",
    type=click.FloatRange(min=1),
    default=5_000_000,
    show_default=True,
    metavar="US",
    help="Virtual time that one frame may take, boot and printed layers included.",
)
def compare_command(
    elf: Path,
    engines: str,
    frames: str,
    limit: int | None,
    json_path: Path | None,
    selftest: Path | None,
    limit_us: float,
) -> int:
    """Run the firmware ELF on several engines and show the first thing that differs.

    Class and score of every frame must be equal, every layer's output where ELF takes its frames
    from memory as boardless-mailbox.elf does, and the lines of the self-test. A missing engine is
    no pass.
    """
    from boardless.compare import compare, setups_of
    from boardless.report.compare import compare_document, compare_table
    from boardless.report.console import console
    from boardless.report.document import require_writable, write_json
    from boardless_sim.camera.source import open_frames

    if json_path is not None:
        require_writable(json_path)
    beside = elf.parent / "selftest.elf"
    program = selftest or (beside if beside.is_file() else None)
    source = list(open_frames(frames, limit=limit))
    comparison = compare(setups_of(elf, engines), source, limit_us, program)
    if json_path is not None:
        write_json(json_path, compare_document(comparison))
    console().print(compare_table(comparison))
    return PASSED if comparison.difference is None else FAILED


@cli.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor_command(as_json: bool) -> int:
    """Say what this machine has, and how to install what it lacks."""
    from boardless.doctor import can_run, doctor_document, examine

    checks = examine()
    if as_json:
        click.echo(json.dumps(doctor_document(checks), indent=2))
    else:
        from boardless.report.console import console
        from boardless.report.doctor import doctor_table

        console().print(doctor_table(checks))
    return PASSED if can_run(checks) else FAILED


cli.add_command(model_group)
cli.add_command(bench_group)
cli.add_command(budget_command)
cli.add_command(profile_command)

if __name__ == "__main__":
    sys.exit(main())
