"""`boardless budget`: measure, decide, and write the verdict in every form that was asked for."""

from __future__ import annotations

import datetime
import gc
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.options import Finite
from boardless_sim.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from boardless.gate import Verdict
    from boardless.project.config import Config
    from boardless.running.classify import MeasuredStack
    from boardless_sim.elf.file import ElfFile

_PATH = click.Path(path_type=Path)
_STACK_FRAMES = 3
_STACK_PATTERN = "pattern:bars"


@dataclass(frozen=True)
class Outputs:
    """The files to write; None where one is not wanted."""

    json: Path | None
    markdown: Path | None
    sarif: Path | None
    junit: Path | None
    html: Path | None


@click.command("budget")
@click.argument("elf", type=_PATH)
@click.option("--config", type=_PATH, metavar="FILE", help="The budgets (boardless.toml).")
@click.option(
    "--base", metavar="BASE", help="Compare with a JSON, an ELF, or git:REV (its budget.lock)."
)
@click.option("--map", "linker_map", type=_PATH, metavar="FILE", help="The linker map.")
@click.option("--today", metavar="DATE", help="The day that waivers are held against.")
@click.option("--json", "json_path", type=_PATH, metavar="FILE", help="Write the verdict as JSON.")
@click.option("--markdown", type=_PATH, metavar="FILE", help="For a summary or a comment.")
@click.option("--sarif", type=_PATH, metavar="FILE", help="For code scanning (2.1.0).")
@click.option("--junit", type=_PATH, metavar="FILE", help="For a test report.")
@click.option("--html", type=_PATH, metavar="FILE", help="One page with a treemap.")
@click.option("--why", metavar="SYMBOL", help="Only the worst stack path of a function.")
@click.option("--suggest", is_flag=True, help="Only the TOML that unresolved calls ask for.")
@click.option(
    "--run",
    "frames",
    metavar="FRAMES",
    help=f"What the camera shows while the stack is measured.  [default: {_STACK_PATTERN}]",
)
@click.option(
    "--for",
    "--for-us",
    "for_us",
    type=Finite(min=1),
    metavar="US",
    help="Measure the stack over so much virtual time, whatever the firmware prints.",
)
def command(
    elf: Path,
    config: Path | None,
    base: str | None,
    linker_map: Path | None,
    today: str | None,
    json_path: Path | None,
    markdown: Path | None,
    sarif: Path | None,
    junit: Path | None,
    html: Path | None,
    why: str | None,
    suggest: bool,
    frames: str | None,
    for_us: float | None,
) -> int:
    """Hold the firmware's sizes and its stack against their budgets.

    Exit codes: 0 kept, 1 broken, 2 no verdict, 3 a sum that does not close or a stack measured
    above its bound.
    """
    from boardless.gate import gate
    from boardless.project.config import find_config, load_config
    from boardless.report.console import console
    from boardless.report.verdict import render
    from boardless_sim.elf.file import read_elf

    outputs = Outputs(json_path, markdown, sarif, junit, html)
    _require_writable(outputs)
    day = _day(today)
    project = load_config(config if config is not None else find_config(Path()))
    firmware = read_elf(elf)
    if why is not None or suggest:
        click.echo(_told(firmware, project, why, frames, for_us))
        return 0
    stack, no_mark = _measured_stack(firmware, frames, for_us, project)
    with _without_collector():
        verdict = gate(
            firmware,
            project,
            None if stack is None else stack.mark,
            no_mark=no_mark,
            mark_note="" if stack is None else stack.note,
            base=base,
            linker_map=linker_map,
            today=day,
        )
    _write(verdict, project, outputs)
    console().print(render(verdict))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from boardless.report.verdict_annotations import commands

        for line in commands(verdict, project):
            click.echo(line)
    return 0 if verdict.passed else 1


def _require_writable(outputs: Outputs) -> None:
    paths = [path for path in astuple(outputs) if path is not None]
    if paths:
        from boardless_sim.files import require_writable

        for path in paths:
            require_writable(path)


@contextmanager
def _without_collector() -> Iterator[None]:
    """A measurement makes millions of objects and no ring of them: looking for rings is wasted."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _day(text: str | None) -> datetime.date:
    if text is None:
        return datetime.datetime.now(tz=datetime.UTC).date()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r}, expected a day as 2027-01-31", param_hint="--today"
        ) from None


def _told(
    elf: ElfFile, project: Config, why: str | None, frames: str | None, for_us: float | None
) -> str:
    from boardless.gate.stack_bound import stack_report
    from boardless.size.measure import measure
    from boardless.stack import explain, suggest

    stale = ""
    try:
        report = stack_report(measure(elf, project), project)
    except ConfigError as error:  # what fits no more is what a new suggestion is for
        if why is not None:
            raise
        stale = f"# {error}\n"
        free = replace(project.stack, calls=(), recursion=(), frames=())
        report = stack_report(measure(elf, project), replace(project, stack=free))
    if why is not None:
        stack, _ = _measured_stack(elf, frames, for_us, project)
        return explain(report, why, None if stack is None else stack.mark.functions)
    return stale + suggest(report).rstrip() or "# nothing to annotate: every call is known"


def _measured_stack(
    elf: ElfFile, frames: str | None, for_us: float | None, project: Config
) -> tuple[MeasuredStack | None, str]:
    """The stack's mark on the virtual board, or why there is none: nobody asked, or another chip.

    A firmware of a user's own may wait for ever for what no test shows it, so that a run is made
    only where it is asked for.
    """
    if frames is None and for_us is None and project.budgets.get("stack.measured") is None:
        return None, "nobody asked: [budget.stack] measured-max, --run FRAMES or --for US"
    from boardless.running.classify import measure_stack, measure_stack_for
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import open_frames
    from boardless_sim.elf.image import image_of

    source = open_frames(frames) if frames else open_frames(_STACK_PATTERN, limit=_STACK_FRAMES)
    try:
        image = image_of(elf)
    except ImageError as error:
        return None, f"not an image for the virtual board ({error})"
    with closing(BoardSetup(elf.path, contract=project.contract).power_on(image)) as engine:
        if for_us is not None:
            return measure_stack_for(engine, source, for_us), ""
        return measure_stack(engine, source), ""


def _write(verdict: Verdict, config: Config, outputs: Outputs) -> None:
    for path, text in _texts(verdict, config, outputs):
        from boardless_sim.files import write_text  # takes long, and nobody may ask

        write_text(path, text())


def _texts(
    verdict: Verdict, config: Config, outputs: Outputs
) -> Iterator[tuple[Path, Callable[[], str]]]:
    from boardless.report.verdict_html import html
    from boardless.report.verdict_junit import junit
    from boardless.report.verdict_markdown import markdown
    from boardless.report.verdict_sarif import sarif

    if outputs.json is not None:
        yield outputs.json, lambda: json.dumps(verdict.as_json(), indent=2) + "\n"
    if outputs.markdown is not None:
        yield outputs.markdown, lambda: markdown(verdict)
    if outputs.sarif is not None:
        yield outputs.sarif, lambda: json.dumps(sarif(verdict, config), indent=2) + "\n"
    if outputs.junit is not None:
        yield outputs.junit, lambda: junit(verdict)
    if outputs.html is not None:
        yield outputs.html, lambda: html(verdict)
