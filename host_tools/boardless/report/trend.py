"""A trend as a table, as CSV and as a plot; only writers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from html import escape

from rich.markup import escape as plain
from rich.table import Table

from boardless.gate.trend import LockChange

_WIDTH, _HEIGHT, _LEFT, _TOP, _ROW = 960, 90, 190, 30, 110
_MOVES = 3


def keys_of(steps: Sequence[LockChange]) -> tuple[str, ...]:
    """Every figure of any step."""
    return tuple(dict.fromkeys(key for step in steps for key in step.figures))


def table(steps: Sequence[LockChange]) -> Table:
    """A row a commit: what moved, and by which symbols; the last has the figures themselves."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("commit", "day", "moved", "why"):
        found.add_column(name, overflow="fold")
    for step in steps:
        moved = "; ".join(change.text() for change in step.moved[:_MOVES])
        rest = len(step.moved) - _MOVES
        more = f"; and {rest} more" if rest > 0 else ""
        found.add_row(step.commit, step.day, plain(f"{moved}{more}" or "-"), plain(step.why))
    return found


def figures_line(steps: Sequence[LockChange]) -> str:
    """The last step's figures."""
    return ", ".join(f"{key} {size:,}" for key, size in steps[-1].figures.items())


def as_csv(steps: Sequence[LockChange]) -> str:
    """A row a commit, a column a figure; empty where a lock does not have it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    keys = keys_of(steps)
    writer.writerow(["commit", "day", "subject", *keys])
    for step in steps:
        # a subject is anyone's text: a spreadsheet must not take it for a formula
        is_formula = step.subject.startswith(("=", "+", "-", "@"))
        subject = f"'{step.subject}" if is_formula else step.subject
        figures = (step.figures.get(key, "") for key in keys)
        writer.writerow([step.commit, step.day, subject, *figures])
    return stream.getvalue()


def as_svg(steps: Sequence[LockChange]) -> str:
    """A line a figure, each on its own scale from 0; nothing is loaded and nothing runs."""
    keys = keys_of(steps)
    height = _TOP + _ROW * len(keys)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for number, key in enumerate(keys):
        lines += _line(steps, key, _TOP + number * _ROW)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _line(steps: Sequence[LockChange], key: str, top: int) -> Iterator[str]:
    points = [(n, step.figures[key]) for n, step in enumerate(steps) if key in step.figures]
    most = max(size for _, size in points) or 1
    across = (_WIDTH - _LEFT - 20) / max(len(steps) - 1, 1)
    places = [(_LEFT + n * across, top + (_HEIGHT - 10) * (1 - size / most)) for n, size in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<text x="8" y="{top + 14}">{escape(key)}</text>'
    yield f'<text x="8" y="{top + 30}" fill="#57606a">{points[-1][1]:,} bytes</text>'
    yield f'<polyline points="{path}" fill="none" stroke="#4e79a7" stroke-width="2"/>'
    for (x, y), (n, size) in zip(places, points, strict=True):
        tip = f"{steps[n].commit} {steps[n].day}: {size:,}"
        dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#4e79a7">'
        yield f"{dot}<title>{escape(tip)}</title></circle>"
