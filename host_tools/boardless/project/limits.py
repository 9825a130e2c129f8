"""What a project may hold its firmware to: every budget of `boardless.toml`, checked and frozen."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

from boardless.project.toml_table import Table

RegionKind = Literal["flash", "ram"]
Selector = Literal["symbol", "section", "source", "archive"]
Expect = Literal["bytes", "match", "absent"]
DEFAULT_NOISE = 8
# how a region is called that the ELF's program headers alone tell of
_DERIVED = re.compile(r"(FLASH|RAM)@0x[0-9a-f]{8}", re.ASCII)
ROLES = {
    "weights": ("weights_*", "*_weights", "g_model*", "*_model_data"),
    "tables": ("bias*_*", "multiplier*_*", "shift*_*", "*_lut", "*_table", "layers"),
    "code": ("nn_*", "arm_nn_*"),
    "arena": ("*arena*", "scratch", "nn_scratch*"),
}


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
class RegionBudget:
    """The most bytes in a region, and the most that one change may add. `reason`: why so many."""

    name: str
    max_bytes: int | None
    max_growth: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class SizeBudget:
    """The most bytes that what matches a pattern may take together.

    `expect`: "bytes" (something matches and has bytes), "match" (something matches, perhaps
    without bytes), "absent" (nothing may match).
    """

    name: str
    what: Selector
    patterns: tuple[str, ...]
    max_bytes: int
    expect: Expect = "bytes"
    max_growth: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Waiver:
    """Bytes that a budget may be over, for a reason, up to and with a day."""

    budget: str
    bytes: int
    reason: str
    expires: datetime.date


@dataclass(frozen=True)
class Budgets:
    """Everything that has a maximum. None, or no entry: not held to anything."""

    regions: tuple[RegionBudget, ...] = ()
    sizes: tuple[SizeBudget, ...] = ()
    static_ram_max: int | None = None
    measured_stack_max: int | None = None
    stack_max: int | None = None
    waivers: tuple[Waiver, ...] = ()
    noise: int = DEFAULT_NOISE
    reasons: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        limits = (self.static_ram_max, self.measured_stack_max, self.stack_max)
        return bool(self.regions or self.sizes) or any(limit is not None for limit in limits)


@dataclass(frozen=True)
class Role:
    """What part of a model some symbols are."""

    name: str
    patterns: tuple[str, ...]


def read_regions(table: Table) -> tuple[tuple[Region, ...], tuple[RegionBudget, ...], bool]:
    """The regions, their budgets, and whether the file says where any of them lies."""
    known = {region.name: region for region in STM32F407VG}
    budgets: list[RegionBudget] = []
    declared = False
    for name in table.names():
        entry = table.table(name)
        maximum, growth = entry.optional_size("max"), entry.optional_size("max-growth")
        if maximum is not None or growth is not None:
            budgets.append(RegionBudget(name, maximum, growth, entry.text("reason") or ""))
        elif not entry.has("origin"):
            entry.size("max")
        if entry.has("origin") or entry.has("kind") or entry.has("length"):
            declared = True
            known[name] = _region(entry, name)
        elif name not in known and not _DERIVED.fullmatch(name):
            raise entry.error(
                f"found region {name!r}, expected {', '.join(known)}, "
                "or its kind, origin and length"
            )
        entry.close()
    table.close()
    return tuple(known.values()), tuple(budgets), declared


def read_sizes(budget: Table) -> tuple[SizeBudget, ...]:
    """`[budget.model]` and every `[[budget.size]]`."""
    found = list(_model(budget.table("model")))
    taken = {"model", "static-ram", "stack"}
    for entry in budget.tables("size"):
        size = _size(entry)
        if size.name in taken:
            raise entry.error(f"name: found {size.name!r} again, expected a name not used yet")
        taken.add(size.name)
        found.append(size)
    return tuple(found)


def read_roles(budget: Table) -> tuple[Role, ...]:
    """The parts of a model: `[budget.model.roles]`, each with its usual names where not given."""
    table = budget.table("model").table("roles")
    roles = tuple(Role(name, table.texts(name) or usual) for name, usual in ROLES.items())
    table.close()
    return roles


def read_artifact(budget: Table) -> str | None:
    """The artifact whose model the ELF must carry: `artifact` of `[budget.model]`."""
    return budget.table("model").text("artifact")


def read_waivers(budget: Table) -> Iterator[Waiver]:
    """Every `[[budget.waive]]`."""
    for entry in budget.tables("waive"):
        yield Waiver(
            entry.required_text("budget"),
            entry.size("bytes"),
            entry.required_text("reason"),
            entry.date("expires"),
        )
        entry.close()


def _model(table: Table) -> Iterator[SizeBudget]:
    if not table.given:
        return
    table.table("roles")
    table.text("artifact")
    sections, reason = table.texts("sections") or (".model",), table.text("reason") or ""
    maximum, growth = table.size("max"), table.optional_size("max-growth")
    table.close()
    yield SizeBudget("model", "section", sections, maximum, max_growth=growth, reason=reason)


def _region(entry: Table, name: str) -> Region:
    kind = entry.choice("kind", ("flash", "ram"))
    origin, length = entry.size("origin"), entry.size("length")
    region = Region(name, cast(RegionKind, kind), origin, length)
    if not length or origin + length > 1 << 32:
        raise entry.error(f"found {length} bytes at {origin:#010x}, expected a range in 32 bits")
    return region


def _size(entry: Table) -> SizeBudget:
    name = entry.required_text("name")
    kinds = get_args(Selector)
    given = [(kind, texts) for kind in kinds if (texts := entry.texts(kind))]
    if len(given) != 1:
        names = " and ".join(kind for kind, _ in given) or "none"
        raise entry.error(f"found {names}, expected one of {', '.join(kinds)}")
    what, patterns = given[0]
    expect = cast(Expect, entry.choice("expect", get_args(Expect), "bytes"))
    maximum = (entry.optional_size("max") or 0) if expect == "absent" else entry.size("max")
    growth, reason = entry.optional_size("max-growth"), entry.text("reason") or ""
    entry.close()
    return SizeBudget(name, what, patterns, maximum, expect, growth, reason)
