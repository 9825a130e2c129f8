"""The terminal, as everything here writes to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

WIDTH = 100
_BETWEEN = 2  # blanks from one column to the next


def console(stderr: bool = False) -> Console:
    """Plain text where nobody looks at it; never wider than a table may be."""
    found = _Console(stderr=stderr, highlight=False, soft_wrap=False)
    found.width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return found


class _Console(Console):
    """A table that is too wide for its numbers is shown row by row: a cut number is another one."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(legible(shown, self.width) for shown in objects), **options)


def legible(shown: RenderableType, width: int) -> RenderableType:
    """The same with every number whole at this width."""
    if isinstance(shown, Group):
        return Group(*(legible(part, width) for part in shown.renderables))
    if not isinstance(shown, Table):
        return shown
    gaps = _BETWEEN * (len(shown.columns) - 1)
    needed = gaps + sum(map(_least_width, shown.columns))
    if needed > width:
        return Group(*_records(shown))
    for column in shown.columns:
        if column.justify == "right":
            column.min_width = _longest(column)
    return shown


def _least_width(column: Column) -> int:
    """All of it where it holds numbers; elsewhere words go on below."""
    if column.justify == "right" or column.no_wrap:
        return _longest(column)
    return min(_longest(column), _BETWEEN * 4)


def _longest(column: Column) -> int:
    texts = [_text(column.header), *map(_text, column.cells)]
    return max(max(map(len, text.split("\n")), default=0) for text in texts)


def _records(table: Table) -> Iterator[Text]:
    """Each row as lines of a heading and its value."""
    headings = [" ".join(_text(column.header).split()) for column in table.columns]
    wide = max(map(len, headings), default=0)
    if table.title is not None:
        yield Text(_text(table.title))
    for row in zip(*(column.cells for column in table.columns), strict=True):
        for heading, cell in zip(headings, row, strict=True):
            yield Text(f"{heading:{wide}}  {_text(cell)}".rstrip(), overflow="fold")
        yield Text("")


def _text(cell: Any) -> str:
    if isinstance(cell, Text):
        return cell.plain
    return Text.from_markup(cell).plain if isinstance(cell, str) else str(cell)
