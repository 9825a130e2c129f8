"""A sweep as a terminal table, as JSON, and a bisection's way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from boardless.sweep.bisect import BisectResult, BisectStep
from boardless.sweep.execute import SweepReport
from boardless.sweep.summary import SweepRow
from boardless.sweep.work import Row

SCHEMA = 1
Before = Mapping[Row, SweepRow]
_MOST_ROWS = 200


def sweep_table(report: SweepReport, before: Before | None) -> Table:
    """A row each; axes with one value for all are said once, below."""
    axes = varying_axes(report)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for axis in axes:
        table.add_column(axis, overflow="fold")
    for heading in ("frames", "accuracy", "95 %", "ms, 95 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in report.rows[:_MOST_ROWS]:
        names = dict(row.row)
        table.add_row(*(names[axis] for axis in axes), *_figures(row), _note(report, row, before))
    table.caption = Text("\n".join(_below(report)), justify="left")
    table.caption_justify = "left"
    return table


def varying_axes(report: SweepReport) -> list[str]:
    """The axes that tell rows apart; the firmware's where there is one row."""
    rows = [dict(row.row) for row in report.rows]
    found = [axis for axis in rows[0] if len({row[axis] for row in rows}) > 1]
    return found or ["elf"]


def sweep_document(report: SweepReport, before: Before | None) -> dict[str, Any]:
    """The table. `was`: the same row of the older sweep, null where it has none."""
    return {
        "schema": SCHEMA,
        "tasks_run": report.run,
        "tasks_known": report.known,
        "tasks_left_out": report.left_out,
        "passed": not report.failing,
        "rows": [
            _row_document(row) | {"failures": row.failures(report.budget), "was": _was(row, before)}
            for row in report.rows
        ],
    }


def change(row: SweepRow, before: Before | None) -> str:
    """What is other than in the older sweep; empty where nothing is."""
    old = None if before is None else before.get(row.row)
    if before is None:
        return ""
    if old is None:
        return "new"
    found = []
    if row.accuracy is not None and old.accuracy is not None and row.accuracy != old.accuracy:
        found.append(f"accuracy {100 * (row.accuracy - old.accuracy):+.2f}")
    if row.p95_us is not None and old.p95_us is not None and row.p95_us != old.p95_us:
        found.append(f"{(row.p95_us - old.p95_us) / 1000:+.3f} ms")
    return ", ".join(found)


def percent(share: float | None) -> str:
    """Two digits behind the point; "-" for none."""
    return "-" if share is None else f"{100 * share:.2f} %"


def step_line(step: BisectStep) -> str:
    """One commit that was tried."""
    said = f": {step.said}" if step.said and step.verdict != "good" else ""
    return f"{step.verdict:<5} {step.commit[:12]} {step.subject}{said}"


def bisect_lines(result: BisectResult) -> Iterator[str]:
    """What was found."""
    if result.commit is not None:
        yield f"first bad commit: {result.commit} {result.subject}"


def bisect_document(result: BisectResult) -> dict[str, Any]:
    """The commit, null where it is open, and every step."""
    return {
        "schema": SCHEMA,
        "commit": result.commit,
        "subject": result.subject,
        "steps": [vars(step) for step in result.steps],
    }


def _figures(row: SweepRow) -> tuple[str, str, str, str]:
    found = row.interval
    between = "-" if found is None else f"{100 * found[0]:.1f}–{100 * found[1]:.1f}"
    latency = "-" if row.p95_us is None else f"{row.p95_us / 1000:.3f}"
    return f"{row.frames:,}", percent(row.accuracy), between, latency


def _note(report: SweepReport, row: SweepRow, before: Before | None) -> Text:
    failures = row.failures(report.budget)
    if failures:
        return Text(f"FAILED {failures[0]}", style="red")
    left = f"of {row.wanted:,} frames" if row.frames < row.wanted else ""
    return Text(", ".join(filter(None, (change(row, before), left))))


def _below(report: SweepReport) -> Iterator[str]:
    axes = varying_axes(report)
    for axis, value in report.rows[0].row:
        if axis not in axes and value:
            yield f"{axis:<10} {value}"
    if len(report.rows) > _MOST_ROWS:
        yield f"… {len(report.rows) - _MOST_ROWS} more rows not shown"
    yield f"tasks      {report.run:,} run, {report.known:,} known, {report.left_out:,} left out"
    yield f"rows       {len(report.rows):,}, {len(report.failing):,} fail"


def _row_document(row: SweepRow) -> dict[str, Any]:
    return {
        "row": dict(row.row),
        "wanted": row.wanted,
        "frames": row.frames,
        "correct": row.correct,
        "accuracy": row.accuracy,
        "interval": row.interval,
        "mean_us": row.mean_us,
        "p95_us": row.p95_us,
        "fingerprints": list(row.fingerprints),
    }


def _was(row: SweepRow, before: Before | None) -> dict[str, Any] | None:
    old = None if before is None else before.get(row.row)
    return None if old is None else _row_document(old)
