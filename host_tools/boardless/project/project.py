"""What a project says of running its firmware, and where that is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from boardless.project.choice import NOTHING_SAID, ProjectChoice
from boardless.project.config import FILE_NAME, Config, config_of, read_toml
from boardless.project.targets import targets_of
from boardless.project.waivers import CheckWaiver
from boardless_sim.boards.plan import PLAIN, BoardPlan
from boardless_sim.contract import REFERENCE, Contract
from boardless_sim.elf.image import AS_IT_IS, ImagePlan


@dataclass(frozen=True)
class Project:
    """The firmware's contract, its board and how it is flashed; the reference's unless said."""

    contract: Contract = REFERENCE
    waivers: tuple[CheckWaiver, ...] = ()
    board: BoardPlan = PLAIN
    image: ImagePlan = AS_IT_IS
    elf: Path | None = None
    frames: str | None = None
    for_time: str | None = None


REFERENCE_PROJECT = Project()


def load_project(choice: ProjectChoice = NOTHING_SAID, elf: Path | None = None) -> Project:
    """That of a file; without one, of `boardless.toml` in the current folder or beside the ELF.

    `elf`: which of several [[target]] it is. Raises `ConfigError`.
    """
    path = choice.config or _found(elf)
    project = Project()
    if path is not None:
        config = _config(path, elf)
        project = Project(
            contract=config.contract,
            waivers=config.check_waivers,
            board=config.board,
            image=config.image,
            elf=config.elf,
            frames=config.frames,
            for_time=config.for_time,
        )
    board, image = project.board.on_chip(choice.chip), project.image
    if choice.symbols is not None:
        image = replace(image, symbols=choice.symbols)
    return replace(project, board=board, image=image)


def _found(elf: Path | None) -> Path | None:
    places = [Path(FILE_NAME), *([] if elf is None else [elf.parent / FILE_NAME])]
    return next((place for place in places if place.is_file()), None)


def _config(path: Path, elf: Path | None) -> Config:
    values = read_toml(path)
    if elf is not None and "target" in values:
        for target in targets_of(path, values):
            if target.elf.resolve() == elf.resolve():
                return target.config
    return config_of(path, values)
