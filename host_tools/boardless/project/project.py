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


REFERENCE_PROJECT = Project()


def load_project(choice: ProjectChoice = NOTHING_SAID, elf: Path | None = None) -> Project:
    """That of a file; without one, of `boardless.toml` in the current folder, if it is there.

    `elf`: which of several [[target]] it is. Raises `ConfigError`.
    """
    here = Path(FILE_NAME)
    project = Project()
    if choice.config is not None or here.is_file():
        config = _config(choice.config or here, elf)
        project = Project(
            config.contract, config.check_waivers, config.board, config.image, config.elf
        )
    board, image = project.board.on_chip(choice.chip), project.image
    if choice.symbols is not None:
        image = replace(image, symbols=choice.symbols)
    return replace(project, board=board, image=image)


def _config(path: Path, elf: Path | None) -> Config:
    values = read_toml(path)
    if elf is not None and "target" in values:
        for target in targets_of(path, values):
            if target.elf.resolve() == elf.resolve():
                return target.config
    return config_of(path, values)
