"""A verdict for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from boardless.gate.change import Change
from boardless.gate.verdict import Verdict, VerdictRow

_CHANGES = 10


def render(verdict: Verdict) -> Group:
    """The verdict line, then one line a figure, then what is to be known; at most 100 columns."""
    line = Text(verdict.line, style="bold green" if verdict.passed else "bold red")
    return Group(line, _table(verdict), *(Text(text) for text in remarks(verdict)))


def remarks(verdict: Verdict) -> Iterator[str]:
    """What the regions hold, the model's roles, the base with the largest changes, notes."""
    measurement = verdict.measurement
    if measurement is not None and measurement.memories.is_supposed:
        yield f"regions of the {measurement.basis}: nothing says another chip ([board] chip)"
    if measurement is not None:
        for name, found in measurement.attribution.items():
            symbols, rest, padding = (found[kind] for kind in ("symbols", "rest", "padding"))
            yield f"{name}: {symbols:,} in symbols, {rest:,} in none, {padding:,} of padding"
    if measurement is not None and measurement.model:
        roles = ", ".join(f"{name} {size:,}" for name, size in measurement.model.items())
        yield f"model by role: {roles}"
    if verdict.diff is not None:
        diff = verdict.diff
        yield f"base: {diff.label}; changes of up to {diff.noise} bytes are not listed"
        yield from (f"  {change_text(change)}" for change in diff.symbols[:_CHANGES])
        if len(diff.symbols) > _CHANGES:
            yield f"  and {len(diff.symbols) - _CHANGES} more symbols"
        yield from (f"  stack: {path.text()}" for path in diff.stacks[:_CHANGES])
        if len(diff.stacks) > _CHANGES:
            yield f"  and {len(diff.stacks) - _CHANGES} more stack paths"
    if any(row.kind == "waiver" for row in verdict.rows):
        yield f"waivers hold as of {verdict.today}"
    yield from (f"note: {note}" for note in verdict.notes)


def change_text(change: Change) -> str:
    """`+120 uart_print`, and whether it is new or gone."""
    state = "  (new)" if change.before is None else "  (gone)" if change.after is None else ""
    return f"{change.delta:+,} {change.name}{state}"


def label(row: VerdictRow) -> str:
    """What a reader calls the row."""
    return row.name if row.kind in ("size", "growth") else f"{row.kind} {row.name}"


def share(row: VerdictRow) -> str:
    """How much of its maximum it takes."""
    if row.bytes is None or not row.max_bytes or row.bytes < 0:
        return ""
    return f"{100 * row.bytes / row.max_bytes:.1f} %"


def remark(row: VerdictRow, verdict: Verdict) -> str:
    """Why it fails, or what else there is to say."""
    if not row.ok:
        said = row.reason or f"over by {row.over:,}"
        said = f"{said}: {row.cause}" if row.cause else said
        return f"{said} (owner: {row.owner})" if row.owner else said
    if row.kind == "waiver":
        return row.why
    if row.key == "stack.measured" and verdict.mark is not None:
        return f"deepest in {verdict.mark.lowest_function}"
    if row.key == "stack.cold":
        return "with calls that never return"
    if row.grade:
        return grade_text(row, verdict)
    if row.waived and row.max_bytes is not None and (row.bytes or 0) > row.max_bytes:
        return f"ok, {row.waived:,} waived"
    return "ok" if row.max_bytes is not None else ""


def grade_text(row: VerdictRow, verdict: Verdict) -> str:
    """How far the figure of a stack can be trusted, and what is known where there is none."""
    report = None if verdict.bound is None else verdict.bound.report
    if row.key == "stack.bound" and row.bytes is None and report is not None:
        return f"{row.grade}, at least {report.at_least_bytes:,}"
    return row.grade


def _table(verdict: Verdict) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("budget", overflow="fold", max_width=30)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("max", justify="right", no_wrap=True)
    table.add_column("used", justify="right", no_wrap=True)
    table.add_column("", overflow="fold", max_width=36)
    for row in verdict.rows:
        table.add_row(
            escape(label(row)),
            number(row.bytes),
            number(row.max_bytes),
            share(row),
            escape(remark(row, verdict)),
            style="" if row.ok else "red",
        )
    return table


def number(value: int | None) -> str:
    """With thousands, or a dash."""
    return "-" if value is None else f"{value:,}"
