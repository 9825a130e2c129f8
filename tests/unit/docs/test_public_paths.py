"""What docs/reference/python.md promises to users can be imported."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs/reference/python.md"
ROW = re.compile(r"^\| `([\w.]+)` \| `(\w+)` \|", re.MULTILINE)
PATHS = ROW.findall(PAGE.read_text("utf-8"))


def test_the_page_lists_paths() -> None:
    assert len(PATHS) >= 11


@pytest.mark.parametrize(("module", "name"), PATHS)
def test_a_public_path_stays(module: str, name: str) -> None:
    assert hasattr(import_module(module), name)
