"""What a measurement came to when it was held to its budgets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from boardless.gate.bound import StackBound, account_of
from boardless.gate.diff import Diff
from boardless.project.budgets import Budget
from boardless.size.measure import Measurement

if TYPE_CHECKING:
    from boardless_sim.engines.engine import StackMark

SCHEMA = 1

RowKind = Literal["region", "size", "stack", "growth", "waiver"]


@dataclass(frozen=True)
class VerdictRow:
    """One figure and its maximum. Without a maximum it is shown, not judged.

    `bytes` is None where nothing could be measured; that never passes a maximum. `waived` is what a
    waiver adds to the maximum, `cause` what made the figure grow, `why` the file's reason for the
    maximum, `where` a source file and line, `grade` how far the figure of a stack can be trusted,
    `owner` who is asked about it.
    """

    kind: RowKind
    name: str
    bytes: int | None
    max_bytes: int | None = None
    reason: str = ""
    waived: int = 0
    cause: str = ""
    why: str = ""
    where: tuple[str, int] | None = None
    grade: str = ""
    owner: str = ""

    @property
    def key(self) -> str:
        """Its name with its kind, as `region.FLASH`: no two rows have the same."""
        return f"{self.kind}.{self.name}"

    def held_to(self, budget: Budget | None) -> VerdictRow:
        """The same figure against its budget, with what the file says of that."""
        if budget is None:
            return self
        maximum = self.max_bytes if budget.max_bytes is None else budget.max_bytes
        return replace(self, max_bytes=maximum, why=budget.reason, owner=budget.owner)

    @property
    def ok(self) -> bool:
        """Measured, and within its maximum."""
        if self.max_bytes is None:
            return not self.reason
        limit = self.max_bytes + self.waived
        return not self.reason and self.bytes is not None and self.bytes <= limit

    @property
    def over(self) -> int:
        """Bytes over what is allowed."""
        return max(0, (self.bytes or 0) - (self.max_bytes or 0) - self.waived)

    def complaint(self) -> str:
        """Why it is not ok, in a few words."""
        if self.reason or self.bytes is None or self.max_bytes is None:
            return f"{self.name}: {self.reason or 'not measured'}"
        limit = self.max_bytes + self.waived
        return f"{self.name} is {self.over:,} bytes over ({self.bytes:,} of {limit:,})"

    def account(self) -> str:
        """The complaint, what caused it, and whose it is."""
        owner = f"owner: {self.owner}" if self.owner else ""
        return "; ".join(part for part in (self.complaint(), self.cause, owner) if part)

    def as_json(self) -> dict[str, object]:
        """Its fields; those that may be empty only where they are not."""
        fields: dict[str, object] = {"bytes": self.bytes, "max": self.max_bytes, "ok": self.ok}
        if self.where:
            fields["file"], fields["line"] = self.where
        optional = {
            "reason": self.reason,
            "waived": self.waived,
            "cause": self.cause,
            "why": self.why,
            "grade": self.grade,
            "owner": self.owner,
        }
        return {**fields, **{key: value for key, value in optional.items() if value}}


@dataclass(frozen=True)
class Verdict:
    """Every row, and whether the firmware passes: all rows ok, and at least one of them judged.

    `notes` are what a reader must know beside the figures; they fail nothing.
    """

    image: str
    rows: tuple[VerdictRow, ...]
    mark: StackMark | None = None
    notes: tuple[str, ...] = ()
    today: str = ""
    diff: Diff | None = None
    measurement: Measurement | None = field(default=None, compare=False)
    bound: StackBound | None = field(default=None, compare=False)
    target: str = ""

    @property
    def identity(self) -> str:
        """By what this firmware is told from others in every report."""
        return self.target or PurePath(self.image).stem

    @property
    def judged(self) -> tuple[VerdictRow, ...]:
        """The rows that have a maximum."""
        return tuple(row for row in self.rows if row.max_bytes is not None)

    @property
    def failed(self) -> tuple[VerdictRow, ...]:
        """The rows that are not ok."""
        return tuple(row for row in self.rows if not row.ok)

    @property
    def passed(self) -> bool:
        """Exit code 0 or 1."""
        return bool(self.judged) and not self.failed

    @property
    def line(self) -> str:
        """The verdict in one line."""
        if self.passed:
            count = len(self.judged)
            return f"PASS {self.image}: {count} {'budget' if count == 1 else 'budgets'} kept"
        if not self.judged:
            return f"FAIL {self.image}: no budget is set, so nothing was checked"
        more = len(self.failed) - 1
        rest = f", and {more} more" if more else ""
        return f"FAIL {self.image}: {self.failed[0].complaint()}{rest}"

    def as_json(self) -> dict[str, object]:
        """The document of `boardless budget --json`; also what `--base` reads."""
        stack = {row.name: row.as_json() for row in self.rows if row.kind == "stack"}
        if self.mark is not None:
            stack["measured"]["function"] = self.mark.lowest_function
            stack["measured"]["functions"] = dict(sorted(self.mark.functions.items()))
        stacks = None if self.bound is None else self.bound.stacks
        if self.bound is not None and self.bound.report is not None:
            stack.setdefault("bound", {}).update(account_of(self.bound.report))
        document: dict[str, object] = {
            "schema": SCHEMA,
            "verdict": "pass" if self.passed else "fail",
            "image": self.image,
            "regions": {row.name: row.as_json() for row in self.rows if row.kind == "region"},
            "sizes": self._list("size"),
            "stack": stack,
            "stacks": {} if stacks is None else stacks.as_json(),
            "growth": self._list("growth"),
            "waivers": self._list("waiver"),
            "notes": list(self.notes),
            "today": self.today,
        }
        if self.diff is not None:
            document["base"] = self.diff.as_json()
        return {**document, **_measured(self.measurement)}

    def _list(self, kind: RowKind) -> list[dict[str, object]]:
        return [{"name": row.name, **row.as_json()} for row in self.rows if row.kind == kind]


def _measured(measurement: Measurement | None) -> dict[str, object]:
    if measurement is None:
        return {}
    sections = [
        {"name": s.name, "address": s.address, "load_address": s.load_address, "bytes": s.size}
        for s in measurement.layout.sections
    ]
    return {
        "basis": measurement.basis,
        "model": dict(measurement.model),
        "sections": sections,
        "attribution": {name: dict(found) for name, found in measurement.attribution.items()},
        "symbols": dict(measurement.symbols),
    }
