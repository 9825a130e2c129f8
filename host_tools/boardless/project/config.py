"""`boardless.toml`, checked and frozen: what a project holds its firmware to.

    [project]
    elf = "build/firmware/boardless.elf"

    [budget.region.FLASH]
    max = "448K"

    [budget.model]
    max = "8K"
    sections = [".model"]

    [[budget.size]]
    name = "kernels"
    symbol = "nn_*"
    max = "6K"

    [budget.static-ram]
    max = "32K"

    [budget.stack]
    measured-max = "2K"

A size is a number of bytes, or a text with a unit: "8192", "8K", "8 KiB", "1M".
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from boardless.project.annotations import KEYS, StackAnnotations, read_annotations
from boardless.project.board import read_board, read_image
from boardless.project.budgets import (
    DEFAULT_NOISE,
    FIGURES,
    Budgets,
    read_figure,
    read_regions,
    read_sizes,
    read_stack,
    read_waivers,
)
from boardless.project.chip import read_chip
from boardless.project.contract import read_contract
from boardless.project.model import Role, read_model
from boardless.project.regions import Region
from boardless.project.toml_table import TomlTable
from boardless.project.waivers import CheckWaiver, read_check_waivers
from boardless_sim.boards.plan import PLAIN, BoardPlan
from boardless_sim.contract import REFERENCE, Contract
from boardless_sim.elf.image import AS_IT_IS, ImagePlan
from boardless_sim.errors import ConfigError
from boardless_sim.files import read_file

MAX_FILE_BYTES = 1 << 20
FILE_NAME = "boardless.toml"
STACK_SECTIONS = (".stack", "._user_heap_stack")


@dataclass(frozen=True)
class Config:
    """One project. Paths are already relative to the current folder, not to the file.

    `declares_regions`: the file says where a region lies, so nothing is guessed from the ELF.
    `spare_regions`: for an ELF that uses what it does not place. `chip`: the part that it names;
    None where it names none. `target`: which of several this is.
    """

    path: Path
    regions: tuple[Region, ...]
    elf: Path | None = None
    stack_sections: tuple[str, ...] = STACK_SECTIONS
    budgets: Budgets = field(default_factory=Budgets)
    linker_map: Path | None = None
    declares_regions: bool = False
    spare_regions: tuple[Region, ...] = ()
    chip: str | None = None
    target: str = ""
    roles: tuple[Role, ...] = ()
    stack: StackAnnotations = field(default_factory=StackAnnotations)
    artifact: Path | None = None
    contract: Contract = REFERENCE
    check_waivers: tuple[CheckWaiver, ...] = ()
    board: BoardPlan = PLAIN
    image: ImagePlan = AS_IT_IS
    frames: str | None = None  # what `boardless run` shows, and how long it runs, unless it is said
    for_time: str | None = None


def load_config(path: Path) -> Config:
    """Read and check a `boardless.toml`. Raises `ConfigError` with file, key, found, expected."""
    return config_of(path, read_toml(path))


def parse_config(path: Path, raw: bytes) -> Config:
    """The same of a file's bytes, as they are or as they once were."""
    return config_of(path, parse_toml(path, raw))


def read_toml(path: Path) -> dict[str, object]:
    """A file's tables. Raises `ConfigError`."""
    return parse_toml(path, read_file(path, "a TOML file", ConfigError, MAX_FILE_BYTES))


def config_of(path: Path, values: dict[str, object]) -> Config:
    """What a file's tables say of one firmware; `[[target]]` has a reader of its own."""
    root = TomlTable(path, "", values)
    root.leave("target")
    project, budget = root.table("project"), root.table("budget")
    elf, linker_map = project.text("elf"), project.text("map")
    frames, for_time = project.text("frames"), project.text("for")
    project.close()
    contract = read_contract(root)
    check_waivers = tuple(read_check_waivers(root.table("checks")))
    board = root.table("board")
    chip = read_chip(board)
    plan, image = read_board(root, board, chip, contract), read_image(root.table("image"))
    board.close()
    root.close()
    regions = read_regions(budget.table("region"), chip)
    model = read_model(budget.table("model"))
    figures = {name: budget.table(name) for name in FIGURES}
    stack_sections = figures["static-ram"].texts("stack-sections") or STACK_SECTIONS
    stack = budget.table("stack")
    annotations = read_annotations(stack)
    held = (
        *regions.budgets,
        *model.budget,
        *read_sizes(budget.tables("size")),
        *(found for name, table in figures.items() for found in read_figure(table, name)),
        *read_stack(stack, is_annotated=any(map(stack.has, KEYS))),
        *(task.budget for task in annotations.tasks if task.budget is not None),
    )
    stack.close()
    waivers, noise = tuple(read_waivers(budget)), budget.optional_size("noise")
    budget.close()
    return Config(
        path=path,
        elf=None if elf is None else path.parent / elf,
        regions=regions.regions,
        stack_sections=stack_sections,
        budgets=Budgets(held, waivers, DEFAULT_NOISE if noise is None else noise),
        linker_map=None if linker_map is None else path.parent / linker_map,
        declares_regions=regions.are_declared,
        spare_regions=regions.spare,
        chip=chip,
        roles=model.roles,
        stack=annotations,
        artifact=None if model.artifact is None else path.parent / model.artifact,
        contract=contract,
        check_waivers=check_waivers,
        board=plan,
        image=image,
        frames=_placed(path.parent, frames),
        for_time=for_time,
    )


def _placed(folder: Path, frames: str | None) -> str | None:
    """Frames of a path go from the file's folder; a pattern is none."""
    if frames is None or frames.startswith("pattern:"):
        return frames
    return str(folder / frames)


def with_chip(values: dict[str, object], chip: str | None) -> dict[str, object]:
    """A file's tables with another [board] chip, for what all targets share; None: as they are."""
    board = values.get("board", {})
    if chip is None or not isinstance(board, dict):
        return values
    return {**values, "board": {**board, "chip": chip}}


def find_config(folder: Path) -> Path:
    """The `boardless.toml` of a folder. Raises `ConfigError` where there is none."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise ConfigError(f"{path}: not there, expected the project's budgets (or --config FILE)")
    return path


def parse_toml(path: Path, raw: bytes) -> dict[str, object]:
    """The same of its bytes."""
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8, expected TOML") from error
    except ValueError as error:  # its own, and int()'s for thousands of digits
        raise ConfigError(f"{path}: not TOML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deep, expected tables and sizes") from error
