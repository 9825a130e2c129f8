"""`boardless optics`: accuracy against what can be wrong before the lens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Whole,
    elf_argument,
    fit_option,
    limit_option,
    project_options,
)

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice


@click.command("optics")
@elf_argument
@click.option("--frames", required=True, metavar="PATH", help="A file, a folder.")
@click.option("--labels", type=PATH, metavar="FILE", help="The true class of every frame.")
@limit_option
@fit_option
@click.option(
    "--optics", "names", multiple=True, metavar="NAME", help="noise, blur, …; repeatable. [all]"
)
@click.option(
    "--severities", default="0,0.25,0.5,0.75,1", show_default=True, help="From 0 (none) to 1."
)
@click.option("--seed", type=Whole(0, 1 << 31), default=1, show_default=True)
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write the curves as JSON.")
@project_options
def command(
    choice: ProjectChoice,
    elf: Path,
    frames: str,
    labels: Path | None,
    limit: int | None,
    fit: str,
    names: tuple[str, ...],
    severities: str,
    seed: int,
    json_path: Path | None,
) -> int:
    """Show disturbed frames to the firmware ELF: a curve of accuracy for each disturbance."""
    from boardless.project.project import load_project
    from boardless.report.console import console
    from boardless.report.document import write_json
    from boardless.report.faults import curve_document, curves_table
    from boardless.report.progress import progress_bar
    from boardless.running.optics_sweep import sweep
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import open_frames
    from boardless_sim.faults.optics import OPTICS
    from boardless_sim.files import require_writable

    if json_path is not None:
        require_writable(json_path)
    project = load_project(choice, elf)
    setup = BoardSetup.of(project, elf)
    steps, chosen = _severities(severities), names or tuple(OPTICS)
    shown = list(open_frames(frames, labels, limit, fit, setup.contract.classes))
    with progress_bar("runs", len(chosen) * len(steps)) as progress:
        curves = sweep(setup, setup.load(), shown, chosen, steps, seed, progress)
    if json_path is not None:
        write_json(json_path, curve_document(curves, steps, len(shown), seed))
    console().print(curves_table(curves, steps, len(shown)))
    return ExitCode.PASSED


def _severities(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 <= severity <= 1 for severity in found):
        raise click.BadParameter(f"{text!r}: expected numbers of 0 to 1, as 0,0.5,1")
    return found
