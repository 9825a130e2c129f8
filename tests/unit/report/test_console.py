"""At any width a number is whole or not there."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from boardless.report.console import legible

NUMBERS = ("62.666", "117,123.201", "9.363", "100.0 %")


def shown(width: int) -> str:
    table = Table(box=None)
    table.add_column("name")
    for heading in ("capture\nms", "preprocess\nms", "total\nms", "share"):
        table.add_column(heading, justify="right")
    table.add_row("pattern:noise:3 of a long name", *NUMBERS[:2], Text(NUMBERS[2]), NUMBERS[3])
    out = io.StringIO()
    Console(file=out, width=width).print(legible(Group(table, Text("basis")), width))
    return out.getvalue()


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100])
def test_no_number_is_cut(width: int) -> None:
    text = shown(width)
    assert all(number in text for number in NUMBERS), text
    assert all(len(line) <= width for line in text.splitlines())
    assert text.rstrip().endswith("basis")


def test_a_narrow_terminal_gets_a_line_for_each_figure() -> None:
    assert "preprocess ms  117,123.201\n" in shown(40)
    assert "preprocess" in shown(80).splitlines()[0]
