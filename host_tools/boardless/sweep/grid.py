"""From a plan to its rows and their tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, product
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
from boardless_sim.faults.optics import disturbed
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
    elfs = {hashlib.sha256(each.raw).hexdigest(): each.raw for each in found}
    seen = _Sources(plan)
    tasks = tuple(_tasks(plan, found, seen))
    return Grid(tasks, elfs, {chunk.sha256: chunk for chunk in seen.chunks()})


class _Sources:
    """Every source of frames as it looks through every disturbance, in chunks; read once."""

    def __init__(self, plan: SweepPlan) -> None:
        self._size = plan.chunk
        self._frames = {source.name: tuple(_read(source)) for source in plan.frames}
        self._chunks: dict[tuple[str, str | None, float, int], tuple[FrameChunk, ...]] = {}

    def look(self, source: str, optics: str | None, severity: float, seed: int | None) -> tuple[
        FrameChunk, ...
    ]:  # fmt: skip
        """The chunks of a source; without a disturbance no seed makes a difference."""
        is_clear = optics is None or severity == 0
        key = (source, None, 0.0, 0) if is_clear else (source, optics, severity, seed or 1)
        if key not in self._chunks:
            frames: Iterable[Frame] = self._frames[source]
            if optics is not None and not is_clear:
                frames = disturbed(frames, optics, severity, seed or 1)
            self._chunks[key] = tuple(_chunks(frames, self._size))
        return self._chunks[key]

    def chunks(self) -> Iterator[FrameChunk]:
        """All that were looked at."""
        return chain.from_iterable(self._chunks.values())


def _tasks(plan: SweepPlan, found: tuple[Firmware, ...], sources: _Sources) -> Iterator[SweepTask]:
    hashes = {each.name: hashlib.sha256(each.raw).hexdigest() for each in found}
    projects = {name: _project(plan.folder, name) for name in plan.configs}
    boards = product(found, plan.configs, plan.chips, plan.engines, plan.seeds)
    for firmware, config, chip, engine, seed in boards:
        project, config_hash = projects[config]
        setup = BoardSetup(
            elf=firmware.path,
            engine=engine,
            ram_fill=seed,
            contract=project.contract,
            board=project.board.on_chip(chip),
            image=project.image,
        )
        board: Row = (
            ("elf", firmware.name),
            ("config", config or ""),
            ("chip", chip or ""),
            ("engine", engine),
            ("seed", _text(seed)),
        )
        given = (config_hash, _text(chip), engine, _text(seed))
        for source, optics, severity in product(plan.frames, plan.optics, plan.severities):
            row: Row = (
                *board,
                ("frames", source.name),
                ("optics", optics or ""),
                ("severity", "" if optics is None else f"{severity:g}"),
            )
            for chunk in sources.look(source.name, optics, severity, seed):
                inputs = (hashes[firmware.name], chunk.sha256, *given)
                yield SweepTask(row, chunk.start, len(chunk.frames), setup, plan.limit_us, inputs)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _read(source: FrameSet) -> Iterator[Frame]:
    frames = open_frames(source.path, source.labels, source.limit, source.fit)
    first = next(frames, None)
    if first is None:
        raise FrameError(f"{source.path}: no frames, expected at least one")
    return chain([first], frames)


def _chunks(found: Iterable[Frame], size: int) -> Iterator[FrameChunk]:
    frames, start = iter(found), 0
    while chunk := tuple(islice(frames, size)):
        yield FrameChunk(start, chunk, hash_of_frames(chunk))
        start += len(chunk)


def _project(folder: Path, name: str | None) -> tuple[Project, str]:
    """What a file says, and its SHA-256; without a name, of the one beside the plan if there is."""
    path = folder / (name or FILE_NAME)
    if name is None and not path.is_file():
        return Project(), ""
    raw = read_file(path, "a project's file")
    return load_project(ProjectChoice(path)), hashlib.sha256(raw).hexdigest()
