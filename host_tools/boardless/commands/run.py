"""`boardless run`: frames through a firmware, one result a frame."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from contextlib import closing
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Duration,
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
    from boardless.project.project import Project
    from boardless.running.board_checks import BoardCheck, Observation, Rules
    from boardless.running.classify import RunReport
    from boardless.running.session import BoardSetup
    from boardless.running.transcript import Sending
    from boardless_sim.camera.source import Frames
    from boardless_sim.elf.image import FirmwareImage

_PORT = re.compile(r"(U(?:S)?ART\d):")
_USUAL_PORT = "USART2"
_SHOWN_SKIPPED = 5


@click.command("run")
@click.argument("elf", type=PATH)
@click.option("--frames", metavar="PATH", help="A file, a folder, pattern:NAME.")
@tensors_option
@click.option(
    "--for",
    "for_us",
    type=Duration(),
    metavar="TIME",
    help="Any firmware, so long, as 2s.",
)
@click.option("--expect", type=PATH, metavar="FILE", help="What it must say: lines, {{regex}}, ...")
@click.option(
    "--send",
    "sends",
    multiple=True,
    metavar="TEXT@TIME",
    help="As 'help\\r@100ms'.",
)
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
    for_us: float | None,
    expect: Path | None,
    sends: tuple[str, ...],
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
    """Show frames to the firmware ELF and tell what it said about each, and how long it took.

    With --for it is any firmware: everything that it says in that time is printed, with when.
    """
    from boardless.project.project import load_project
    from boardless.running.board_checks import Rules
    from boardless.running.classify import require_verdict
    from boardless.running.session import BoardSetup
    from boardless_sim.engines.bounds import Bounds

    project = load_project(choice, elf)
    contract = project.contract
    frames, for_us = _asked(project, frames, for_us)
    _require_outputs(json_path, junit, html, plot)
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
    rules = Rules(strict, project.waivers)
    if for_us is not None:
        if html is not None:
            raise click.UsageError("--html has results on it, expected it without --for")
        if tensors is not None:
            raise click.UsageError("--tensors have a result each, expected them without --for")
        shown = None if frames is None else _source(frames, None, None, limit, fit, ())
        return _listen(setup, image, rules, for_us, shown, sends, expect, json_path)
    if expect is not None or sends:
        raise click.UsageError("--expect and --send: expected them with --for")
    source = _source(frames, tensors, labels, limit, fit, contract.classes)
    report = _classify(setup, image, source, jobs, limit_us)
    checks = _judged(report.observations, rules)
    failures = _failures(report, checks, min_accuracy, frames or str(tensors))
    _write(report, checks, failures, json_path, junit)  # first: a closed pipe ends the table
    if html is not None:
        from boardless.report.run_page import RanWith, write_run_page

        again = _source(frames, tensors, labels, limit, fit, contract.classes)
        about = RanWith(elf, frames or str(tensors), choice.config)
        write_run_page(html, report, checks, failures, again, about)
    if plot is not None and report.results:
        from boardless.report.latency_plot import draw

        draw(report.results, report.timing_basis, plot)
    _print_run(report, checks)
    _print_skipped(source)
    for failure in failures:
        click.echo(f"FAILED     {failure}")
    if report.stop_reason.is_bound or not any(check.fails for check in checks):
        require_verdict(report)
    return ExitCode.FAILED if failures else ExitCode.PASSED


def _asked(
    project: Project, frames: str | None, for_us: float | None
) -> tuple[str | None, float | None]:
    """What the command line says to do, else what the project's file says."""
    if frames is not None or for_us is not None:
        return frames, for_us
    return project.frames, None if project.for_time is None else Duration()(project.for_time)


def _require_outputs(
    json_path: Path | None, junit: Path | None, html: Path | None, plot: Path | None
) -> None:
    from boardless_sim.files import require_writable

    if plot is not None:
        from boardless.report.latency_plot import require_matplotlib

        require_matplotlib()
    for path in (json_path, junit, html, plot):
        if path is not None:
            require_writable(path)


def _print_skipped(source: Frames) -> None:
    if source.skipped:
        names = ", ".join(map(visible, source.skipped[:_SHOWN_SKIPPED]))
        more = ", …" if len(source.skipped) > _SHOWN_SKIPPED else ""
        click.echo(f"skipped    {len(source.skipped)} files that are no pictures: {names}{more}")


def _listen(
    setup: BoardSetup,
    image: FirmwareImage | None,
    rules: Rules,
    for_us: float,
    frames: Frames | None,
    sends: tuple[str, ...],
    expect: Path | None,
    json_path: Path | None,
) -> int:
    """The console over a while, held against what it must say."""
    from boardless.report.transcript import transcript_document, transcript_lines
    from boardless.running.transcript import first_difference, read_expected, record

    expected = None if expect is None else read_expected(expect)
    port = setup.contract.port or _USUAL_PORT
    sendings = [_sending(text, port) for text in sends]
    with closing(setup.power_on(image)) as engine:
        found = record(engine, for_us, sendings, [] if frames is None else list(frames))
    if json_path is not None:
        from boardless.report.document import write_json

        write_json(json_path, transcript_document(found))
    for text in transcript_lines(found):
        click.echo(text)
    checks = _judged(found.observations, rules)
    failures = [str(check) for check in checks if check.fails]
    failures += [] if found.ran_on else [found.detail]
    if expected is not None:
        difference = first_difference(expected, [line.text for line in found.lines])
        failures += [] if difference is None else [f"{expect}: {difference}"]
    for failure in failures:
        click.echo(f"FAILED     {failure}")
    return ExitCode.FAILED if failures else ExitCode.PASSED


def _sending(text: str, port: str) -> Sending:
    """`help\\r@100ms`; escapes as in Python's bytes, `USART3:` before it for another port."""
    from boardless.running.transcript import Sending

    said, at, time = text.rpartition("@")
    named = _PORT.match(said)
    if named is not None:
        port, said = named[1], said[named.end() :]
    try:
        data = said.encode("utf-8").decode("unicode_escape").encode("latin-1")
    except (UnicodeDecodeError, UnicodeEncodeError):
        at, data = "", b""
    if not at or not data:
        raise click.BadParameter(
            f"{text!r}, expected TEXT@TIME as 'help\\r@100ms'", param_hint="--send"
        )
    return Sending(Duration()(time), data, port)


def _judged(observations: Sequence[Observation], rules: Rules) -> tuple[BoardCheck, ...]:
    from boardless.running.board_checks import judge

    today = datetime.datetime.now(tz=datetime.UTC).date()
    return judge(observations, rules, today)


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
        raise click.UsageError("expected one of --frames, --tensors and --for")
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
