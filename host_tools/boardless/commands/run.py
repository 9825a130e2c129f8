"""`boardless run`: frames through a firmware, one result a frame."""

from __future__ import annotations

import datetime
from contextlib import closing
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Finite,
    Whole,
    bounds_options,
    fit_option,
    limit_option,
    limit_us_option,
    model_option,
    peripheral_option,
    project_options,
    ram_fill_option,
    strict_option,
    tensors_option,
)
from boardless_sim.errors import LabelError
from boardless_sim.visible import visible

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice
    from boardless.running.board_checks import BoardCheck, Rules
    from boardless.running.classify import RunReport
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import Frames
    from boardless_sim.elf.image import FirmwareImage

_SHOWN_SKIPPED = 5


@click.command("run")
@click.argument("elf", type=PATH)
@click.option("--frames", metavar="PATH", help="A file, a folder, pattern:NAME.")
@tensors_option
@click.option("--labels", type=PATH, metavar="FILE", help="The true class of every frame.")
@limit_option
@fit_option
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write the run as JSON.")
@click.option("--junit", type=PATH, metavar="FILE", help="Write the checks as JUnit XML.")
@click.option("--html", type=PATH, metavar="FILE", help="One page: verdict, classes, wrong frames.")
@click.option("--plot", type=PATH, metavar="FILE", help="Every frame's latency, as PNG.")
@click.option("--jobs", type=Whole(1, 64), default=1, metavar="N", help="Processes.")
@click.option(
    "--engine", default="native", show_default=True, metavar="NAME", help="native, renode or qemu."
)
@model_option
@strict_option
@ram_fill_option
@click.option("--no-fast-forward", is_flag=True, help="Execute polling loops turn by turn.")
@peripheral_option
@project_options
@limit_us_option
@bounds_options
@click.option("--min-accuracy", type=Finite(0, 1), metavar="SHARE", help="Fail below it (0 to 1).")
def command(
    choice: ProjectChoice,
    elf: Path,
    frames: str | None,
    tensors: Path | None,
    labels: Path | None,
    limit: int | None,
    fit: str,
    json_path: Path | None,
    junit: Path | None,
    html: Path | None,
    plot: Path | None,
    jobs: int,
    engine: str,
    model: Path | None,
    strict: bool,
    ram_fill: int | None,
    no_fast_forward: bool,
    peripherals: tuple[str, ...],
    limit_us: float,
    host_seconds: float,
    console_bytes: int,
    resets: int,
    min_accuracy: float | None,
) -> int:
    """Show frames to the firmware ELF and tell what it said about each, and how long it took."""
    from boardless.project.project import load_project
    from boardless.running.board_checks import Rules
    from boardless.running.classify import require_verdict
    from boardless.running.session import BoardSetup
    from boardless_sim.engines.bounds import Bounds
    from boardless_sim.files import require_writable

    project = load_project(choice, elf)
    contract = project.contract
    if plot is not None:
        from boardless.report.latency_plot import require_matplotlib

        require_matplotlib()
    for path in (json_path, junit, html, plot):
        if path is not None:
            require_writable(path)
    image: FirmwareImage | None = None  # read here only where it is looked into
    if model is not None:
        from boardless.project.model_hash import require_model_in
        from boardless_sim.elf.image import load_image

        image = load_image(elf, project.image)
        require_model_in(image, model, contract.symbols)
    setup = BoardSetup(
        elf=elf,
        engine=engine,
        strict=strict,
        fast_forward=not no_fast_forward,
        peripherals=peripherals,
        ram_fill=ram_fill,
        contract=contract,
        bounds=Bounds(host_seconds, console_bytes, resets),
        board=project.board,
        image=project.image,
    )
    source = _source(frames, tensors, labels, limit, fit, contract.classes)
    report = _classify(setup, image, source, jobs, limit_us)
    checks = _judged(report, Rules(strict, project.waivers))
    failures = _failures(report, checks, min_accuracy, frames or str(tensors))
    _write(report, checks, failures, json_path, junit)  # first: a closed pipe ends the table
    if html is not None:
        from boardless.report.run_page import RanWith, write_run_page

        shown = _source(frames, tensors, labels, limit, fit, contract.classes)
        about = RanWith(elf, frames or str(tensors), choice.config)
        write_run_page(html, report, checks, failures, shown, about)
    if plot is not None and report.results:
        from boardless.report.latency_plot import draw

        draw(report.results, report.timing_basis, plot)
    _print_run(report, checks)
    if source.skipped:
        names = ", ".join(map(visible, source.skipped[:_SHOWN_SKIPPED]))
        more = ", …" if len(source.skipped) > _SHOWN_SKIPPED else ""
        click.echo(f"skipped    {len(source.skipped)} files that are no pictures: {names}{more}")
    for failure in failures:
        click.echo(f"FAILED     {failure}")
    if report.stop_reason.is_bound or not any(check.fails for check in checks):
        require_verdict(report)
    return ExitCode.FAILED if failures else ExitCode.PASSED


def _judged(report: RunReport, rules: Rules) -> tuple[BoardCheck, ...]:
    from boardless.running.board_checks import judge

    today = datetime.datetime.now(tz=datetime.UTC).date()
    return judge(report.observations, rules, today)


def _write(
    report: RunReport,
    checks: tuple[BoardCheck, ...],
    failures: list[str],
    json_path: Path | None,
    junit: Path | None,
) -> None:
    if json_path is not None:
        from boardless.report.document import run_document, write_json

        write_json(json_path, run_document(report, checks))
    if junit is not None:
        from boardless.report.run_junit import run_junit
        from boardless_sim.files import write_text

        write_text(junit, run_junit(checks, report.checked, failures))


def _source(
    frames: str | None,
    tensors: Path | None,
    labels: Path | None,
    limit: int | None,
    fit: str,
    classes: tuple[str, ...],
) -> Frames:
    from boardless_sim.camera.source import Frames, open_frames

    if (frames is None) == (tensors is None):
        raise click.UsageError("expected --frames or --tensors, one of them")
    if tensors is not None:
        from boardless_sim.camera.tensor import open_tensors

        if labels is not None:
            raise click.UsageError("--labels belong to --frames, expected none with --tensors")
        return Frames(open_tensors(tensors, limit), None)
    return open_frames(str(frames), labels, limit, fit, classes)


def _classify(
    setup: BoardSetup,
    image: FirmwareImage | None,
    source: Frames,
    jobs: int,
    limit_us: float,
) -> RunReport:
    from boardless.report.progress import progress_bar
    from boardless.running.classify import UnreadableResult, classify

    with progress_bar("frames", length_hint(source) or None) as progress:
        try:
            if jobs > 1:
                from boardless.running.jobs import classify_in_jobs

                return classify_in_jobs(setup, source, jobs, limit_us, progress)
            with closing(setup.power_on(image)) as engine:
                return classify(engine, source, limit_us, progress, forgets=True)
        except UnreadableResult as error:  # what the board saw may say why
            return error.report


def _failures(
    report: RunReport,
    checks: tuple[BoardCheck, ...],
    min_accuracy: float | None,
    frames: str,
) -> list[str]:
    found = [str(check) for check in checks if check.fails]
    if report.results and report.can_be_judged and not report.is_complete:
        stopped = report.stop_reason.value
        found.append(f"{stopped} after {len(report.results)} frames, expected a result for each")
    if min_accuracy is not None and report.results:
        if report.accuracy is None:
            raise LabelError(f"{frames}: frames without labels, expected some for --min-accuracy")
        if report.accuracy < min_accuracy:
            found.append(f"accuracy {report.accuracy:.4f}, expected at least {min_accuracy:g}")
    return found


def _print_run(report: RunReport, checks: tuple[BoardCheck, ...]) -> None:
    from boardless.report.console import console
    from boardless.report.run import hung_run, run_table

    shown = run_table(report, checks) if report.results else hung_run(report, checks)
    console().print(shown)
