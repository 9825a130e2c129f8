"""`boardless budget`: measure, decide, and write the verdict in every form that was asked for."""

from __future__ import annotations

import datetime
import gc
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boardless.commands.options import Finite, bounds_options, chip_option
from boardless_sim.engines.bounds import Bounds
from boardless_sim.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from boardless.gate import Verdict
    from boardless.project.config import Config
    from boardless.project.targets import Target
    from boardless.report.verdict.files import Outputs
    from boardless.running.classify import MeasuredStack
    from boardless_sim.elf.file import ElfFile

_PATH = click.Path(path_type=Path)
_STACK_FRAMES = 3
_STACK_PATTERN = "pattern:bars"


class _Budget(click.Command):
    """The gate itself; `trend` as its first word is a command of its own."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if args[:1] == ["trend"]:
            from boardless.commands.budget import trend

            return trend.command.make_context("budget trend", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command("budget", cls=_Budget)
@click.argument("elf", type=_PATH, required=False)
@click.option("--config", type=_PATH, metavar="FILE", help="The budgets (boardless.toml).")
@chip_option
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
@bounds_options
def command(
    elf: Path | None,
    config: Path | None,
    chip: str | None,
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
    host_seconds: float,
    console_bytes: int,
    resets: int,
) -> int:
    """Hold the firmware's sizes and its stack against their budgets.

    Without ELF, every [[target]] of the file, or its [project] elf. `boardless budget trend` shows
    what the committed locks were.

    Exit codes: 0 kept, 1 broken, 2 no verdict, 3 a sum that does not close or a stack measured
    above its bound.
    """
    from boardless.report.verdict.files import Outputs, require_outputs

    outputs = Outputs(json_path, markdown, sarif, junit, html)
    require_outputs(outputs)
    bounds = Bounds(host_seconds, console_bytes, resets)
    asked = _Asked(base, linker_map, _day(today), frames, for_us, bounds)
    targets, are_targets = _targets(elf, config, chip)
    if why is not None or suggest:
        for target in targets:
            click.echo(_told(target, why, asked))
        return 0
    return _judged(targets, are_targets, asked, outputs)


@dataclass(frozen=True)
class _Asked:
    """What the command line says of every ELF."""

    base: str | None
    linker_map: Path | None
    day: datetime.date
    frames: str | None
    for_us: float | None
    bounds: Bounds


def _targets(
    elf: Path | None, config: Path | None, chip: str | None
) -> tuple[tuple[Target, ...], bool]:
    """The ELF that is named, as its own target where it is one; else all targets of the file."""
    from boardless.project.config import config_of, find_config, read_toml, with_chip
    from boardless.project.targets import Target, targets_of

    path = config if config is not None else find_config(Path())
    values = with_chip(read_toml(path), chip)
    targets, shared = targets_of(path, values), config_of(path, values)
    if elf is None and targets:
        return targets, True
    elf = elf if elf is not None else shared.elf
    if elf is None:
        raise click.UsageError(f"{path}: no [project] elf and no [[target]], expected an ELF")
    own = [target for target in targets if target.elf.resolve() == elf.resolve()]
    return (replace(own[0], elf=elf) if own else Target("", elf, shared),), False


def _judged(targets: tuple[Target, ...], are_targets: bool, asked: _Asked, outputs: Outputs) -> int:
    from boardless.gate.many import Verdicts
    from boardless.report.console import console
    from boardless.report.verdict.files import write_outputs
    from boardless.report.verdict.owners import with_owners
    from boardless.report.verdict.terminal import render

    measured = ((_verdict(target, asked), target.config) for target in targets)
    held = [(with_owners(verdict, config), config) for verdict, config in measured]
    write_outputs(held, outputs, are_targets=are_targets)
    for verdict, _ in held:
        console().print(render(verdict))
    verdicts = Verdicts(tuple(verdict for verdict, _ in held))
    if are_targets:
        console().print(verdicts.line, markup=False)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from boardless.report.verdict.annotations import commands

        for verdict, config in held:
            for line in commands(verdict, config):
                click.echo(line)
    return 0 if verdicts.passed else 1


def _verdict(target: Target, asked: _Asked) -> Verdict:
    from boardless.gate import gate
    from boardless_sim.elf.file import read_elf

    firmware = read_elf(target.elf)
    stack, no_mark = _measured_stack(firmware, asked, target.config)
    with _without_collector():
        return gate(
            firmware,
            target.config,
            None if stack is None else stack.mark,
            no_mark=no_mark,
            mark_note="" if stack is None else stack.note,
            mark_problem="" if stack is None else stack.problem,
            base=asked.base,
            linker_map=asked.linker_map,
            today=asked.day,
        )


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


def _told(target: Target, why: str | None, asked: _Asked) -> str:
    from boardless.gate.stack_bound import stack_report
    from boardless.size.measure import measure
    from boardless.stack import explain, suggest
    from boardless_sim.elf.file import read_elf

    elf, project = read_elf(target.elf), target.config
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
        stack, _ = _measured_stack(elf, asked, project)
        return explain(report, why, None if stack is None else stack.mark.functions)
    return stale + suggest(report).rstrip() or "# nothing to annotate: every call is known"


def _measured_stack(
    elf: ElfFile, asked: _Asked, project: Config
) -> tuple[MeasuredStack | None, str]:
    """The stack's mark on the virtual board, or why there is none: nobody asked, or another chip.

    A firmware of a user's own may wait for ever for what no test shows it, so that a run is made
    only where it is asked for.
    """
    frames, for_us = asked.frames, asked.for_us
    if frames is None and for_us is None and project.budgets.get("stack.measured") is None:
        return None, "nobody asked: [budget.stack] measured-max, --run FRAMES or --for US"
    from boardless.running.classify import measure_stack, measure_stack_for
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import open_frames
    from boardless_sim.elf.image import image_of

    source = open_frames(frames) if frames else open_frames(_STACK_PATTERN, limit=_STACK_FRAMES)
    try:
        image = image_of(elf, project.image)
    except ImageError as error:
        return None, f"not an image for the virtual board ({error})"
    setup = BoardSetup(
        elf.path,
        contract=project.contract,
        bounds=asked.bounds,
        board=project.board,
        image=project.image,
    )
    with closing(setup.power_on(image)) as engine:
        if for_us is not None:
            return measure_stack_for(engine, source, for_us), ""
        return measure_stack(engine, source), ""
