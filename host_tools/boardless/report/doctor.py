"""What this machine has, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boardless.project.doctor import Check, can_run


def doctor_table(checks: Sequence[Check]) -> RenderableType:
    """A row a check, then the commands that install what is missing."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("what", "needed for", "found"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        style = None if check.ok else "red"
        table.add_row(check.name, check.needed_for, check.found or "missing", style=style)
    installs = [Text(f"install {c.name}: {c.install}") for c in checks if not c.ok]
    verdict = "works" if can_run(list(checks)) else "cannot work"
    return Group(table, Text(""), *installs, Text(f"`boardless run` {verdict} on this machine"))
