"""What a project may hold its firmware to: every budget of `boardless.toml`, checked and frozen.

A budget is one object: the figure's key, its maximum, why it is what it is, and whose it is.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

from boardless.project.chip import DEFAULT_CHIP, chip_regions
from boardless.project.regions import Region, may_be_derived, read_region
from boardless.project.toml_table import TomlTable

Selector = Literal["symbol", "section", "source", "archive"]
Expect = Literal["bytes", "match", "absent"]
DEFAULT_NOISE = 8
# Tables `[budget.NAME]` of one figure each; `gate/figures.py` says how each is measured.
FIGURES = (
    "static-ram",
)  # fmt: skip


@dataclass(frozen=True)
class Budget:
    """The most bytes that one figure may have, and the most that one change may add to it.

    `key` is the figure's kind and name, as `region.FLASH`. `reason`: why so many. `owner`: who is
    asked when it is broken.
    """

    key: str
    max_bytes: int | None = None
    max_growth: int | None = None
    reason: str = ""
    owner: str = ""

    @property
    def kind(self) -> str:
        """What sort of figure it is: region, size, stack."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return self.key.partition(".")[2]


@dataclass(frozen=True)
class SizeBudget(Budget):
    """The most bytes that what matches a pattern may take together.

    `expect`: "bytes" (something matches and has bytes), "match" (something matches, perhaps
    without bytes), "absent" (nothing may match).
    """

    what: Selector = "symbol"
    patterns: tuple[str, ...] = ()
    expect: Expect = "bytes"


@dataclass(frozen=True)
class Waiver:
    """Bytes that a budget may be over, for a reason, up to and with a day."""

    budget: str
    bytes: int
    reason: str
    expires: datetime.date


@dataclass(frozen=True)
class Budgets:
    """Everything that has a maximum, by its key; what has no entry is not held to anything."""

    held: tuple[Budget, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    noise: int = DEFAULT_NOISE

    def get(self, key: str) -> Budget | None:
        """The budget of a figure."""
        return next((budget for budget in self.held if budget.key == key), None)

    def max_of(self, key: str) -> int | None:
        """The most bytes that a figure may have; None: any."""
        budget = self.get(key)
        return None if budget is None else budget.max_bytes

    def of_kind(self, kind: str) -> tuple[Budget, ...]:
        """All of one kind, in the file's order."""
        return tuple(budget for budget in self.held if budget.kind == kind)

    @property
    def sizes(self) -> tuple[SizeBudget, ...]:
        """Those of what matches a pattern."""
        return tuple(budget for budget in self.held if isinstance(budget, SizeBudget))


@dataclass(frozen=True)
class Regions:
    """Every region, its budget where it has one, and whether the file places any of them.

    `spare`: what the virtual board's own chip has beside them, for an ELF that uses it.
    """

    regions: tuple[Region, ...]
    budgets: tuple[Budget, ...]
    are_declared: bool
    spare: tuple[Region, ...]


def read_regions(table: TomlTable, chip: str | None) -> Regions:
    """`[budget.region.*]`: where each lies, and its budget.

    What the file does not place is the chip's, or the virtual board's own chip's.
    """
    known = {region.name: region for region in chip_regions(chip or DEFAULT_CHIP)}
    declared: dict[str, Region] = {}
    budgets: list[Budget] = []
    for name in table.names():
        entry = table.table(name)
        region = read_region(entry, name)
        budget = read_budget(entry, f"region.{name}", needs_max=False)
        if budget.max_bytes is not None or budget.max_growth is not None:
            budgets.append(budget)
        elif not entry.has("origin"):
            entry.size("max")
        if region is not None:
            declared[name] = region
        elif name not in known and not may_be_derived(name):
            raise entry.error(
                f"found region {name!r}, expected {', '.join(known)}, "
                "or its kind, origin and length"
            )
        entry.close()
    table.close()
    spare: dict[str, Region] = {}
    if declared and chip is None:  # of a chip that nobody names, only what is spoken of
        spare = {name: region for name, region in known.items() if name not in table.names()}
        known = {name: region for name, region in known.items() if name in table.names()}
    return Regions(
        regions=tuple({**known, **declared}.values()),
        budgets=tuple(budgets),
        are_declared=bool(declared),
        spare=tuple(r for r in spare.values() if not any(map(r.meets, declared.values()))),
    )


def read_sizes(tables: tuple[TomlTable, ...]) -> Iterator[SizeBudget]:
    """Every `[[budget.size]]`, each with a name of its own."""
    taken = {*FIGURES, "model", "stack"}
    for entry in tables:
        size = _size(entry)
        if size.name in taken:
            raise entry.error(f"name: found {size.name!r} again, expected a name not used yet")
        taken.add(size.name)
        yield size


def read_figure(table: TomlTable, name: str) -> Iterator[Budget]:
    """`[budget.NAME]` of one of `FIGURES`, where the file has it."""
    if table.given:
        yield read_budget(table, f"size.{name}")
    table.close()


def read_stack(table: TomlTable, *, is_annotated: bool) -> Iterator[Budget]:
    """The bound and the mark of `[budget.stack]`, with one reason and one owner for both."""
    bound = read_budget(table, "stack.bound", needs_max=False)
    if table.given and bound.max_bytes is None and not is_annotated:
        table.size("measured-max")
    measured = table.optional_size("measured-max")
    if bound.max_bytes is not None or bound.max_growth is not None:
        yield bound
    if measured is not None:
        yield Budget("stack.measured", measured, None, bound.reason, bound.owner)


def read_waivers(budget: TomlTable) -> Iterator[Waiver]:
    """Every `[[budget.waive]]`."""
    for entry in budget.tables("waive"):
        yield Waiver(
            entry.required_text("budget"),
            entry.size("bytes"),
            entry.required_text("reason"),
            entry.date("expires"),
        )
        entry.close()


def read_budget(table: TomlTable, key: str, *, needs_max: bool = True) -> Budget:
    """What every budget's table has: max, max-growth, reason, owner."""
    return Budget(
        key=key,
        max_bytes=table.size("max") if needs_max else table.optional_size("max"),
        max_growth=table.optional_size("max-growth"),
        reason=table.text("reason") or "",
        owner=table.text("owner") or "",
    )


def size_budget(
    table: TomlTable,
    name: str,
    what: Selector,
    patterns: tuple[str, ...],
    expect: Expect = "bytes",
) -> SizeBudget:
    """A budget of what matches patterns, from a table that says the rest of it."""
    found = read_budget(table, f"size.{name}", needs_max=expect != "absent")
    return SizeBudget(
        key=found.key,
        max_bytes=found.max_bytes or 0,
        max_growth=found.max_growth,
        reason=found.reason,
        owner=found.owner,
        what=what,
        patterns=patterns,
        expect=expect,
    )


def _size(entry: TomlTable) -> SizeBudget:
    name = entry.required_text("name")
    kinds = get_args(Selector)
    given = [(kind, texts) for kind in kinds if (texts := entry.texts(kind))]
    if len(given) != 1:
        names = " and ".join(kind for kind, _ in given) or "none"
        raise entry.error(f"found {names}, expected one of {', '.join(kinds)}")
    what, patterns = given[0]
    expect = cast(Expect, entry.choice("expect", get_args(Expect), "bytes"))
    size = size_budget(entry, name, what, patterns, expect)
    entry.close()
    return size
