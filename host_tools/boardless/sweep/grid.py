"""From a plan to its rows and their tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

from boardless.project.choice import ProjectChoice
from boardless.project.config import FILE_NAME
from boardless.project.project import Project, load_project
from boardless.running.session import BoardSetup
from boardless.sweep.plan import FrameSet, SweepPlan
from boardless.sweep.work import Row, SweepTask, hash_of_frames
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import open_frames
from boardless_sim.errors import FrameError, ImageError
from boardless_sim.files import read_file


@dataclass(frozen=True)
class Firmware:
    """An ELF of the sweep. `name` stands in the results: its path, or the revision it is of."""

    name: str
    path: Path
    raw: bytes


@dataclass(frozen=True)
class FrameChunk:
    """Frames `start` and on of a source; what a task is given."""

    start: int
    frames: tuple[Frame, ...]
    sha256: str


@dataclass(frozen=True)
class Grid:
    """Every task, and what they are given: firmwares by SHA-256, frames by their hash."""

    tasks: tuple[SweepTask, ...]
    elfs: Mapping[str, bytes]
    chunks: Mapping[str, FrameChunk]

    def given(self, task: SweepTask) -> tuple[bytes, tuple[Frame, ...]]:
        """The ELF and the frames of a task."""
        return self.elfs[task.inputs[0]], self.chunks[task.inputs[1]].frames


def firmwares(plan: SweepPlan) -> tuple[Firmware, ...]:
    """The ELFs of a plan without revisions."""
    paths = ((name, plan.folder / name) for name in plan.elfs)
    return tuple(
        Firmware(name, path, read_file(path, "an ELF", ImageError)) for name, path in paths
    )


def make_grid(plan: SweepPlan, found: tuple[Firmware, ...]) -> Grid:
    """Every row's tasks, each row's frames in order. Raises what an input file is refused with."""
    sources = {source.name: tuple(_chunks(source, plan.chunk)) for source in plan.frames}
    elfs = {hashlib.sha256(each.raw).hexdigest(): each.raw for each in found}
    chunks = {chunk.sha256: chunk for each in sources.values() for chunk in each}
    return Grid(tuple(_tasks(plan, found, sources)), elfs, chunks)


def _tasks(
    plan: SweepPlan,
    found: tuple[Firmware, ...],
    sources: Mapping[str, tuple[FrameChunk, ...]],
) -> Iterator[SweepTask]:
    hashes = {each.name: hashlib.sha256(each.raw).hexdigest() for each in found}
    projects = {name: _project(plan.folder, name) for name in plan.configs}
    axes = product(found, plan.configs, plan.chips, plan.engines, plan.seeds, plan.frames)
    for firmware, config, chip, engine, seed, source in axes:
        project, config_hash = projects[config]
        setup = BoardSetup(
            elf=firmware.path,
            engine=engine,
            ram_fill=seed,
            contract=project.contract,
            board=project.board.on_chip(chip),
            image=project.image,
        )
        row: Row = (
            ("elf", firmware.name),
            ("config", config or ""),
            ("chip", chip or ""),
            ("engine", engine),
            ("seed", "" if seed is None else str(seed)),
            ("frames", source.name),
        )
        for chunk in sources[source.name]:
            inputs = (
                hashes[firmware.name],
                chunk.sha256,
                config_hash,
                str(chip),
                engine,
                str(seed),
            )
            yield SweepTask(row, chunk.start, len(chunk.frames), setup, plan.limit_us, inputs)


def _chunks(source: FrameSet, size: int) -> Iterator[FrameChunk]:
    frames = iter(open_frames(source.path, source.labels, source.limit, source.fit))
    start = 0
    while found := tuple(islice(frames, size)):
        yield FrameChunk(start, found, hash_of_frames(found))
        start += len(found)
    if not start:
        raise FrameError(f"{source.path}: no frames, expected at least one")


def _project(folder: Path, name: str | None) -> tuple[Project, str]:
    """What a file says, and its SHA-256; without a name, of the one beside the plan if there is."""
    path = folder / (name or FILE_NAME)
    if name is None and not path.is_file():
        return Project(), ""
    raw = read_file(path, "a project's file")
    return load_project(ProjectChoice(path)), hashlib.sha256(raw).hexdigest()
