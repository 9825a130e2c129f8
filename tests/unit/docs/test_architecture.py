"""The house as docs/explanation/architecture.md draws it is the house as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
ROOMS = sorted(
    package.parent
    for root in ("sim/boardless_sim", "host_tools/boardless", "models/boardless_models")
    for package in (ROOT / root).glob("*/__init__.py")
)
# What a reader still takes in at a glance; where a room has more, it wants a wall.
MOST_FILES = 26


def name_of(room: Path) -> str:
    return room.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_every_room_is_on_the_page(room: Path) -> None:
    assert f"`{name_of(room)}`" in PAGE


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_says_what_it_is_for(room: Path) -> None:
    text = (room / "__init__.py").read_text("utf-8")
    assert text.startswith('"""'), f"{name_of(room)}: no docstring"
    assert re.search(r"\b[Mm]ay import\b", text), f"{name_of(room)}: what it may import is not said"


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_is_no_warehouse(room: Path) -> None:
    assert len(list(room.glob("*.py"))) <= MOST_FILES
