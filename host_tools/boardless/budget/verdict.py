"""What a measurement came to when it was held to its budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCHEMA = 1

RowKind = Literal["region", "size", "stack"]


@dataclass(frozen=True)
class Row:
    """One figure and its maximum. Without a maximum it is shown, not judged.

    `bytes` is None where nothing could be measured; that never passes a maximum.
    """

    kind: RowKind
    name: str
    bytes: int | None
    max_bytes: int | None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Measured, and within its maximum."""
        if self.max_bytes is None:
            return not self.reason
        return not self.reason and self.bytes is not None and self.bytes <= self.max_bytes

    def complaint(self) -> str:
        """Why it is not ok, in a few words."""
        if self.reason or self.bytes is None or self.max_bytes is None:
            return f"{self.name}: {self.reason or 'not measured'}"
        over = self.bytes - self.max_bytes
        return f"{self.name} is {over:,} bytes over ({self.bytes:,} of {self.max_bytes:,})"

    def as_json(self) -> dict[str, object]:
        """Its fields; the reason only where there is one."""
        fields: dict[str, object] = {"bytes": self.bytes, "max": self.max_bytes, "ok": self.ok}
        return {**fields, "reason": self.reason} if self.reason else fields


@dataclass(frozen=True)
class Verdict:
    """Every row, and whether the firmware passes: all rows ok, and at least one of them judged."""

    image: str
    rows: tuple[Row, ...]
    stack_function: str = ""

    @property
    def judged(self) -> tuple[Row, ...]:
        """The rows that have a maximum."""
        return tuple(row for row in self.rows if row.max_bytes is not None)

    @property
    def failed(self) -> tuple[Row, ...]:
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
        """The document of `boardless budget --json`."""
        stack = {row.name: row.as_json() for row in self.rows if row.kind == "stack"}
        if self.stack_function:
            stack["measured"]["function"] = self.stack_function
        return {
            "schema": SCHEMA,
            "verdict": "pass" if self.passed else "fail",
            "image": self.image,
            "regions": {row.name: row.as_json() for row in self.rows if row.kind == "region"},
            "sizes": [
                {"name": row.name, **row.as_json()} for row in self.rows if row.kind == "size"
            ],
            "stack": stack,
        }
