"""`boardless profile`: where a firmware's cycles go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import (
    PATH,
    Finite,
    Whole,
    bounds_options,
    elf_argument,
    limit_option,
    limit_us_option,
    model_option,
    peripheral_option,
    project_options,
    strict_option,
    tensors_option,
)

if TYPE_CHECKING:
    from boardless.project.choice import ProjectChoice
    from boardless.timing.profile.recording import Profile, ProfilePlan

_NOISE, _NOISE_FRAMES = "pattern:noise:1", 10


@click.command("profile")
@elf_argument
@click.option(
    "--frames",
    metavar="PATH",
    help=f"A file, a folder, pattern:NAME.  [default: {_NOISE_FRAMES} frames of noise]",
)
@tensors_option
@limit_option
@click.option(
    "--for-us",
    type=Finite(min=1),
    metavar="US",
    help="Virtual time from power-on instead of frames: for any program.",
)
@model_option
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write the profile as JSON.")
@click.option(
    "--speedscope",
    "speedscope_path",
    type=PATH,
    metavar="FILE",
    help="Write a flame graph, for speedscope.app.",
)
@click.option(
    "--callgrind",
    "callgrind_path",
    type=PATH,
    metavar="FILE",
    help="Write it by source line, for KCachegrind.",
)
@click.option(
    "--top",
    type=Whole(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many functions the table shows.",
)
@click.option(
    "--every",
    type=Whole(min=50),
    default=997,
    show_default=True,
    metavar="CYCLES",
    help="From one sample of the call stack to the next.",
)
@strict_option
@peripheral_option
@project_options
@limit_us_option
@bounds_options
def command(
    choice: ProjectChoice,
    elf: Path,
    frames: str | None,
    tensors: Path | None,
    limit: int | None,
    for_us: float | None,
    model: Path | None,
    json_path: Path | None,
    speedscope_path: Path | None,
    callgrind_path: Path | None,
    top: int,
    every: int,
    strict: bool,
    peripherals: tuple[str, ...],
    limit_us: float,
    host_seconds: float,
    console_bytes: int,
    resets: int,
) -> int:
    """Show where the cycles of the firmware ELF go: stages, layers of its network, functions.

    Frames are counted from the result before the first one to the result of the last: the boot does
    not count. Runs on the native engine, whose cycles are estimated. A profile of time fails where
    most of it passed in an exception that never returned.
    """
    from boardless.project.project import load_project
    from boardless.report.console import console
    from boardless.report.profile import profile_tables
    from boardless.timing.profile.recording import ProfilePlan
    from boardless_sim.engines.bounds import Bounds
    from boardless_sim.files import require_writable

    if for_us is not None and (frames, tensors, limit) != (None, None, None):
        raise click.UsageError("--for-us counts time, expected no --frames or --limit with it")
    if frames is not None and tensors is not None:
        raise click.UsageError("expected --frames or --tensors, not both")
    project = load_project(choice, elf)
    for path in (json_path, speedscope_path, callgrind_path):
        if path is not None:
            require_writable(path)
    plan = ProfilePlan(
        elf=elf,
        every_cycles=every,
        limit_us=limit_us,
        strict=strict,
        peripherals=peripherals,
        contract=project.contract,
        model=model,
        bounds=Bounds(host_seconds, console_bytes, resets),
        board=project.board,
        image=project.image,
    )
    profile = _record(plan, frames, tensors, limit, for_us)
    _write(profile, json_path, speedscope_path, callgrind_path)
    console().print(profile_tables(profile, top))
    if profile.is_stuck:
        click.echo("FAILED     stuck: most of the time in an exception that never returned")
        return ExitCode.FAILED
    return ExitCode.PASSED


def _record(
    plan: ProfilePlan,
    frames: str | None,
    tensors: Path | None,
    limit: int | None,
    for_us: float | None,
) -> Profile:
    from boardless.timing.profile.recording import record_frames, record_time
    from boardless_sim.camera.source import open_frames

    if for_us is not None:
        return record_time(plan, for_us)
    if tensors is not None:
        from boardless_sim.camera.tensor import open_tensors

        return record_frames(plan, open_tensors(tensors, limit))
    if frames is None:
        return record_frames(plan, open_frames(_NOISE, limit=limit or _NOISE_FRAMES))
    return record_frames(plan, open_frames(frames, limit=limit))


def _write(
    profile: Profile,
    json_path: Path | None,
    speedscope_path: Path | None,
    callgrind_path: Path | None,
) -> None:
    from boardless.report.document import write_json
    from boardless.report.profile import profile_document
    from boardless.timing.profile.callgrind import callgrind
    from boardless.timing.profile.speedscope import speedscope_document
    from boardless_sim.files import write_text

    if json_path is not None:
        write_json(json_path, profile_document(profile))
    if speedscope_path is not None:
        write_json(speedscope_path, speedscope_document(profile))
    if callgrind_path is not None:
        write_text(callgrind_path, "".join(callgrind(profile)))
