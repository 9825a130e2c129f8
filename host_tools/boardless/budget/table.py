"""A verdict for a terminal."""

from __future__ import annotations

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from boardless.budget.verdict import Row, Verdict


def render(verdict: Verdict) -> Group:
    """The verdict line, then one line a figure; at most 100 columns."""
    line = Text(verdict.line, style="bold green" if verdict.passed else "bold red")
    return Group(line, _table(verdict))


def _table(verdict: Verdict) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("budget", overflow="fold", max_width=30)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("max", justify="right", no_wrap=True)
    table.add_column("used", justify="right", no_wrap=True)
    table.add_column("", overflow="fold", max_width=36)
    for row in verdict.rows:
        table.add_row(
            escape(_label(row)),
            _number(row.bytes),
            _number(row.max_bytes),
            _share(row),
            escape(_remark(row, verdict)),
            style="" if row.ok else "red",
        )
    return table


def _label(row: Row) -> str:
    return row.name if row.kind == "size" else f"{row.kind} {row.name}"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _share(row: Row) -> str:
    if row.bytes is None or not row.max_bytes:
        return ""
    return f"{100 * row.bytes / row.max_bytes:.1f} %"


def _remark(row: Row, verdict: Verdict) -> str:
    if not row.ok:
        return row.reason or f"over by {(row.bytes or 0) - (row.max_bytes or 0):,}"
    if (row.kind, row.name) == ("stack", "measured") and verdict.stack_function:
        return f"deepest in {verdict.stack_function}"
    return "ok" if row.max_bytes is not None else ""
