"""`boardless coverage`: which lines, branches and functions of a firmware ran."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Finite,
    elf_argument,
    limit_option,
    limit_us_option,
    peripheral_option,
    project_options,
    strict_option,
)

if TYPE_CHECKING:
    from boardless.debug.coverage import Coverage
    from boardless.project.choice import ProjectChoice


@click.command("coverage")
@elf_argument
@click.option("--frames", metavar="PATH", help="A file, a folder, pattern:NAME; a result for each.")
@limit_option
@limit_us_option
@click.option("--for-us", type=Finite(min=1), metavar="US", help="Any firmware, so long.")
@click.option("--lcov", "lcov_path", type=PATH, metavar="FILE", help="A tracefile of lcov's.")
@click.option("--cobertura", "cobertura_path", type=PATH, metavar="FILE", help="Cobertura's XML.")
@click.option("--html", "html_path", type=PATH, metavar="DIR", help="Pages, with the sources.")
@click.option("--sources", type=PATH, default=Path(), metavar="DIR", help="Where the sources are.")
@strict_option
@peripheral_option
@project_options
def command(
    choice: ProjectChoice,
    elf: Path,
    frames: str | None,
    limit: int | None,
    limit_us: float,
    for_us: float | None,
    lcov_path: Path | None,
    cobertura_path: Path | None,
    html_path: Path | None,
    sources: Path,
    strict: bool,
    peripherals: tuple[str, ...],
) -> int:
    """Run the firmware ELF as it is, not instrumented, and tell what of it ran.

    A line counts where it has code: what the compiler removed is neither covered nor missed.
    """
    from boardless.debug.coverage import measure
    from boardless.project.project import load_project
    from boardless.report.console import console
    from boardless.report.execution.coverage import coverage_table
    from boardless.running.classify import classify, require_results
    from boardless.running.post_mortem import fault_lines
    from boardless.running.session import BoardSetup
    from boardless_sim.camera.source import open_frames
    from boardless_sim.files import require_writable

    if (frames is None) == (for_us is None):
        raise click.UsageError("expected one of --frames and --for-us")
    for path in (lcov_path, cobertura_path):
        if path is not None:
            require_writable(path)
    project = load_project(choice, elf)
    setup = BoardSetup.of(project, elf, strict=strict, peripherals=peripherals)
    image = setup.load()
    image.require_names("coverage")
    with closing(setup.native()) as engine:
        engine.load(image)
        engine.machine.cpu.cover()
        if frames is not None:
            require_results(classify(engine, open_frames(frames, limit=limit), limit_us))
        elif for_us is not None:
            engine.run(for_us)
        found = measure(engine.machine.cpu, image)
        stands = fault_lines(engine)
    _write(found, lcov_path, cobertura_path, html_path, sources)
    console().print(coverage_table(found))
    for line in stands:
        click.echo(line, err=True)
    return ExitCode.PASSED


def _write(
    found: Coverage, lcov_path: Path | None, cobertura_path: Path | None,
    html_path: Path | None, sources: Path,
) -> None:  # fmt: skip
    from boardless.report.execution.coverage import cobertura, lcov
    from boardless_sim.files import write_text

    if lcov_path is not None:
        write_text(lcov_path, lcov(found))
    if cobertura_path is not None:
        write_text(cobertura_path, cobertura(found))
    if html_path is not None:
        from boardless.report.execution.coverage_html import pages

        html_path.mkdir(parents=True, exist_ok=True)
        for name, text in pages(found, sources).items():
            write_text(html_path / name, text)
