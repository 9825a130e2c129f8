"""`boardless compare`: several engines on one ELF, and the first thing that differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Duration,
    Finite,
    bounds_options,
    limit_option,
    project_options,
)
from boardless_sim.errors import ResultError

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice
    from boardless.running.session import BoardSetup


@click.command("compare")
@click.argument("elf", type=PATH)
@click.option(
    "--engines",
    default="native,qemu",
    show_default=True,
    metavar="NAMES",
    help="Two or more; the first is what the others are held against.",
)
@click.option("--frames", metavar="PATH", help="A file, a folder, pattern:NAME.")
@click.option(
    "--for", "for_us", type=Duration(), metavar="TIME", help="The console of any firmware, so long."
)
@limit_option
@project_options
@bounds_options
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write it all as JSON.")
@click.option(
    "--selftest",
    type=PATH,
    metavar="FILE",
    help="A program of `t-` lines.  [default: selftest.elf beside ELF]",
)
@click.option(
    "--limit-us",
    type=Finite(min=1),
    default=5_000_000,
    show_default=True,
    metavar="US",
    help="Virtual time that one frame may take, boot and printed layers included.",
)
def command(
    choice: ProjectChoice,
    elf: Path,
    engines: str,
    frames: str | None,
    for_us: float | None,
    limit: int | None,
    host_seconds: float,
    console_bytes: int,
    resets: int,
    json_path: Path | None,
    selftest: Path | None,
    limit_us: float,
) -> int:
    """Run the firmware ELF on several engines and show the first thing that differs.

    Class and score of every frame must be equal, every layer's output where ELF takes its frames
    from memory as boardless-mailbox.elf does, and the lines of the self-test. A missing engine is
    no pass. With --for it is any firmware: what its console says must be equal, line by line.
    """
    from boardless.compare.comparison import compare, setups_of
    from boardless.project.project import load_project
    from boardless.report.compare import compare_document, compare_table
    from boardless.report.console import console
    from boardless.report.document import write_json
    from boardless_sim.camera.source import open_frames
    from boardless_sim.engines.bounds import Bounds
    from boardless_sim.files import require_writable

    if json_path is not None:
        require_writable(json_path)
    bounds = Bounds(host_seconds, console_bytes, resets)
    setups = setups_of(elf, engines, load_project(choice, elf), bounds)
    if for_us is not None:
        return _consoles(setups, for_us, json_path)
    if frames is None:
        raise click.UsageError("expected --frames or --for")
    beside = elf.parent / "selftest.elf"
    program = selftest or (beside if beside.is_file() else None)
    source = list(open_frames(frames, limit=limit))
    comparison = compare(setups, source, limit_us, program)
    if json_path is not None:
        write_json(json_path, compare_document(comparison))
    console().print(compare_table(comparison))
    return ExitCode.PASSED if comparison.difference is None else ExitCode.FAILED


def _consoles(setups: list[BoardSetup], for_us: float, json_path: Path | None) -> int:
    from boardless.compare.consoles import differing_line, transcripts_of
    from boardless.report.document import write_json
    from boardless.report.transcript import comparison_document, comparison_lines

    found = transcripts_of(setups, for_us)
    difference = differing_line(found)
    if json_path is not None:
        write_json(json_path, comparison_document(found, difference))
    for text in comparison_lines(found, difference):
        click.echo(text)
    if not any(transcript.lines for transcript in found):
        raise ResultError("no engine's console said anything, expected a line to compare")
    return ExitCode.PASSED if difference is None else ExitCode.FAILED
