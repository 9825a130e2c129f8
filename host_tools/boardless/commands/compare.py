"""`boardless compare`: several engines on one ELF, and the first thing that differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH, Finite, bounds_options, limit_option, project_options

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice


@click.command("compare")
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
    frames: str,
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
    no pass.
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
    beside = elf.parent / "selftest.elf"
    program = selftest or (beside if beside.is_file() else None)
    bounds = Bounds(host_seconds, console_bytes, resets)
    source = list(open_frames(frames, limit=limit))
    comparison = compare(
        setups_of(elf, engines, load_project(choice, elf), bounds), source, limit_us, program
    )
    if json_path is not None:
        write_json(json_path, compare_document(comparison))
    console().print(compare_table(comparison))
    return ExitCode.PASSED if comparison.difference is None else ExitCode.FAILED
