"""What this machine has, and how well a board is known, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boardless.project.doctor import Requirement, can_run
from boardless.project.fidelity import DeviceRecord, Standing


def doctor_table(checks: Sequence[Requirement]) -> RenderableType:
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


def board_table(known: Sequence[tuple[str, DeviceRecord]]) -> RenderableType:
    """A row a device, then each short cut once, with what it could hide."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("device", "standing", "behaviours tested, by their evidence"):
        table.add_column(heading, overflow="fold")
    for device, found in known:
        style = "red" if found.standing is Standing.NAMED else None
        behaviours = ", ".join(f"{kind} {count}" for kind, count in found.behaviours.items())
        table.add_row(device, found.standing.value, behaviours or "-", style=style)
    short_cuts = {
        f"{found.device}: {cut.what}; could hide {cut.hides}": None
        for _, found in known
        for cut in found.short_cuts
    }
    return Group(table, Text(""), *(Text(f"short cut  {text}") for text in short_cuts))
