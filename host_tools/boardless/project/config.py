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
from dataclasses import dataclass
from pathlib import Path

from boardless.project.contract import read_contract
from boardless.project.limits import (
    DEFAULT_NOISE,
    STM32F407VG,
    Budgets,
    Region,
    RegionBudget,
    Role,
    SizeBudget,
    Waiver,
    read_artifact,
    read_regions,
    read_roles,
    read_sizes,
    read_waivers,
)
from boardless.project.toml_table import Table
from boardless_sim.contract import REFERENCE, Contract
from boardless_sim.errors import ConfigError

__all__ = [
    "STM32F407VG",
    "Budgets",
    "Config",
    "Region",
    "RegionBudget",
    "Role",
    "SizeBudget",
    "Waiver",
    "find_config",
    "load_config",
    "parse_config",
]

MAX_FILE_BYTES = 1 << 20
FILE_NAME = "boardless.toml"
# what only the analysis of the stack reads
_STACK_ANNOTATIONS = ("entry", "su", "cold", "calls", "recursion", "frames", "interrupts", "task")


@dataclass(frozen=True)
class Config:
    """One project. Paths are already relative to the current folder, not to the file.

    `declares_regions`: the file says where a region lies, so nothing is guessed from the ELF.
    """

    path: Path
    elf: Path | None
    regions: tuple[Region, ...]
    stack_sections: tuple[str, ...]
    budgets: Budgets
    linker_map: Path | None = None
    declares_regions: bool = False
    roles: tuple[Role, ...] = ()
    stack_table: Table | None = None
    artifact: Path | None = None
    contract: Contract = REFERENCE


def load_config(path: Path) -> Config:
    """Read and check a `boardless.toml`. Raises `ConfigError` with file, key, found, expected."""
    return parse_config(path, _read(path))


def parse_config(path: Path, raw: bytes) -> Config:
    """The same of a file's bytes, as they are or as they once were."""
    root = Table(path, "", _parse(path, raw))
    project = root.table("project")
    elf, linker_map = project.text("elf"), project.text("map")
    project.close()
    contract = read_contract(root)
    budget = root.table("budget")
    root.close()
    regions, region_budgets, declared = read_regions(budget.table("region"))
    sizes, roles, artifact = read_sizes(budget), read_roles(budget), read_artifact(budget)
    static_ram = budget.table("static-ram")
    static_ram_max = static_ram.size("max") if static_ram.given else None
    stack_sections = static_ram.texts("stack-sections") or (".stack", "._user_heap_stack")
    reasons = [("static-ram", static_ram.text("reason") or "")]
    static_ram.close()
    stack = budget.table("stack")
    stack_max, measured_max = _stack(stack)
    stack.leave(*_STACK_ANNOTATIONS)
    reasons.append(("stack", stack.text("reason") or ""))
    stack.close()
    waivers = tuple(read_waivers(budget))
    noise = budget.optional_size("noise")
    budget.close()
    return Config(
        path=path,
        elf=None if elf is None else path.parent / elf,
        regions=regions,
        stack_sections=stack_sections,
        budgets=Budgets(
            region_budgets,
            sizes,
            static_ram_max,
            measured_max,
            stack_max,
            waivers,
            DEFAULT_NOISE if noise is None else noise,
            tuple(reasons),
        ),
        linker_map=None if linker_map is None else path.parent / linker_map,
        declares_regions=declared,
        roles=roles,
        stack_table=stack,
        artifact=None if artifact is None else path.parent / artifact,
        contract=contract,
    )


def _stack(stack: Table) -> tuple[int | None, int | None]:
    maximum = stack.optional_size("max")
    if stack.given and maximum is None and not any(map(stack.has, _STACK_ANNOTATIONS)):
        return None, stack.size("measured-max")
    return maximum, stack.optional_size("measured-max")


def find_config(folder: Path) -> Path:
    """The `boardless.toml` of a folder. Raises `ConfigError` where there is none."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise ConfigError(f"{path}: not there, expected the project's budgets (or --config FILE)")
    return path


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}, expected a TOML file") from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: over {MAX_FILE_BYTES} bytes, expected a small TOML file")
    return raw


def _parse(path: Path, raw: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8, expected TOML") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deep, expected tables and sizes") from error
