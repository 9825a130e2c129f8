"""What the Robot suites said, as one table."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boardless.suites.runner import SuiteOutcome, SuiteRow

FAILED_TESTS = 20
CHECKS = 20


def suite_table(outcome: SuiteOutcome) -> RenderableType:
    """A row a suite, the first failed tests, and the report's path."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("suite")
    for heading in ("passed", "failed", "skipped", "host time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in outcome.rows:
        table.add_row(*_cells(row), style="red" if row.failed else None)
    failures = [Text(line) for line in _failures(outcome)]
    passed = sum(row.passed for row in outcome.rows)
    return Group(
        table,
        Text(""),
        *failures,
        *(Text(line) for line in _checks(outcome)),
        Text(f"{outcome.executed} tests, {passed} passed, {outcome.executed - passed} failed"),
        Text(f"report: {outcome.report}", no_wrap=True, overflow="ignore"),
    )


def _cells(row: SuiteRow) -> list[str]:
    return [row.name, str(row.passed), str(row.failed), str(row.skipped), f"{row.elapsed_s:.1f} s"]


def _checks(outcome: SuiteOutcome) -> list[str]:
    """The board checks that count for no failed test: those are in its message."""
    lines = []
    for row in outcome.checks:
        if not row.check.fails:
            grade = "waived" if row.check.waived else row.check.grade.value
            lines.append(f"{grade:<10} {row.check} in {row.test}")
    shown = lines[:CHECKS]
    if len(lines) > CHECKS:
        shown.append(f"… {len(lines) - CHECKS} more board checks not shown")
    return shown


def _failures(outcome: SuiteOutcome) -> list[str]:
    failed = [(row, failure) for row in outcome.rows for failure in row.failures]
    lines = []
    for row, failure in failed[:FAILED_TESTS]:
        first = failure.message.partition("\n")[0]
        lines += [f"FAILED {row.name}: {failure.name}", f"       {first}"]
    if len(failed) > FAILED_TESTS:
        lines.append(f"… {len(failed) - FAILED_TESTS} more failed tests not shown")
    return lines
