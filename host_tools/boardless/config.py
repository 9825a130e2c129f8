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
from typing import Literal

from boardless.toml_table import Table
from boardless_sim.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
FILE_NAME = "boardless.toml"

RegionKind = Literal["flash", "ram"]


@dataclass(frozen=True)
class Region:
    """A stretch of the chip's memory."""

    name: str
    kind: RegionKind
    origin: int
    length: int

    def holds(self, address: int) -> bool:
        """Whether an address lies in it."""
        return self.origin <= address < self.origin + self.length


STM32F407VG = (
    Region("FLASH", "flash", 0x0800_0000, 1 << 20),
    Region("RAM", "ram", 0x2000_0000, 128 << 10),
    Region("CCM", "ram", 0x1000_0000, 64 << 10),
)


@dataclass(frozen=True)
class SizeBudget:
    """The most bytes that the symbols or the sections of a pattern may take together."""

    name: str
    what: Literal["symbol", "section"]
    patterns: tuple[str, ...]
    max_bytes: int


@dataclass(frozen=True)
class Budgets:
    """Everything that has a maximum. None, or no entry: not held to anything."""

    regions: tuple[tuple[str, int], ...] = ()
    sizes: tuple[SizeBudget, ...] = ()
    static_ram_max: int | None = None
    measured_stack_max: int | None = None

    def __bool__(self) -> bool:
        limits = (self.static_ram_max, self.measured_stack_max)
        return bool(self.regions or self.sizes) or any(limit is not None for limit in limits)


@dataclass(frozen=True)
class Config:
    """One project. Paths are already relative to the current folder, not to the file."""

    path: Path
    elf: Path | None
    regions: tuple[Region, ...]
    stack_sections: tuple[str, ...]
    budgets: Budgets


def load_config(path: Path) -> Config:
    """Read and check a `boardless.toml`. Raises `ConfigError` with file, key, found, expected."""
    root = Table(path, "", _parse(path))
    project = root.table("project")
    elf = project.text("elf")
    project.close()
    budget = root.table("budget")
    root.close()
    regions, region_maxima = _regions(budget.table("region"))
    sizes = _sizes(budget)
    static_ram = budget.table("static-ram")
    static_ram_max = static_ram.size("max") if static_ram.given else None
    stack_sections = static_ram.texts("stack-sections") or (".stack", "._user_heap_stack")
    static_ram.close()
    stack = budget.table("stack")
    stack_max = stack.size("measured-max") if stack.given else None
    stack.close()
    budget.close()
    return Config(
        path=path,
        elf=None if elf is None else path.parent / elf,
        regions=regions,
        stack_sections=stack_sections,
        budgets=Budgets(region_maxima, sizes, static_ram_max, stack_max),
    )


def find_config(folder: Path) -> Path:
    """The `boardless.toml` of a folder. Raises `ConfigError` where there is none."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise ConfigError(f"{path}: not there, expected the project's budgets (or --config FILE)")
    return path


def _parse(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}, expected a TOML file") from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: over {MAX_FILE_BYTES} bytes, expected a small TOML file")
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8, expected TOML") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deep, expected tables and sizes") from error


def _regions(table: Table) -> tuple[tuple[Region, ...], tuple[tuple[str, int], ...]]:
    known = {region.name: region for region in STM32F407VG}
    maxima: list[tuple[str, int]] = []
    for name in table.names():
        entry = table.table(name)
        maxima.append((name, entry.size("max")))
        if name not in known or entry.has("origin"):
            known[name] = _region(entry, name, tuple(known))
        entry.close()
    table.close()
    return tuple(known.values()), tuple(maxima)


def _region(entry: Table, name: str, known: tuple[str, ...]) -> Region:
    if not entry.has("origin"):
        raise entry.error(
            f"found region {name!r}, expected {', '.join(known)}, or its kind, origin and length"
        )
    kind = entry.choice("kind", ("flash", "ram"))
    region = Region(
        name, "flash" if kind == "flash" else "ram", entry.size("origin"), entry.size("length")
    )
    if not region.length or region.origin + region.length > 1 << 32:
        raise entry.error(
            f"found {region.length} bytes at {region.origin:#010x}, expected a range in 32 bits"
        )
    return region


def _sizes(budget: Table) -> tuple[SizeBudget, ...]:
    found: list[SizeBudget] = []
    model = budget.table("model")
    if model.given:
        found.append(
            SizeBudget(
                "model", "section", model.texts("sections") or (".model",), model.size("max")
            )
        )
    model.close()
    taken = {"model", "static-ram", "stack"}
    for entry in budget.tables("size"):
        size = _size(entry)
        if size.name in taken:
            raise entry.error(f"name: found {size.name!r} again, expected a name not used yet")
        taken.add(size.name)
        found.append(size)
    return tuple(found)


def _size(entry: Table) -> SizeBudget:
    name = entry.required_text("name")
    symbols, sections = entry.texts("symbol"), entry.texts("section")
    if bool(symbols) == bool(sections):
        given = "both" if symbols else "neither"
        raise entry.error(f"found {given} of symbol and section, expected one of them")
    size = SizeBudget(
        name, "symbol" if symbols else "section", symbols or sections, entry.size("max")
    )
    entry.close()
    return size
